//! One organization sees nothing of another.

use reqwest::Method;
use serde_json::{Value, json};

use crate::psps::stripe_failed;
use crate::stage::{Answer, Stage};

#[tokio::test]
async fn what_is_anothers_is_not_there() {
    let stage = Stage::new().await;
    let (shop, other) = (stage.shop("shop").await, stage.shop("other").await);
    let id = stage.failed(&shop, "A-1").await;
    stage.link(&shop, "A-1").await;
    let before = stage.counts().await;
    for path in [
        format!("/v1/recoveries/{id}"),
        format!("/v1/recoveries/{id}/timeline"),
        format!("/v1/recoveries/{id}/attempts"),
        format!("/v1/recoveries/{id}/decisions"),
    ] {
        assert_eq!(stage.get(&other, &path).await.status, 404, "{path}");
    }
    assert!(stage.recoveries(&other).await.is_empty());
    for path in ["/v1/events/by_ref/A-1", "/v1/recoveries/by_ref/A-1"] {
        assert_eq!(stage.get(&other, path).await.json(), json!([]), "{path}");
    }
    let link = stage
        .post(&other, "/v1/recoveries/by_ref/A-1/link", &json!({}))
        .await;
    assert_eq!(link.status, 404);
    let cancel = format!("/v1/recoveries/{id}/cancel");
    assert_eq!(stage.post(&other, &cancel, &Value::Null).await.status, 404);
    let keys = stage.get(&shop, "/v1/auth/api-keys").await.json();
    let key = format!("/v1/auth/api-keys/{}", keys[0]["id"].as_str().unwrap());
    let revoke = stage.request(Method::DELETE, &key).bearer_auth(&other.key);
    assert_eq!(Answer::of(revoke).await.status, 404);
    assert_eq!(stage.counts().await, before);
    assert_eq!(stage.recovery(&shop, &id).await["state"], "open");
}

#[tokio::test]
async fn the_same_payment_at_two_organizations_is_two() {
    let stage = Stage::new().await;
    let (shop, other) = (stage.shop("shop").await, stage.shop("other").await);
    let event = stripe_failed("evt_1", "pi_1", "ch_1", "insufficient_funds");
    for (slug, shop) in [("shop", &shop), ("other", &other)] {
        let answer = stage.stripe(slug, shop, &event).await;
        assert_eq!(answer.json()["status"], "accepted");
        assert_eq!(stage.recoveries(shop).await.len(), 1);
    }
}

#[tokio::test]
async fn every_route_of_partners_asks_for_a_key() {
    let stage = Stage::new().await;
    let id = "rec_01920000000070008000000000000000";
    let routes = [
        (Method::POST, "/v1/events/payment_failed".to_owned()),
        (Method::GET, "/v1/events/by_ref/A-1".to_owned()),
        (Method::POST, "/v1/classify".to_owned()),
        (Method::GET, "/v1/classify/unknown".to_owned()),
        (Method::GET, "/v1/recoveries".to_owned()),
        (Method::GET, "/v1/recoveries/by_ref/A-1".to_owned()),
        (Method::POST, "/v1/recoveries/by_ref/A-1/link".to_owned()),
        (Method::GET, format!("/v1/recoveries/{id}")),
        (Method::GET, format!("/v1/recoveries/{id}/timeline")),
        (Method::GET, format!("/v1/recoveries/{id}/attempts")),
        (Method::GET, format!("/v1/recoveries/{id}/decisions")),
        (Method::POST, format!("/v1/recoveries/{id}/cancel")),
        (Method::GET, "/v1/auth/api-keys".to_owned()),
        (Method::POST, "/v1/auth/api-keys".to_owned()),
        (Method::DELETE, format!("/v1/auth/api-keys/{id}")),
        (Method::POST, "/v1/recon/run".to_owned()),
        (Method::GET, "/v1/recon/runs".to_owned()),
        (Method::GET, format!("/v1/recon/runs/{id}")),
        (Method::GET, format!("/v1/recon/runs/{id}/results")),
        (Method::POST, "/v1/retry/policies".to_owned()),
        (Method::GET, "/v1/retry/policies".to_owned()),
        (Method::GET, "/v1/retry/policies/active".to_owned()),
        (Method::GET, format!("/v1/retry/policies/{id}")),
        (Method::DELETE, format!("/v1/retry/policies/{id}")),
        (Method::GET, "/v1/templates".to_owned()),
        (Method::POST, "/v1/templates".to_owned()),
        (Method::GET, "/v1/templates/variables".to_owned()),
        (Method::POST, "/v1/templates/preview".to_owned()),
        (Method::GET, "/v1/templates/settings".to_owned()),
        (Method::PUT, "/v1/templates/settings".to_owned()),
        (Method::GET, format!("/v1/templates/{id}")),
        (Method::PUT, format!("/v1/templates/{id}")),
        (Method::DELETE, format!("/v1/templates/{id}")),
    ];
    for (method, path) in routes {
        let path = path.replace("/api-keys/rec_", "/api-keys/key_");
        let path = path.replace("/policies/rec_", "/policies/pol_");
        let path = path.replace("/templates/rec_", "/templates/tpl_");
        let path = path.replace("/runs/rec_", "/runs/rcn_");
        for key in [None, Some("sk_test_nobody"), Some("")] {
            let request = stage.request(method.clone(), &path).json(&json!({}));
            let request = match key {
                Some(key) => request.bearer_auth(key),
                None => request,
            };
            let answer = Answer::of(request).await;
            let seen = (answer.status, answer.slug());
            assert_eq!(seen, (401, "unauthorized".to_owned()), "{method} {path}");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
}
