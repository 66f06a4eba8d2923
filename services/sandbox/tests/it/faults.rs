//! Misbehaviour on demand.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::stage;

#[tokio::test]
async fn a_charge_whose_answer_was_lost_is_found_under_its_key_and_was_made_once() {
    let stage = stage().await;
    let failed = stage.failed_payment(&["ok"]).await;
    let fault = json!({
        "target": "stripe", "path_contains": "/confirm", "mode": "timeout_after_acting",
        "ms": 50, "times": 1,
    });
    stage.put("faults", &fault).await;
    let path = format!("payment_intents/{}/confirm", failed.intent);
    let form = [
        ("payment_method", failed.method.as_str()),
        ("off_session", "true"),
    ];
    let lost = stage
        .stripe_request(&path, Some("try-1"), &form)
        .send()
        .await;
    assert!(lost.is_err(), "the connection is dropped without an answer");
    assert_eq!(stage.ledger("succeeded=true").await.len(), 1);

    let found = stage.retry(&failed, "try-1").await;
    assert_eq!(found.status, 200);
    assert_eq!(found.json()["status"], "succeeded");
    assert_eq!(found.header("idempotent-replayed"), Some("true"));
    assert_eq!(stage.ledger("succeeded=true").await.len(), 1);
    let faults = stage.get("/_control/faults").await.json();
    assert_eq!(faults[0]["fired"], 1);
}

#[tokio::test]
async fn a_dropped_call_did_nothing() {
    let stage = stage().await;
    let failed = stage.failed_payment(&["ok"]).await;
    let fault = json!({ "target": "stripe", "mode": "drop_before_acting", "times": 1 });
    stage.put("faults", &fault).await;
    let path = format!("payment_intents/{}/confirm", failed.intent);
    let form = [
        ("payment_method", failed.method.as_str()),
        ("off_session", "true"),
    ];
    assert!(
        stage
            .stripe_request(&path, Some("try-1"), &form)
            .send()
            .await
            .is_err()
    );
    assert_eq!(stage.ledger("succeeded=true").await.len(), 0);
    let done = stage.retry(&failed, "try-1").await;
    assert_eq!(done.status, 200);
    assert_eq!(done.header("idempotent-replayed"), None);
}

#[tokio::test]
async fn a_client_that_gives_up_on_a_slow_call_does_not_undo_it() {
    let stage = stage().await;
    let failed = stage.failed_payment(&["ok"]).await;
    let fault = json!({ "target": "stripe", "path_contains": "/confirm", "mode": "slow", "ms": 500, "times": 1 });
    stage.put("faults", &fault).await;
    let path = format!("payment_intents/{}/confirm", failed.intent);
    let form = [
        ("payment_method", failed.method.as_str()),
        ("off_session", "true"),
    ];
    let request = stage.stripe_request(&path, Some("try-1"), &form);
    assert!(
        request
            .timeout(Duration::from_millis(100))
            .send()
            .await
            .unwrap_err()
            .is_timeout()
    );
    let begun = Instant::now();
    while stage.ledger("succeeded=true").await.is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "the charge was never made"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(stage.retry(&failed, "try-1").await.status, 200);
    assert_eq!(stage.ledger("succeeded=true").await.len(), 1);
}

#[tokio::test]
async fn failures_and_rate_limits_come_in_each_company_s_own_shape() {
    let stage = stage().await;
    for (target, status) in [
        ("stripe", 503),
        ("razorpay", 502),
        ("twilio", 500),
        ("whatsapp", 500),
    ] {
        let fault = json!({ "target": target, "mode": "fail", "status": status, "times": 1 });
        stage.put("faults", &fault).await;
        let limit = json!({ "target": target, "mode": "rate_limited", "times": 1 });
        stage.put("faults", &limit).await;
    }
    let form = [("amount", "500"), ("currency", "usd")];
    let down = stage.stripe("payment_intents", Some("k"), &form).await;
    assert_eq!(down.status, 503);
    assert_eq!(down.json()["error"]["type"], "api_error");
    assert_eq!(down.header("stripe-should-retry"), Some("true"));
    let limited = stage.stripe("payment_intents", Some("k"), &form).await;
    assert_eq!(limited.status, 429);
    assert_eq!(limited.json()["error"]["code"], "rate_limit");
    assert_eq!(
        stage
            .stripe("payment_intents", Some("k"), &form)
            .await
            .status,
        200
    );

    let order = json!({ "amount": 500, "currency": "INR" });
    let down = stage.razorpay("orders", &order).await;
    assert_eq!(
        (down.status.as_u16(), &down.json()["error"]["code"]),
        (502, &json!("SERVER_ERROR"))
    );
    assert_eq!(stage.razorpay("orders", &order).await.status, 429);
    assert_eq!(stage.razorpay("orders", &order).await.status, 200);

    let (down, limited, sent) = (stage.sms().await, stage.sms().await, stage.sms().await);
    assert_eq!(
        (down.status.as_u16(), down.json()["code"].as_u64()),
        (500, Some(20500))
    );
    assert_eq!(
        (limited.status.as_u16(), limited.json()["code"].as_u64()),
        (429, Some(20429))
    );
    assert_eq!(sent.status, 201);

    let (down, limited, sent) = (
        stage.whatsapp().await,
        stage.whatsapp().await,
        stage.whatsapp().await,
    );
    assert_eq!(down.json()["error"]["code"], 131_000);
    assert_eq!(
        (limited.status.as_u16(), &limited.json()["error"]["code"]),
        (429, &json!(130_429))
    );
    assert_eq!(sent.status, 200);
}

#[tokio::test]
async fn cleared_faults_do_not_fire() {
    let stage = stage().await;
    stage
        .put(
            "faults",
            &json!({ "target": "stripe", "mode": "fail", "status": 500 }),
        )
        .await;
    let form = [("amount", "500"), ("currency", "usd")];
    assert_eq!(
        stage.stripe("payment_intents", None, &form).await.status,
        500
    );
    assert_eq!(
        stage.stripe("payment_intents", None, &form).await.status,
        500
    );
    let cleared = stage
        .client
        .delete(stage.url("/_control/faults"))
        .send()
        .await
        .unwrap();
    assert!(cleared.status().is_success());
    assert_eq!(
        stage.stripe("payment_intents", None, &form).await.status,
        200
    );
}
