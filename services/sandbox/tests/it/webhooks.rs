//! Webhooks: signed, retried, repeated, reordered.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::harness::{KEY, Stage, stage};
use crate::receiver::{Receiver, assert_signed_by_stripe, receiver};

async fn listen(stage: &Stage, hook: &Receiver, more: &Value) {
    let mut endpoint = json!({ "key": KEY, "url": hook.url, "secrets": ["whsec_1"] });
    let fields = more.as_object().unwrap().clone();
    endpoint.as_object_mut().unwrap().extend(fields);
    stage.control("stripe/webhooks", &endpoint).await;
}

#[tokio::test]
async fn a_failed_payment_is_told_with_its_event_id_and_a_signature_per_secret() {
    let stage = stage().await;
    let hook = receiver(0);
    listen(
        &stage,
        &hook,
        &json!({ "secrets": ["whsec_old", "whsec_new"] }),
    )
    .await;
    let failed = stage.failed_payment(&["ok"]).await;
    let posted = hook.wait(2).await;
    for secret in ["whsec_old", "whsec_new"] {
        for post in &posted {
            assert_signed_by_stripe(post, secret);
        }
    }
    let event = posted
        .iter()
        .find(|post| post.kind() == "payment_intent.payment_failed");
    let event = event.unwrap().json();
    assert_eq!(event["id"], failed.event.as_str());
    assert_eq!(event["object"], "event");
    assert_eq!(event.get("account"), None);
    let error = &event["data"]["object"]["last_payment_error"];
    assert_eq!(error["decline_code"], "insufficient_funds");
    assert_eq!(
        event["data"]["object"]["metadata"]["transaction_ref"],
        "order-7"
    );
}

#[tokio::test]
async fn endpoints_for_connected_accounts_are_told_the_account() {
    let stage = stage().await;
    let hook = receiver(0);
    let only = json!({ "connect_account": true, "events": ["payment_intent.payment_failed"] });
    listen(&stage, &hook, &only).await;
    stage.failed_payment(&["ok"]).await;
    let posted = hook.wait(1).await;
    assert_eq!(posted[0].json()["account"], "acct_shop");
    assert_signed_by_stripe(&posted[0], "whsec_1");
}

#[tokio::test]
async fn a_refused_delivery_is_tried_again_until_it_is_taken() {
    let stage = stage().await;
    let hook = receiver(2);
    listen(&stage, &hook, &json!({ "events": ["charge.failed"] })).await;
    stage.failed_payment(&["ok"]).await;
    let posted = hook.wait(3).await;
    assert_eq!(posted[0].body, posted[2].body);
    for post in &posted {
        assert_signed_by_stripe(post, "whsec_1");
    }
    // The answer to the last try is logged just after it was given.
    loop {
        let events = stage
            .get("/_control/events?type=charge.failed")
            .await
            .json();
        let delivery = &events[0]["deliveries"][0];
        if delivery["accepted"] == 1 {
            assert_eq!(delivery["attempts"], 3);
            assert_eq!(delivery["status"], 200);
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_repeated_event_comes_three_times_under_one_id() {
    let stage = stage().await;
    let hook = receiver(0);
    listen(&stage, &hook, &json!({})).await;
    stage
        .put(
            "webhook_faults",
            &json!({ "provider": "stripe", "repeat": 3 }),
        )
        .await;
    stage.failed_payment(&["ok"]).await;
    let mut times: HashMap<String, usize> = HashMap::new();
    for post in hook.wait(6).await {
        *times
            .entry(post.json()["id"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    assert_eq!(times.into_values().collect::<Vec<_>>(), [3, 3]);
}

#[tokio::test]
async fn reordered_events_come_in_another_order() {
    let stage = stage().await;
    let hook = receiver(0);
    listen(&stage, &hook, &json!({})).await;
    let disorder = json!({ "provider": "stripe", "reorder": true, "window_ms": 400 });
    stage.put("webhook_faults", &disorder).await;
    for _ in 0..4 {
        stage.failed_payment(&["ok"]).await;
    }
    let ids = |events: &[Value]| -> Vec<String> {
        events
            .iter()
            .map(|event| event["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let made = ids(stage
        .get("/_control/events")
        .await
        .json()
        .as_array()
        .unwrap());
    let posted = hook.wait(8).await;
    let came = ids(&posted
        .iter()
        .map(crate::receiver::Posted::json)
        .collect::<Vec<_>>());
    assert_ne!(made, came);
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    assert_eq!(sorted(made), sorted(came));
}

#[tokio::test]
async fn an_event_is_delivered_again_on_demand_even_to_an_endpoint_registered_since() {
    let stage = stage().await;
    let failed = stage.failed_payment(&["ok"]).await;
    let hook = receiver(0);
    listen(&stage, &hook, &json!({})).await;
    stage
        .control_empty(&format!("events/{}/redeliver", failed.event))
        .await;
    assert_eq!(hook.wait(1).await[0].json()["id"], failed.event.as_str());
}

impl Stage {
    async fn control_empty(&self, what: &str) {
        let url = self.url(&format!("/_control/{what}"));
        let response = self.client.post(url).send().await.unwrap();
        assert_eq!(response.status(), 202);
    }
}
