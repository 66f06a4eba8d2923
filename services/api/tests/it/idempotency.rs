//! Requests that are sent again.

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Answer, Shop, Stage};

async fn keyed(stage: &Stage, shop: &Shop, path: &str, key: &str, body: &Value) -> Answer {
    let request = stage.request(Method::POST, path).bearer_auth(&shop.key);
    Answer::of(request.header("idempotency-key", key).json(body)).await
}

#[tokio::test]
async fn what_creates_or_acts_does_so_once_and_answers_the_same_bytes_again() {
    let stage = Stage::with(&[("TINKO__RECON_WAIT_MS", "1")]).await;
    let shop = stage.shop("shop").await;
    let recovery = stage.failed(&shop, "A-1").await;
    let cancel = format!("/v1/recoveries/{recovery}/cancel");
    let email = json!({ "channel": "email", "address": "payer@example.com" });
    let sms = json!({ "language": "en", "sms": { "text": "{{ merchant }} {{ link }}" } });
    let requests = [
        ("/v1/retry/policies", json!({ "name": "gentle" }), 200),
        ("/v1/templates", sms, 201),
        ("/v1/suppressions", email, 201),
        (
            "/v1/recoveries/by_ref/A-1/link",
            json!({ "ttl_hours": 3 }),
            201,
        ),
        (cancel.as_str(), json!({}), 200),
        ("/v1/recon/run", json!({ "days": 2 }), 200),
    ];
    for (path, body, status) in &requests {
        let first = keyed(&stage, &shop, path, path, body).await;
        assert_eq!(first.status, *status, "{path}: {}", first.text);
        assert_eq!(first.header("idempotency-replayed"), "", "{path}");
        let counts = stage.counts().await;
        let again = keyed(&stage, &shop, path, path, body).await;
        let seen = (again.status, again.text.as_str());
        assert_eq!(seen, (*status, first.text.as_str()), "{path}");
        assert_eq!(again.header("idempotency-replayed"), "true", "{path}");
        assert_eq!(again.header("content-type"), "application/json", "{path}");
        assert_eq!(stage.counts().await, counts, "{path}");
    }
}

#[tokio::test]
async fn a_key_is_bound_to_what_was_asked_and_where() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    stage.failed(&shop, "A-1").await;
    stage.failed(&shop, "A-2").await;
    let link = |reference: &str| format!("/v1/recoveries/by_ref/{reference}/link");
    let body = json!({});
    assert_eq!(
        keyed(&stage, &shop, &link("A-1"), "k", &body).await.status,
        201
    );
    let elsewhere = keyed(&stage, &shop, &link("A-2"), "k", &body).await;
    let seen = (elsewhere.status, elsewhere.slug());
    assert_eq!(seen, (422, "idempotency-key-reused".to_owned()));
    for bad in ["", " ", &"k".repeat(256)] {
        let refused = keyed(&stage, &shop, &link("A-2"), bad, &body).await;
        assert_eq!(
            (refused.status, refused.faults().len()),
            (422, 1),
            "{bad:?}"
        );
    }
}

#[tokio::test]
async fn what_failed_may_be_sent_again_under_its_key() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let (path, body) = ("/v1/recoveries/by_ref/A-1/link", json!({}));
    assert_eq!(keyed(&stage, &shop, path, "k", &body).await.status, 404);
    stage.failed(&shop, "A-1").await;
    assert_eq!(keyed(&stage, &shop, path, "k", &body).await.status, 201);
}

#[tokio::test]
async fn an_answer_that_holds_a_secret_is_kept_sealed() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    stage.failed(&shop, "A-1").await;
    let path = "/v1/recoveries/by_ref/A-1/link";
    let made = keyed(&stage, &shop, path, "k", &json!({})).await.json();
    let token = made["token"].as_str().unwrap();
    let row = "SELECT is_sealed, position(convert_to($1, 'UTF8') IN answer) > 0,
                 position($1 IN body::text) > 0
         FROM idempotency_keys";
    let row = stage.database.query_one(row, &[&token]).await.unwrap();
    let seen: (bool, bool, bool) = (row.get(0), row.get(1), row.get(2));
    assert_eq!(seen, (true, false, false));
}
