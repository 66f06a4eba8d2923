//! What was seen once, sent again: by another, elsewhere, later, or earlier than it is said to be.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::psps::{stripe_failed, stripe_signature};
use crate::stage::{Answer, Shop, Stage};

#[tokio::test]
async fn a_webhook_from_the_future_or_of_another_connection_is_not_genuine() {
    let stage = Stage::new().await;
    let (anna, bert) = (stage.shop("anna").await, stage.shop("bert").await);
    let before = stage.counts().await;
    let body = stripe_failed("evt_1", "pi_1", "ch_1", "insufficient_funds")
        .to_string()
        .into_bytes();
    let later = stripe_signature("whsec_anna", &body, stage.now() + TimeDelta::minutes(10));
    let now = stripe_signature("whsec_anna", &body, stage.now());
    let [annas, berts] = [&anna, &bert].map(|shop| format!("/v1/webhooks/stripe/{}", shop.stripe));
    for (path, signature) in [(&annas, &later), (&berts, &now)] {
        let answer = stage
            .deliver(path, &[("stripe-signature", signature)], body.clone())
            .await;
        assert_eq!(
            (answer.status, answer.slug().as_str()),
            (400, "webhook-signature"),
            "{signature}"
        );
    }
    assert_eq!(stage.counts().await, before);
    let taken = stage
        .deliver(&annas, &[("stripe-signature", &now)], body.clone())
        .await;
    assert_eq!(taken.status, 200);
    let after = stage.counts().await;
    let again = stage
        .deliver(&annas, &[("stripe-signature", &now)], body)
        .await;
    assert_eq!(
        (again.status, stage.counts().await),
        (200, after),
        "the same id again has no effect"
    );
}

async fn keyed(stage: &Stage, shop: &Shop, body: &Value) -> Answer {
    let request = stage
        .request(Method::POST, "/v1/events/payment_failed")
        .bearer_auth(&shop.key);
    Answer::of(request.header("idempotency-key", "the-same").json(body)).await
}

#[tokio::test]
async fn an_idempotency_key_of_anothers_gives_nobody_their_answer() {
    let stage = Stage::new().await;
    let (anna, bert) = (stage.shop("anna").await, stage.shop("bert").await);
    let body = json!({
        "transaction_ref": "A-1", "amount": 129_950, "currency": "INR", "failure_reason": "x",
    });
    let (first, second) = (
        keyed(&stage, &anna, &body).await,
        keyed(&stage, &bert, &body).await,
    );
    assert_eq!((first.status, second.status), (201, 201), "{}", second.text);
    assert_ne!(first.json()["recovery_id"], second.json()["recovery_id"]);
    assert_eq!(second.header("idempotency-replayed"), "");
    let again = keyed(&stage, &bert, &body).await;
    assert_eq!(again.json()["recovery_id"], second.json()["recovery_id"]);
}

#[tokio::test]
async fn an_entity_tag_of_anothers_tells_nothing_of_them_and_no_cache_keeps_an_answer_for_two() {
    let stage = Stage::new().await;
    let (anna, bert) = (stage.shop("anna").await, stage.shop("bert").await);
    let id = stage.failed(&anna, "A-1").await;
    let tag_of = |answer: &Answer| answer.header("etag").to_owned();
    let list = tag_of(&stage.get(&anna, "/v1/recoveries").await);
    let one = tag_of(&stage.get(&anna, &format!("/v1/recoveries/{id}")).await);
    let ask = |path: String, tag: String| {
        Answer::of(
            stage
                .request(Method::GET, &path)
                .bearer_auth(&bert.key)
                .header("if-none-match", tag),
        )
    };
    assert_eq!(ask("/v1/recoveries".to_owned(), list).await.status, 200);
    for tag in [one, "*".to_owned(), "\"x\"".to_owned()] {
        assert_eq!(ask(format!("/v1/recoveries/{id}"), tag).await.status, 404);
    }
    for path in ["/v1/recoveries", "/v1/me", "/v1/transactions", "/v1/audit"] {
        let answer = stage.get(&anna, path).await;
        let cache = answer.header("cache-control");
        assert!(
            cache.contains("private") || cache.contains("no-store"),
            "{path}: {cache}"
        );
    }
    // What a proxy might take for the key of another answer changes none.
    for (name, value) in [
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-scheme", "http"),
        ("x-original-url", "/v1/me"),
        ("x-rewrite-url", "/v1/me"),
    ] {
        let request = stage.request(Method::GET, "/healthz").header(name, value);
        let answer = Answer::of(request).await;
        assert_eq!(
            (answer.status, answer.header("cache-control")),
            (200, "no-store"),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_cookie_is_neither_given_nor_believed_so_no_other_sites_form_acts_for_anybody() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let person = stage.register("asha@example.com", "Chai").await;
    let session = stage
        .log_in("asha@example.com", crate::people::PASSWORD)
        .await;
    assert_eq!(session.header("set-cookie"), "");
    for value in [
        format!("access_token={}", person.access),
        format!("session={}; key={}", person.refresh, shop.key),
    ] {
        let request = stage
            .request(Method::GET, "/v1/me")
            .header("cookie", &value);
        assert_eq!(Answer::of(request).await.status, 401);
        let request = stage
            .request(Method::POST, "/v1/auth/logout")
            .header("cookie", value);
        assert_eq!(Answer::of(request).await.status, 401);
    }
    let inside = format!("/v1/me?access_token={}&api_key={}", person.access, shop.key);
    assert_eq!(
        Answer::of(stage.request(Method::GET, &inside)).await.status,
        401,
        "nor one in an address"
    );
}
