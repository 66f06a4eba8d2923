//! `POST /v1/templates`: takes a template into use.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use db::Tx;
use db::templates::{self, Added, Slot};
use domain::payer::Language;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use wording::own::{Content, EmailTemplate, Kind, SmsTemplate, WhatsAppTemplate};

use super::{TemplateView, check, content, no_content};
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::Problem;

/// A template: exactly one of `email`, `sms` and `whatsapp`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TemplateToMake)]
struct Wanted {
    #[schema(value_type = String, min_length = 2, max_length = 35, example = "en")]
    language: Language,
    /// Which messages it is for: `default`, `neutral`, or a category.
    #[schema(value_type = Option<String>, example = "default")]
    kind: Option<Kind>,
    #[schema(value_type = Option<words::EmailTemplate>)]
    email: Option<EmailTemplate>,
    #[schema(value_type = Option<words::SmsTemplate>)]
    sms: Option<SmsTemplate>,
    #[schema(value_type = Option<words::WhatsAppTemplate>)]
    whatsapp: Option<WhatsAppTemplate>,
}

/// Takes a template into use.
#[utoipa::path(
    post,
    path = "/v1/templates",
    tag = "Templates",
    params(IdempotencyKey),
    request_body = Wanted,
    responses(
        (status = 201, description = "The template.", body = TemplateView),
        (status = 409, description = "There is one for this channel, language and kind, there are too many, or the first request with this key is still being worked on."),
    )
)]
pub(crate) async fn make(
    access: WriteAccess,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted: Wanted = body.json()?;
    let content = content(wanted.email, wanted.sms, wanted.whatsapp)?.ok_or_else(no_content)?;
    check(&api, &content, &wanted.language).await?;
    let slot = Slot {
        channel: content.channel(),
        language: &wanted.language,
        kind: wanted.kind.unwrap_or(Kind::Default).as_str(),
    };
    let cause = access.caller.cause(&api);
    let reply = once(&api, access.tenant, &body, cause, async |tx| {
        add(tx, &access, &slot, &content).await
    });
    Ok(reply.await?.respond())
}

async fn add(
    tx: &mut Tx,
    access: &WriteAccess,
    slot: &Slot<'_>,
    content: &Content,
) -> Result<Reply, Problem> {
    let tenant = access.tenant;
    let stored = serde_json::to_value(content).map_err(|_| Problem::internal())?;
    let id = match templates::add(tx, tenant, slot, &stored).await? {
        Added::Now(id) => id,
        Added::Taken(id) => {
            let fault = format!(
                "is taken: {id} is for the same channel, language and kind; change that one"
            );
            return Err(Problem::conflict("kind", fault));
        }
        Added::Full => {
            let fault = format!(
                "there are {} in use; take one out of use first",
                templates::MOST
            );
            return Err(Problem::conflict("templates", fault));
        }
    };
    let detail = json!({ "channel": slot.channel, "kind": slot.kind });
    let object = id.to_string();
    access
        .caller
        .note(tx, "template.made", &object, detail)
        .await?;
    let made = templates::find(tx.conn(), tenant, id, None).await?;
    let made = made.map(TemplateView::of).ok_or_else(Problem::internal)?;
    Reply::json(StatusCode::CREATED, &made)
}
