//! `GET /v1/webhooks/whatsapp`: Meta asks whether we expect it. `POST`: statuses
//! of messages, and payers' replies.

use actix_web::http::header::ContentType;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::Received;
use crate::app::Api;
use crate::conduct::body::Body;
use crate::problem::Problem;
use crate::receipts::obey::obey;
use crate::receipts::secrets::is_the_secret;
use crate::receipts::take::take;
use crate::receipts::whatsapp;

const SIGNATURE: &str = "x-hub-signature-256";
/// Longest challenge that is said back, in characters; Meta's have ten digits.
const LONGEST_CHALLENGE: usize = 128;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Challenge {
    /// `subscribe`.
    #[serde(rename = "hub.mode")]
    mode: Option<String>,
    /// What was set in Meta's console.
    #[serde(rename = "hub.verify_token")]
    token: Option<String>,
    /// What is said back.
    #[serde(rename = "hub.challenge")]
    #[param(max_length = 128)]
    answer: Option<String>,
}

/// Tells Meta that its webhooks are expected.
#[utoipa::path(
    get,
    path = "/v1/webhooks/whatsapp",
    tag = "Webhooks in",
    params(Challenge),
    responses(
        (status = 200, description = "The challenge.", content_type = "text/plain", body = String),
        (status = 403, description = "The token is not the one that is set."),
        (status = 404, description = "WhatsApp is not set up here."),
    )
)]
pub(crate) async fn challenge(
    asked: Query<Challenge>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let token = api.receipts.whatsapp_verify.as_ref();
    let token = token.ok_or_else(|| Problem::not_set_up("WHATSAPP_VERIFY_TOKEN"))?;
    let given = asked.token.as_deref().unwrap_or_default();
    let expected = asked.mode.as_deref() == Some("subscribe") && is_the_secret(given, token);
    let challenge = asked.answer.as_deref().unwrap_or_default();
    if !expected || challenge.len() > LONGEST_CHALLENGE {
        return Err(Problem::refused(
            "hub.verify_token is not the one that is set",
        ));
    }
    Ok(HttpResponse::Ok()
        .insert_header(ContentType::plaintext())
        .body(challenge.to_owned()))
}

/// Takes in what became of WhatsApp messages, and payers' replies.
#[utoipa::path(
    post,
    path = "/v1/webhooks/whatsapp",
    tag = "Webhooks in",
    params(("X-Hub-Signature-256" = String, Header, description = "Proves that Meta sent it.")),
    request_body(content = Object, content_type = "application/json", description = "Statuses and messages, as Meta writes them."),
    responses(
        (status = 200, description = "It is taken in.", body = Received),
        (status = 400, description = "It is not genuine, or does not read."),
        (status = 404, description = "WhatsApp is not set up here."),
    )
)]
pub(crate) async fn receive(
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let secret = api.receipts.whatsapp_app.as_ref();
    let secret = secret.ok_or_else(|| Problem::not_set_up("WHATSAPP_APP_SECRET"))?;
    let header = request.headers().get(SIGNATURE);
    let header = header.and_then(|value| value.to_str().ok());
    whatsapp::verify(header, &body.bytes, secret)
        .map_err(|error| Problem::webhook_signature(&error))?;
    let post: Value = serde_json::from_slice(&body.bytes)
        .map_err(|error| Problem::malformed_body(format!("is not JSON: {error}")))?;
    let (receipts, replies) = whatsapp::read(&post);
    for receipt in &receipts {
        take(&api, receipt).await?;
    }
    for reply in &replies {
        obey(&api, reply).await?;
    }
    Ok(HttpResponse::Ok().json(Received { status: "accepted" }))
}
