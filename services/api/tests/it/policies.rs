//! Retry policies over REST.

use reqwest::Method;
use serde_json::json;

use crate::stage::{Answer, Stage, steady};

#[tokio::test]
async fn a_policy_in_the_older_fields_becomes_the_active_one() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let none = stage.get(&shop, "/v1/retry/policies/active").await;
    assert_eq!((none.status, none.text.as_str()), (200, "null"));
    let wanted = json!({ "name": "Brisk", "max_retries": 2, "initial_delay_minutes": 5, "channels": ["email", "sms"] });
    let made = stage.post(&shop, "/v1/retry/policies", &wanted).await;
    assert_eq!(made.status, 200, "{}", made.text);
    insta::assert_json_snapshot!("a_policy_in_the_older_fields", steady(&made.json()));
    let active = stage.get(&shop, "/v1/retry/policies/active").await;
    assert_eq!(active.json(), made.json());
    let id = stage.failed(&shop, "A-1").await;
    assert_eq!(
        stage.recovery(&shop, &id).await["policy_id"],
        made.json()["id"]
    );
}

#[tokio::test]
async fn a_whole_policy_comes_as_a_document() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let wanted = json!({ "document": { "name": "Own", "stop_after_seconds": 7_200 } });
    let made = stage.post(&shop, "/v1/retry/policies", &wanted).await;
    assert_eq!(made.json()["document"]["stop_after_seconds"], 7_200);
    let id = stage.failed(&shop, "A-1").await;
    let recovery = stage.recovery(&shop, &id).await;
    let time = |name: &str| {
        let text = recovery[name].as_str().unwrap();
        chrono::DateTime::parse_from_rfc3339(text).unwrap()
    };
    assert_eq!(
        time("closes_at") - time("opened_at"),
        chrono::TimeDelta::hours(2)
    );
}

#[tokio::test]
async fn a_policy_that_cannot_be_followed_names_the_field() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let before = stage.counts().await;
    for (wanted, field) in [
        (json!({ "max_retries": 11 }), "max_retries"),
        (
            json!({ "initial_delay_minutes": "soon" }),
            "initial_delay_minutes",
        ),
        (json!({ "channels": ["fax"] }), "enabled_channels[0]"),
        (
            json!({ "document": { "jitter_percent": 51 } }),
            "jitter_percent",
        ),
    ] {
        let answer = stage.post(&shop, "/v1/retry/policies", &wanted).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert!(
            answer.faults()[0].starts_with(&format!("{field}: ")),
            "{}",
            answer.text
        );
    }
    assert_eq!(stage.counts().await, before);
}

#[tokio::test]
async fn each_change_is_a_version_and_every_version_can_be_read() {
    let stage = Stage::new().await;
    let (shop, other) = (stage.shop("shop").await, stage.shop("other").await);
    for name in ["First", "Second"] {
        let wanted = json!({ "name": name });
        let made = stage.post(&shop, "/v1/retry/policies", &wanted).await;
        assert_eq!(made.status, 200, "{}", made.text);
    }
    let listed = stage.get(&shop, "/v1/retry/policies").await.json();
    let versions: Vec<_> = listed.as_array().unwrap().iter().collect();
    let seen: Vec<_> = versions
        .iter()
        .map(|it| {
            (
                it["version"].as_i64(),
                it["name"].as_str(),
                it["is_active"].as_bool(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (Some(2), Some("Second"), Some(true)),
            (Some(1), Some("First"), Some(false))
        ]
    );
    let path = format!("/v1/retry/policies/{}", versions[1]["id"].as_str().unwrap());
    assert_eq!(stage.get(&shop, &path).await.json(), *versions[1]);
    assert_eq!(stage.get(&other, &path).await.status, 404);
    assert_eq!(
        stage.get(&other, "/v1/retry/policies").await.json(),
        json!([])
    );
}

#[tokio::test]
async fn a_policy_taken_out_of_use_leaves_the_default_to_new_recoveries() {
    let stage = Stage::new().await;
    let (shop, other) = (stage.shop("shop").await, stage.shop("other").await);
    let wanted = json!({ "name": "Brief", "max_retries": 1 });
    let made = stage
        .post(&shop, "/v1/retry/policies", &wanted)
        .await
        .json();
    let before = stage.failed(&shop, "A-1").await;
    let path = format!("/v1/retry/policies/{}", made["id"].as_str().unwrap());
    let retire = |key: &str| stage.request(Method::DELETE, &path).bearer_auth(key);
    assert_eq!(Answer::of(retire(&other.key)).await.status, 404);
    assert_eq!(Answer::of(retire(&shop.key)).await.status, 200);
    let active = stage.get(&shop, "/v1/retry/policies/active").await;
    assert_eq!(active.text, "null");
    let after = stage.failed(&shop, "A-2").await;
    assert_eq!(
        stage.recovery(&shop, &before).await["policy_id"],
        made["id"]
    );
    assert_eq!(
        stage.recovery(&shop, &after).await["policy_id"],
        json!(null)
    );
}
