//! `POST /v1/webhooks/twilio/status` and `/inbound`. 400 without a signature that
//! holds; whatever is signed is answered alike, whether we know of it or not.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use url::Url;

use crate::app::Api;
use crate::conduct::body::Body;
use crate::problem::Problem;
use crate::receipts::obey::obey;
use crate::receipts::take::take;
use crate::receipts::twilio::{self, Fields};

const SIGNATURE: &str = "x-twilio-signature";
/// Where status callbacks come; the notifier asks for them there.
pub(crate) const STATUS: &str = "/v1/webhooks/twilio/status";
/// Where payers' messages come; set at the sender's number in Twilio's console.
pub(crate) const INBOUND: &str = "/v1/webhooks/twilio/inbound";
/// `TwiML` that sends nothing back.
const NOTHING: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>";

/// Takes in what became of a text message.
#[utoipa::path(
    post,
    path = "/v1/webhooks/twilio/status",
    tag = "Webhooks in",
    params(("X-Twilio-Signature" = String, Header, description = "Proves that Twilio sent it.")),
    request_body(content = Object, content_type = "application/x-www-form-urlencoded", description = "Fields, as Twilio writes them."),
    responses(
        (status = 204, description = "It is taken in."),
        (status = 400, description = "It is not genuine."),
        (status = 404, description = "Twilio is not set up here."),
    )
)]
pub(crate) async fn status(
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let (fields, url) = genuine(&api, &request, &body, STATUS)?;
    if let Some(receipt) = fields.receipt(&url) {
        take(&api, &receipt).await?;
    }
    Ok(HttpResponse::NoContent().finish())
}

/// Takes in a payer's reply to a text message.
#[utoipa::path(
    post,
    path = "/v1/webhooks/twilio/inbound",
    tag = "Webhooks in",
    params(("X-Twilio-Signature" = String, Header, description = "Proves that Twilio sent it.")),
    request_body(content = Object, content_type = "application/x-www-form-urlencoded", description = "Fields, as Twilio writes them."),
    responses(
        (status = 200, description = "It is taken in; nothing is sent back.", content_type = "text/xml", body = String),
        (status = 400, description = "It is not genuine."),
        (status = 404, description = "Twilio is not set up here."),
    )
)]
pub(crate) async fn inbound(
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let (fields, _) = genuine(&api, &request, &body, INBOUND)?;
    if let Some(inbound) = fields.inbound() {
        obey(&api, &inbound).await?;
    }
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/xml; charset=utf-8"))
        .body(NOTHING))
}

/// The fields of a post that Twilio signed, and the address it called.
fn genuine(
    api: &Api,
    request: &HttpRequest,
    body: &Body,
    path: &str,
) -> Result<(Fields, Url), Problem> {
    let token = api.receipts.twilio.as_ref();
    let token = token.ok_or_else(|| Problem::not_set_up("TWILIO_AUTH_TOKEN"))?;
    let mut url = api.public_url(path);
    let query = request.query_string();
    url.set_query(Some(query).filter(|query| !query.is_empty()));
    let fields = Fields::read(&body.bytes);
    let header = request.headers().get(SIGNATURE);
    let header = header.and_then(|value| value.to_str().ok());
    twilio::verify(header, &url, &fields, token)
        .map_err(|error| Problem::webhook_signature(&error))?;
    Ok((fields, url))
}
