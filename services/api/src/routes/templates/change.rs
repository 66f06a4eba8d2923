//! `PUT /v1/templates/{id}`: a new version. Messages that were sent keep theirs.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use db::{Tx, templates};
use domain::id::MessageTemplateId;
use domain::payer::Language;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use wording::own::{EmailTemplate, SmsTemplate, WhatsAppTemplate};

use super::{TemplateView, check, content, in_use, no_content};
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::Body;
use crate::conduct::etag::{self, IfMatch};
use crate::openapi::parameters::IfMatchTag;
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
    params(("id" = words::MessageTemplateId, Path, description = "Which one."), IfMatchTag),
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
    if_match: IfMatch,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted: Wanted = body.json()?;
    let content = content(wanted.email, wanted.sms, wanted.whatsapp)?.ok_or_else(no_content)?;
    let known = {
        let mut conn = api.backbone.db.read().await?;
        templates::find(&mut conn, access.tenant, *id, None).await?
    };
    let known = in_use(known)?;
    if known.channel != content.channel() {
        let fault = format!("is not this template's channel, which is {}", known.channel);
        return Err(Problem::invalid_field(content.channel().as_str(), fault));
    }
    let language = Language::parse(&known.language).map_err(|_| Problem::internal())?;
    check(&api, &content, &language).await?;
    let stored = serde_json::to_value(&content).map_err(|_| Problem::internal())?;
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    let change = (*id, wanted.version, &stored);
    let worked = make(&mut tx, &access, change, &if_match).await;
    let made = tx.end(worked).await?;
    etag::changed(&made)
}

async fn make(
    tx: &mut Tx,
    access: &WriteAccess,
    (id, of, stored): (MessageTemplateId, Option<i32>, &Value),
    if_match: &IfMatch,
) -> Result<TemplateView, Problem> {
    let tenant = access.tenant;
    let now = in_use(templates::lock(tx, tenant, id).await?)?;
    if_match.check(&TemplateView::of(now))?;
    let version = templates::change(tx, tenant, id, of, stored).await?;
    let version = version.ok_or_else(|| {
        let fault = "is not the newest: the template has changed meanwhile";
        Problem::conflict("version", fault)
    })?;
    let detail = json!({ "version": version });
    let (caller, object) = (&access.caller, id.to_string());
    caller.note(tx, "template.changed", &object, detail).await?;
    let made = templates::find(tx.conn(), tenant, id, Some(version)).await?;
    Ok(TemplateView::of(made.ok_or_else(Problem::internal)?))
}
