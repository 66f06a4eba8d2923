//! `GET` and `PUT /v1/templates/settings`: what holds for all of an organization's
//! messages.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use db::templates::{self, MessageSettings};
use db::{Conn, DbError, Tenant};
use domain::payer::Language;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use wording::one_line;

use crate::app::Api;
use crate::auth::{ReadAccess, WriteAccess};
use crate::conduct::body::Body;
use crate::conduct::etag::{self, IfMatch};
use crate::openapi::parameters::IfMatchTag;
use crate::problem::Problem;

/// The most characters of a support contact.
pub(crate) const CONTACT: usize = 120;

/// What is set; PUT replaces all of it.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TemplateSettings)]
pub(crate) struct Settings {
    /// The language of messages to payers whose own is not served.
    #[schema(value_type = Option<String>, min_length = 2, max_length = 35, example = "en")]
    default_language: Option<Language>,
    /// An address, a number or a page where payers get answers.
    #[schema(min_length = 1, max_length = 120)]
    support_contact: Option<String>,
}

/// Shows what holds for all of an organization's messages.
#[utoipa::path(
    get,
    path = "/v1/templates/settings",
    tag = "Templates",
    responses(
        (status = 200, description = "The settings.", body = Settings),
    )
)]
pub(crate) async fn show(access: ReadAccess, api: Data<Api>) -> Result<Json<Settings>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    Ok(Json(current(&mut conn, access.tenant).await?))
}

async fn current(conn: &mut Conn, tenant: Tenant) -> Result<Settings, DbError> {
    let MessageSettings {
        language,
        support_contact,
        ..
    } = templates::settings(conn, tenant).await?;
    Ok(Settings {
        default_language: language,
        support_contact,
    })
}

/// Sets what holds for all of an organization's messages.
#[utoipa::path(
    put,
    path = "/v1/templates/settings",
    tag = "Templates",
    params(IfMatchTag),
    request_body = Settings,
    responses(
        (status = 200, description = "The settings.", body = Settings),
    )
)]
pub(crate) async fn change(
    access: WriteAccess,
    if_match: IfMatch,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted: Settings = body.json()?;
    let contact = wanted.support_contact.as_deref();
    if let Some(text) = contact
        && (text.is_empty() || one_line(text, CONTACT) != text)
    {
        let fault = format!("must be one line of 1 to {CONTACT} characters");
        return Err(Problem::invalid_field("support_contact", fault));
    }
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    db::organizations::lock(&mut tx, access.tenant).await?;
    let now = current(tx.conn(), access.tenant).await?;
    if let Err(problem) = if_match.check(&now) {
        tx.roll_back().await?;
        return Err(problem);
    }
    let language = wanted.default_language.as_ref();
    templates::set(&mut tx, access.tenant, language, contact).await?;
    let object = access.tenant.organization().to_string();
    let action = "template.settings_changed";
    access
        .caller
        .note(&mut tx, action, &object, json!({}))
        .await?;
    tx.commit().await?;
    etag::changed(&wanted)
}
