//! API keys: shown once, and within their scopes.

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Answer, Shop, Stage, steady};

async fn key(stage: &Stage, shop: &Shop, wanted: &Value) -> (String, Shop) {
    let made = stage.post(shop, "/v1/auth/api-keys", wanted).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    let own = Shop {
        key: made["key"].as_str().unwrap().to_owned(),
        stripe: String::new(),
        razorpay: String::new(),
    };
    (made["id"].as_str().unwrap().to_owned(), own)
}

#[tokio::test]
async fn a_key_is_shown_once_and_stored_as_its_hash() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let wanted = json!({ "name": " billing ", "scopes": ["read", "write"] });
    let made = stage.post(&shop, "/v1/auth/api-keys", &wanted).await.json();
    let secret = made["key"].as_str().unwrap().to_owned();
    assert!(
        secret.starts_with("sk_test_") && secret.len() > 48,
        "{secret}"
    );
    assert!(secret.starts_with(made["prefix"].as_str().unwrap()));
    let listed = stage.get(&shop, "/v1/auth/api-keys").await;
    assert!(!listed.text.contains(&secret));
    let names: Vec<_> = listed
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].clone())
        .collect();
    assert_eq!(names, ["billing", "seed"]);
    let mut first = steady(&listed.json()[0]);
    first["prefix"] = json!("[prefix]");
    insta::assert_json_snapshot!("an_api_key_as_it_is_listed", first);
    let clear = "SELECT count(*) FROM api_keys WHERE key_hash = $1";
    let row = stage
        .database
        .query_one(clear, &[&secret.as_bytes()])
        .await
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say_and_no_more() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let (_, reader) = key(&stage, &shop, &json!({ "name": "r", "scopes": ["read"] })).await;
    let (_, writer) = key(&stage, &shop, &json!({ "name": "w", "scopes": ["write"] })).await;
    assert_eq!(stage.get(&reader, "/v1/recoveries").await.status, 200);
    assert_eq!(stage.get(&writer, "/v1/recoveries").await.status, 200);
    let report =
        json!({ "transaction_ref": "A", "amount": 1, "currency": "EUR", "failure_reason": "x" });
    let refused = stage
        .post(&reader, "/v1/events/payment_failed", &report)
        .await;
    assert_eq!(
        (refused.status, refused.slug().as_str()),
        (403, "missing-scope")
    );
    let taken = stage
        .post(&writer, "/v1/events/payment_failed", &report)
        .await;
    assert_eq!(taken.status, 201);
    for shop in [&reader, &writer] {
        assert_eq!(stage.get(shop, "/v1/auth/api-keys").await.status, 403);
    }
}

#[tokio::test]
async fn a_revoked_or_expired_key_opens_nothing() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let (id, revoked) = key(&stage, &shop, &json!({ "name": "a" })).await;
    let end = stage.now() + chrono::TimeDelta::hours(1);
    let (_, expiring) = key(&stage, &shop, &json!({ "name": "b", "expires_at": end })).await;
    assert_eq!(stage.get(&revoked, "/v1/recoveries").await.status, 200);
    let path = format!("/v1/auth/api-keys/{id}");
    let revoke = || stage.request(Method::DELETE, &path).bearer_auth(&shop.key);
    assert_eq!(Answer::of(revoke()).await.status, 204);
    assert_eq!(Answer::of(revoke()).await.status, 404);
    assert_eq!(stage.get(&revoked, "/v1/recoveries").await.status, 401);
    assert_eq!(stage.get(&expiring, "/v1/recoveries").await.status, 200);
    stage.later(chrono::TimeDelta::hours(2));
    assert_eq!(stage.get(&expiring, "/v1/recoveries").await.status, 401);
}

#[tokio::test]
async fn a_key_that_cannot_be_made_names_the_fault() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let past = json!({ "name": "", "scopes": [], "expires_at": "2020-01-01T00:00:00Z" });
    let answer = stage.post(&shop, "/v1/auth/api-keys", &past).await;
    let fields: Vec<_> = answer
        .faults()
        .iter()
        .map(|it| it.split(':').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        (answer.status, fields),
        (
            422,
            ["name", "scopes", "expires_at"].map(str::to_owned).to_vec()
        )
    );
    let answer = stage
        .post(
            &shop,
            "/v1/auth/api-keys",
            &json!({ "name": "a", "scopes": ["root"] }),
        )
        .await;
    assert!(
        answer.faults()[0].starts_with("scopes[0]: unknown variant"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn seeding_again_keeps_what_there_is() {
    let stage = Stage::new().await;
    let first = stage.shop("shop").await;
    let before = stage.counts().await;
    let second = stage.shop("shop").await;
    assert_eq!(
        (&first.stripe, &first.razorpay),
        (&second.stripe, &second.razorpay)
    );
    assert_ne!(first.key, second.key);
    for shop in [&first, &second] {
        assert_eq!(stage.get(shop, "/v1/recoveries").await.status, 200);
    }
    let after = stage.counts().await;
    let changed: Vec<_> = after
        .iter()
        .filter(|(table, count)| before[*table] != **count)
        .collect();
    assert_eq!(changed, [(&"api_keys".to_owned(), &2)]);
}

#[tokio::test]
async fn a_rotated_key_works_on_for_the_overlap_beside_the_new_one() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let (id, old) = key(&stage, &shop, &json!({ "name": "a", "scopes": ["write"] })).await;
    let path = format!("/v1/auth/api-keys/{id}/rotate");
    let rotated = stage
        .post(&shop, &path, &json!({ "overlap_hours": 2 }))
        .await;
    assert_eq!(rotated.status, 201, "{}", rotated.text);
    let mut seen = steady(&rotated.json());
    seen["key"] = json!("[key]");
    seen["prefix"] = json!("[prefix]");
    insta::assert_json_snapshot!("a_rotated_key", seen);
    let new = Shop {
        key: rotated.json()["key"].as_str().unwrap().to_owned(),
        stripe: String::new(),
        razorpay: String::new(),
    };
    for shop in [&old, &new] {
        assert_eq!(stage.get(shop, "/v1/recoveries").await.status, 200);
    }
    let again = stage.post(&shop, &path, &json!({})).await;
    assert_eq!(again.status, 409, "{}", again.text);
    stage.later(chrono::TimeDelta::hours(3));
    assert_eq!(stage.get(&old, "/v1/recoveries").await.status, 401);
    assert_eq!(stage.get(&new, "/v1/recoveries").await.status, 200);
    let id = rotated.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/auth/api-keys/{id}/rotate");
    let wrong = json!({ "overlap_hours": 721, "expires_at": "2020-01-01T00:00:00Z" });
    let wrong = stage.post(&shop, &path, &wrong).await;
    assert_eq!((wrong.status, wrong.faults().len()), (422, 2));
    let at_once = stage
        .post(&shop, &path, &json!({ "overlap_hours": 0 }))
        .await;
    assert_eq!(at_once.status, 201);
    assert_eq!(stage.get(&new, "/v1/recoveries").await.status, 401);
}

/// A POST that a client sends again, since its connection dropped.
async fn twice(stage: &Stage, shop: &Shop, path: &str, body: &Value) -> (Answer, Answer) {
    let send = || {
        let request = stage.request(Method::POST, path).bearer_auth(&shop.key);
        Answer::of(request.header("idempotency-key", path).json(body))
    };
    (send().await, send().await)
}

#[tokio::test]
async fn a_client_whose_connection_dropped_gets_the_same_key_and_it_is_kept_sealed() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let wanted = json!({ "name": "a" });
    let (first, second) = twice(&stage, &shop, "/v1/auth/api-keys", &wanted).await;
    assert_eq!((first.status, &first.text), (201, &second.text));
    assert_eq!(second.header("idempotency-replayed"), "true");
    let id = first.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/auth/api-keys/{id}/rotate");
    let (rotated, again) = twice(&stage, &shop, &path, &json!({})).await;
    assert_eq!((rotated.status, &rotated.text), (201, &again.text));
    // The seed's, the first, and the one that follows it.
    assert_eq!(stage.counts().await["api_keys"], 3);
    let kept = "SELECT string_agg(k::text, ' ') FROM idempotency_keys k";
    let kept: String = stage.database.query_one(kept, &[]).await.unwrap().get(0);
    for answer in [&first, &rotated] {
        let key = answer.json()["key"].as_str().unwrap().to_owned();
        assert!(!kept.contains(&key) && !kept.contains(&hex::encode(&key)));
    }
}
