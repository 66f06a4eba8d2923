//! `POST /v1/webhooks/email/bounces`: a mail gateway hands in what came back. It
//! proves itself by `Authorization: Bearer` and the shared secret. Mail that is no
//! delivery-status notification is taken too, so that a gateway may hand in all
//! that comes to the sender's address.

use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::Received;
use crate::app::Api;
use crate::conduct::body::Body;
use crate::problem::Problem;
use crate::receipts::bounce::{self, Mail};
use crate::receipts::secrets::is_the_secret;
use crate::receipts::take::take;

/// Takes in mail that came back.
#[utoipa::path(
    post,
    path = "/v1/webhooks/email/bounces",
    tag = "Webhooks in",
    params(("Authorization" = String, Header, description = "`Bearer` and the bounce secret.")),
    request_body(content = String, content_type = "message/rfc822", description = "The mail."),
    responses(
        (status = 200, description = "It is taken in.", body = Received),
        (status = 401, description = "The secret is missing or wrong."),
        (status = 404, description = "Bounces are not set up here."),
    )
)]
pub(crate) async fn receive(
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let secret = api.receipts.bounce.as_ref();
    let secret = secret.ok_or_else(|| Problem::not_set_up("TINKO__BOUNCE_SECRET"))?;
    let header = |name| request.headers().get(name)?.to_str().ok();
    let given = header(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    if !given.is_some_and(|given| is_the_secret(given.trim(), secret)) {
        return Err(Problem::unauthorized(
            "send Authorization: Bearer with the bounce secret",
        ));
    }
    let kind = header(CONTENT_TYPE).unwrap_or("message/rfc822");
    let status = match bounce::read(kind, &body.bytes) {
        Mail::Report(receipt) => {
            take(&api, &receipt).await?;
            "accepted"
        }
        Mail::Nothing => "accepted",
        Mail::NoReport => "ignored",
    };
    Ok(HttpResponse::Ok().json(Received { status }))
}
