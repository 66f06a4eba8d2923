//! Webhook endpoints, as partners manage them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Answer, Shop, Stage, steady};

const ENDPOINTS: &str = "/v1/webhook-endpoints";

async fn made(stage: &Stage, shop: &Shop, body: Value) -> Value {
    let answer = stage.post(shop, ENDPOINTS, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()
}

fn path(endpoint: &Value, rest: &str) -> String {
    format!("{ENDPOINTS}/{}{rest}", endpoint["id"].as_str().unwrap())
}

/// The answer without what is never the same.
fn shown(answer: &Value) -> Value {
    let mut shown = steady(answer);
    for secret in ["secret", "public_key"] {
        if let Some(text) = shown.get(secret).and_then(Value::as_str) {
            let prefix = text.split('_').next().unwrap().to_owned();
            shown[secret] = json!(format!("[{prefix}]"));
        }
    }
    shown
}

#[tokio::test]
async fn a_secret_is_shown_when_it_is_made_and_never_again() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let wanted = json!({
        "url": "http://127.0.0.1:9/hooks?key=1", "description": "ERP", "event_types": ["recovery.*"],
    });
    let endpoint = made(&stage, &shop, wanted).await;
    insta::assert_json_snapshot!("a_webhook_endpoint_with_its_secret", shown(&endpoint));
    let secret = endpoint["secret"].as_str().unwrap().to_owned();
    let listed = stage.get(&shop, ENDPOINTS).await;
    let one = stage.get(&shop, &path(&endpoint, "")).await;
    for answer in [&listed, &one] {
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(!answer.text.contains(&secret) && !answer.text.contains("sealed"));
    }
    assert_eq!(listed.json()["data"][0], one.json());
}

#[tokio::test]
async fn an_ed25519_endpoint_has_a_public_key_and_no_secret() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let wanted = json!({ "url": "http://127.0.0.1:9/", "signature": "ed25519" });
    let endpoint = made(&stage, &shop, wanted).await;
    assert_eq!(endpoint["secret"], Value::Null);
    let public = endpoint["public_key"].as_str().unwrap();
    assert!(public.starts_with("whpk_"), "{public}");
    let one = stage.get(&shop, &path(&endpoint, "")).await.json();
    assert_eq!(one["public_key"], public);
}

#[tokio::test]
async fn addresses_that_only_tinko_can_reach_are_refused() {
    let stage = Stage::with(&[("TINKO__PARTNER_LOOPBACK", "false")]).await;
    let shop = stage.shop("shop").await;
    for (url, fault) in [
        ("http://partner.example/", "must begin with https://"),
        ("https://localhost/", "is not on the open internet"),
        ("https://127.0.0.1/", "is not on the open internet"),
        (
            "https://[::ffff:169.254.169.254]/",
            "is not on the open internet",
        ),
        ("https://10.0.0.1:8443/", "is not on the open internet"),
        ("https://example.com:6379/", "has port 6379"),
        ("https://name.invalid/", "does not resolve"),
        ("nonsense", "must be a whole address"),
    ] {
        let answer = stage.post(&shop, ENDPOINTS, &json!({ "url": url })).await;
        assert_eq!(answer.status, 422, "{url}: {}", answer.text);
        let faults = answer.faults();
        assert!(
            faults[0].starts_with("url: ") && faults[0].contains(fault),
            "{url}: {faults:?}"
        );
    }
}

#[tokio::test]
async fn all_faults_of_an_endpoint_are_told_together() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let wanted = json!({
        "url": "ftp://x/", "description": "a".repeat(513), "event_types": ["recovery.opend"],
    });
    let answer = stage.post(&shop, ENDPOINTS, &wanted).await;
    assert_eq!(answer.status, 422);
    insta::assert_json_snapshot!("faults_of_a_webhook_endpoint", answer.faults());
    for (body, field) in [
        (
            json!({ "url": "http://127.0.0.1/", "event_types": [] }),
            "event_types",
        ),
        (
            json!({ "url": "http://127.0.0.1/", "signature": "md5" }),
            "signature",
        ),
        (json!({}), "url"),
    ] {
        let answer = stage.post(&shop, ENDPOINTS, &body).await;
        assert!(answer.faults()[0].starts_with(field), "{}", answer.text);
    }
}

#[tokio::test]
async fn what_a_change_leaves_out_stays() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let wanted = json!({ "url": "http://127.0.0.1:9/", "event_types": ["link.opened"] });
    let endpoint = made(&stage, &shop, wanted).await;
    let request = stage.request(Method::PATCH, &path(&endpoint, ""));
    let request = request
        .bearer_auth(&shop.key)
        .json(&json!({ "enabled": false }));
    let changed = Answer::of(request).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let changed = changed.json();
    assert_eq!(changed["enabled"], false);
    assert_eq!(changed["event_types"], json!(["link.opened"]));
    assert_eq!(changed["url"], endpoint["url"]);
    let tested = stage
        .post(&shop, &path(&endpoint, "/test"), &Value::Null)
        .await;
    assert_eq!((tested.status, tested.slug()), (409, "conflict".to_owned()));
}

#[tokio::test]
async fn a_rotated_secret_keeps_the_one_before_for_its_overlap() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let endpoint = made(&stage, &shop, json!({ "url": "http://127.0.0.1:9/" })).await;
    let rotate = path(&endpoint, "/rotate-secret");
    let rotated = stage
        .post(&shop, &rotate, &json!({ "overlap_hours": 2 }))
        .await;
    assert_eq!(rotated.status, 200, "{}", rotated.text);
    assert_ne!(rotated.json()["secret"], endpoint["secret"]);
    assert!(rotated.json()["old_secret_until"].is_string());
    let at_once = json!({ "overlap_hours": 0, "signature": "ed25519" });
    let at_once = stage.post(&shop, &rotate, &at_once).await.json();
    assert_eq!(at_once["old_secret_until"], Value::Null);
    assert_eq!(at_once["signature"], "ed25519");
    let wrong = stage
        .post(&shop, &rotate, &json!({ "overlap_hours": 721 }))
        .await;
    assert_eq!(wrong.faults(), ["overlap_hours: must be from 0 to 720"]);
}

#[tokio::test]
async fn a_test_is_a_delivery_that_can_be_looked_at_and_replayed() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let endpoint = made(&stage, &shop, json!({ "url": "http://127.0.0.1:9/" })).await;
    let tested = stage
        .post(&shop, &path(&endpoint, "/test"), &Value::Null)
        .await;
    assert_eq!(tested.status, 202, "{}", tested.text);
    let delivery = tested.json();
    let whole = format!(
        "/v1/webhook-deliveries/{}",
        delivery["id"].as_str().unwrap()
    );
    let again = format!("{whole}/replay");
    let early = stage.post(&shop, &again, &Value::Null).await;
    assert_eq!(
        early.faults(),
        ["state: is pending: it is still on its way"]
    );
    stage.end_delivery(delivery["id"].as_str().unwrap()).await;
    let replayed = stage.post(&shop, &again, &Value::Null).await;
    assert_eq!(replayed.status, 202, "{}", replayed.text);
    assert_eq!(replayed.json()["event_id"], delivery["event_id"]);
    assert_ne!(replayed.json()["id"], delivery["id"]);
    let mut shown = steady(&stage.get(&shop, &whole).await.json());
    let body: Value = serde_json::from_str(shown["request_body"].as_str().unwrap()).unwrap();
    assert_eq!(body["id"], delivery["event_id"]);
    shown["request_body"] = steady(&body);
    insta::assert_json_snapshot!("a_webhook_delivery", shown);
    let deliveries = path(&endpoint, "/deliveries?state=pending&limit=1");
    let listed = stage.get(&shop, &deliveries).await.json();
    assert_eq!(listed["data"][0], replayed.json());
    assert_eq!(listed["next_cursor"], Value::Null);
    let wrong = stage
        .get(&shop, &path(&endpoint, "/deliveries?state=lost"))
        .await;
    assert_eq!(wrong.faults().len(), 1);
}

#[tokio::test]
async fn a_time_to_replay_is_looked_over() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let endpoint = made(&stage, &shop, json!({ "url": "http://127.0.0.1:9/" })).await;
    let replay = path(&endpoint, "/replay");
    for (body, field) in [
        (
            json!({ "from": "yesterday", "to": "2026-11-02T00:00:00Z" }),
            "from",
        ),
        (
            json!({ "from": "2026-11-02T00:00:00Z", "to": "2026-11-01T00:00:00Z" }),
            "to",
        ),
        (
            json!({ "from": "2026-09-02T00:00:00Z", "to": "2026-11-01T00:00:00Z" }),
            "to",
        ),
        (
            json!({ "from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z", "event_types": ["x"] }),
            "event_types",
        ),
    ] {
        let answer = stage.post(&shop, &replay, &body).await;
        assert_eq!(answer.status, 422);
        assert!(answer.faults()[0].starts_with(field), "{}", answer.text);
    }
    let body = json!({ "from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z" });
    let answer = stage.post(&shop, &replay, &body).await;
    assert_eq!((answer.status, &answer.json()["queued"]), (202, &json!(0)));
}

#[tokio::test]
async fn a_deleted_endpoint_is_gone_and_nothing_waits_for_it() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let endpoint = made(&stage, &shop, json!({ "url": "http://127.0.0.1:9/" })).await;
    let tested = stage
        .post(&shop, &path(&endpoint, "/test"), &Value::Null)
        .await;
    let request = stage.request(Method::DELETE, &path(&endpoint, ""));
    let deleted = Answer::of(request.bearer_auth(&shop.key)).await;
    assert_eq!(deleted.status, 204);
    assert_eq!(stage.get(&shop, &path(&endpoint, "")).await.status, 404);
    let delivery = tested.json()["id"].as_str().unwrap().to_owned();
    let delivery = stage
        .get(&shop, &format!("/v1/webhook-deliveries/{delivery}"))
        .await;
    assert_eq!(delivery.json()["state"], "cancelled");
}

#[tokio::test]
async fn an_organization_has_twenty_endpoints_at_most() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let wanted = json!({ "url": "http://127.0.0.1:9/" });
    for _ in 0..20 {
        made(&stage, &shop, wanted.clone()).await;
    }
    let answer = stage.post(&shop, ENDPOINTS, &wanted).await;
    assert_eq!(
        answer.faults(),
        ["webhook_endpoints: there are 20; delete one first"]
    );
}

#[tokio::test]
async fn every_type_of_event_is_listed_with_an_example() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let listed = stage.get(&shop, "/v1/event-types").await.json();
    let data = listed["data"].as_array().unwrap();
    assert_eq!(data.len(), domain::partner::EventType::ALL.len());
    assert!(data.iter().all(|it| it["example"]["type"] == it["name"]));
}
