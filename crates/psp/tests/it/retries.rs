//! What is tried again, under which key, and what is known afterwards.

use std::time::Duration;

use psp::{ChargeOutcome, HttpSettings, PspError};
use serde_json::json;
use tokio::net::TcpListener;
use url::Url;

use crate::server::{Reply, Server};
use crate::setup::{charge_of, settings, stripe, stripe_at};

fn succeeded() -> Reply {
    Reply::json(
        200,
        &json!({
            "id": "pi_1", "status": "succeeded", "amount": 4200, "amount_received": 4200,
            "currency": "eur", "latest_charge": "ch_2", "metadata": {}
        }),
    )
}

fn api_error(status: u16) -> Reply {
    Reply::json(
        status,
        &json!({"error": {"type": "api_error", "message": "oops"}}),
    )
}

/// Plays `script` to a charge that confirms `pi_1`.
async fn charged(script: Vec<Reply>) -> (Result<ChargeOutcome, PspError>, Server) {
    let server = Server::playing(script).await;
    let outcome = stripe(&server).charge(&charge_of(Some("pi_1"))).await;
    (outcome, server)
}

#[tokio::test]
async fn every_try_of_a_charge_carries_its_attempts_id() {
    let (outcome, server) = charged(vec![
        api_error(429).with("retry-after", "0"),
        api_error(500),
        succeeded(),
    ])
    .await;
    assert!(matches!(outcome, Ok(ChargeOutcome::Succeeded { .. })));
    let attempt = charge_of(None).attempt.to_string();
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    for request in &seen {
        assert_eq!(request.header("idempotency-key"), attempt);
        assert_eq!(request.header("stripe-version"), psp::STRIPE_VERSION);
        assert_eq!(request.header("authorization"), "Bearer sk_test_1");
        assert_eq!(request.body, seen[0].body);
        assert_eq!(
            request.line(),
            "POST /stripe/v1/payment_intents/pi_1/confirm"
        );
    }
}

#[tokio::test]
async fn tries_are_bounded() {
    let (outcome, server) = charged(vec![api_error(503); 9]).await;
    assert!(outcome.unwrap_err().is_unclear());
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_charge_without_an_answer_is_unclear() {
    let server = Server::playing([Reply::Silence]).await;
    let impatient = HttpSettings {
        total_timeout: Duration::from_millis(300),
        ..settings()
    };
    let psp = stripe_at(&server.url, impatient);
    let error = psp.charge(&charge_of(Some("pi_1"))).await.unwrap_err();
    assert!(matches!(&error, PspError::Unclear { .. }), "{error:?}");
    assert!(error.is_unclear() && error.may_retry());
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_broken_connection_is_tried_again_and_unclear_when_it_stays_broken() {
    let (outcome, _server) = charged(vec![Reply::Hangup, succeeded()]).await;
    assert!(matches!(outcome, Ok(ChargeOutcome::Succeeded { .. })));
    let (outcome, _server) = charged(vec![Reply::Hangup; 3]).await;
    assert!(matches!(outcome, Err(PspError::Unclear { .. })));
}

#[tokio::test]
async fn a_refused_connection_surely_did_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let psp = stripe_at(&Url::parse(&url).unwrap(), settings());
    let error = psp.charge(&charge_of(Some("pi_1"))).await.unwrap_err();
    assert!(matches!(&error, PspError::NotSent { .. }), "{error:?}");
    assert!(!error.is_unclear() && error.may_retry());
}

#[tokio::test]
async fn a_first_try_that_may_have_acted_keeps_the_whole_unclear() {
    let limited = api_error(429).with("retry-after", "60");
    let (outcome, _server) = charged(vec![api_error(500), limited]).await;
    assert!(matches!(outcome, Err(PspError::Unclear { .. })));
}

#[tokio::test]
async fn a_long_wait_is_left_to_the_caller() {
    let (outcome, server) = charged(vec![api_error(429).with("retry-after", "60")]).await;
    let Err(PspError::RateLimited { retry_after }) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(retry_after, Some(Duration::from_mins(1)));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn stripes_advice_not_to_retry_is_honoured() {
    let advised = api_error(500).with("stripe-should-retry", "false");
    let (outcome, server) = charged(vec![advised, succeeded()]).await;
    assert!(outcome.unwrap_err().is_unclear());
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn stripes_advice_to_retry_is_honoured() {
    let advised = api_error(400).with("stripe-should-retry", "true");
    let (outcome, _server) = charged(vec![advised, succeeded()]).await;
    assert!(matches!(outcome, Ok(ChargeOutcome::Succeeded { .. })));
}

#[tokio::test]
async fn a_key_still_in_flight_is_asked_again_and_unclear_when_it_stays_so() {
    let in_flight = Reply::json(
        409,
        &json!({"error": {"type": "idempotency_error", "code": "idempotency_key_in_use"}}),
    );
    let (outcome, _server) = charged(vec![in_flight.clone(), succeeded()]).await;
    assert!(matches!(outcome, Ok(ChargeOutcome::Succeeded { .. })));
    let (outcome, _server) = charged(vec![in_flight; 3]).await;
    assert!(outcome.unwrap_err().is_unclear());
}

#[tokio::test]
async fn a_key_used_for_another_request_is_unclear_since_that_one_may_have_acted() {
    let reused = json!({"error": {"type": "idempotency_error", "message": "other parameters"}});
    let (outcome, _server) = charged(vec![Reply::json(400, &reused)]).await;
    assert!(outcome.unwrap_err().is_unclear());
}

#[tokio::test]
async fn a_success_that_cannot_be_read_is_unclear() {
    let (outcome, _server) = charged(vec![Reply::raw(200, "<html>")]).await;
    assert!(outcome.unwrap_err().is_unclear());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let moved = Reply::raw(302, "").with("location", "http://127.0.0.1:9/");
    let (outcome, server) = charged(vec![moved]).await;
    assert!(outcome.is_err());
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn wrong_credentials_are_told_apart() {
    let told = json!({"error": {"type": "invalid_request_error", "message": "Invalid API Key"}});
    for status in [401, 403] {
        let (outcome, server) = charged(vec![Reply::json(status, &told)]).await;
        let Err(PspError::Unauthorized { message } | PspError::Forbidden { message }) = outcome
        else {
            panic!("{outcome:?}");
        };
        assert_eq!(message, "Invalid API Key");
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn credentials_are_verified_by_a_request_that_changes_nothing() {
    let none = json!({"object": "list", "data": [], "has_more": false});
    let server = Server::playing([Reply::json(200, &none), Reply::raw(401, "")]).await;
    let psp = stripe(&server);
    psp.verify_credentials().await.unwrap();
    let refused = psp.verify_credentials().await.unwrap_err();
    assert!(matches!(refused, PspError::Unauthorized { .. }));
    assert_eq!(server.lines()[0], "GET /stripe/v1/payment_intents?limit=1");
}
