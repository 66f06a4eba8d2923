//! `PUT /v1/templates/{id}`: a new version. Messages that were sent keep theirs.

use actix_web::web::{Data, Json, Path};
use db::templates;
use domain::id::MessageTemplateId;
use domain::payer::Language;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use wording::own::{EmailTemplate, SmsTemplate, WhatsAppTemplate};

use super::{TemplateView, check, content, no_content};
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::Body;
use crate::openapi::words;
use crate::problem::Problem;

/// What takes a template's place: exactly one of `email`, `sms` and `whatsapp`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TemplateToChange)]
struct Wanted {
    /// The version that the change was made of; a later one is a conflict.
    version: Option<i32>,
    #[schema(value_type = Option<words::EmailTemplate>)]
    email: Option<EmailTemplate>,
    #[schema(value_type = Option<words::SmsTemplate>)]
    sms: Option<SmsTemplate>,
    #[schema(value_type = Option<words::WhatsAppTemplate>)]
    whatsapp: Option<WhatsAppTemplate>,
}

/// Makes a new version of a template.
///
/// Messages that were sent keep theirs.
#[utoipa::path(
    put,
    path = "/v1/templates/{id}",
    tag = "Templates",
    params(("id" = words::MessageTemplateId, Path, description = "Which one.")),
    request_body = Wanted,
    responses(
        (status = 200, description = "The template.", body = TemplateView),
        (status = 404, description = "There is no such template in use."),
        (status = 409, description = "The template has changed or gone meanwhile."),
    )
)]
pub(crate) async fn change(
    access: WriteAccess,
    id: Path<MessageTemplateId>,
    body: Body,
    api: Data<Api>,
) -> Result<Json<TemplateView>, Problem> {
    let wanted: Wanted = body.json()?;
    let content = content(wanted.email, wanted.sms, wanted.whatsapp)?.ok_or_else(no_content)?;
    let known = {
        let mut conn = api.backbone.db.read().await?;
        templates::find(&mut conn, access.tenant, *id, None).await?
    };
    let known = known
        .filter(|known| known.retired_at.is_none())
        .ok_or_else(|| Problem::not_found("template in use"))?;
    if known.channel != content.channel() {
        let fault = format!("is not this template's channel, which is {}", known.channel);
        return Err(Problem::invalid_field(content.channel().as_str(), fault));
    }
    let language = Language::parse(&known.language).map_err(|_| Problem::internal())?;
    check(&api, &content, &language).await?;
    let stored = serde_json::to_value(&content).map_err(|_| Problem::internal())?;
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    let version = templates::change(&mut tx, access.tenant, *id, wanted.version, &stored).await?;
    if version.is_none() {
        tx.roll_back().await?;
        let fault = "is not the newest: the template has changed or gone meanwhile";
        return Err(Problem::conflict("version", fault));
    }
    let made = templates::find(tx.conn(), access.tenant, *id, version).await?;
    let detail = json!({ "version": version });
    let (caller, object) = (&access.caller, id.to_string());
    caller
        .note(&mut tx, "template.changed", &object, detail)
        .await?;
    tx.commit().await?;
    let made = made.ok_or_else(Problem::internal)?;
    Ok(Json(TemplateView::of(made)))
}
