//! PSP webhooks: one effect each, in whatever order and number they come.

use serde_json::json;

use crate::psps::{razorpay_failed, stripe_failed};
use crate::stage::{Stage, steady};

#[tokio::test]
async fn a_stripe_failure_opens_a_recovery_that_its_timeline_explains() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let event = stripe_failed("evt_1", "pi_1", "ch_1", "insufficient_funds");
    let answer = stage.stripe("shop", &shop, &event).await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({ "status": "accepted" }))
    );

    let recoveries = stage.recoveries(&shop).await;
    let id = recoveries[0]["id"].as_str().unwrap();
    let recovery = stage.recovery(&shop, id).await;
    insta::assert_json_snapshot!("recovery_of_a_stripe_failure", steady(&recovery));
    let timeline = stage
        .get(&shop, &format!("/v1/recoveries/{id}/timeline"))
        .await;
    insta::assert_json_snapshot!("timeline_of_a_stripe_failure", steady(&timeline.json()));
    let events = stage
        .get(&shop, "/v1/events/by_ref/order%20of%20pi_1")
        .await;
    insta::assert_json_snapshot!("events_of_a_stripe_failure", steady(&events.json()));
    assert_eq!(stage.outcome("evt_1").await, "opened a recovery");
}

#[tokio::test]
async fn the_same_webhook_three_times_has_one_effect() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let event = stripe_failed("evt_1", "pi_1", "ch_1", "insufficient_funds");
    stage.stripe("shop", &shop, &event).await;
    let counts = stage.counts().await;
    for _ in 0..2 {
        let answer = stage.stripe("shop", &shop, &event).await;
        assert_eq!(
            (answer.status, answer.json()),
            (200, json!({ "status": "duplicate" }))
        );
    }
    assert_eq!(stage.counts().await, counts);
}

#[tokio::test]
async fn deliveries_that_come_at_once_have_one_effect() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let event = stripe_failed("evt_1", "pi_1", "ch_1", "insufficient_funds");
    let deliveries = (0..8).map(|_| stage.stripe("shop", &shop, &event));
    let answers = futures_util::future::join_all(deliveries).await;
    let accepted = answers
        .iter()
        .filter(|answer| answer.text.contains("accepted"));
    assert_eq!(accepted.count(), 1);
    assert!(answers.iter().all(|answer| answer.status == 200));
    let counts = stage.counts().await;
    let of = |table: &str| counts[table];
    assert_eq!(
        (of("recoveries"), of("failure_events"), of("psp_events")),
        (1, 1, 1)
    );
}

#[tokio::test]
async fn two_events_about_one_charge_report_one_failure() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let first = stripe_failed("evt_1", "pi_1", "ch_1", "insufficient_funds");
    let second = stripe_failed("evt_2", "pi_1", "ch_1", "insufficient_funds");
    stage.stripe("shop", &shop, &first).await;
    let answer = stage.stripe("shop", &shop, &second).await;
    assert_eq!(answer.json()["status"], "accepted");
    assert_eq!(stage.counts().await["failure_events"], 1);
    assert_eq!(
        stage.outcome("evt_2").await,
        "reports a failure that was reported before"
    );
}

#[tokio::test]
async fn a_second_failure_joins_the_open_recovery_and_never_softens_it() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    for (event, charge, code) in [
        ("evt_1", "ch_1", "insufficient_funds"),
        ("evt_2", "ch_2", "stolen_card"),
        ("evt_3", "ch_3", "insufficient_funds"),
    ] {
        stage
            .stripe("shop", &shop, &stripe_failed(event, "pi_1", charge, code))
            .await;
    }
    let recoveries = stage.recoveries(&shop).await;
    assert_eq!(recoveries.len(), 1);
    assert_eq!(recoveries[0]["category"], "do_not_retry");
    assert_eq!(recoveries[0]["hardness"], "hard");
    let id = recoveries[0]["id"].as_str().unwrap();
    let kinds = stage.timeline(&shop, id).await;
    assert_eq!(
        kinds,
        ["recovery.opened", "failure.recorded", "failure.recorded"]
    );
    let plans = "SELECT count(*) FROM outbox WHERE stream = 'failures'";
    let asked: i64 = stage.database.query_one(plans, &[]).await.unwrap().get(0);
    assert_eq!(asked, 3, "each report asks for a plan");
}

#[tokio::test]
async fn a_razorpay_webhook_finds_its_organization_by_account_and_secret() {
    let stage = Stage::new().await;
    let (shop, _other) = (stage.shop("shop").await, stage.shop("other").await);
    let event = razorpay_failed("pay_1", "order_1");
    let answer = stage.razorpay("shop", "ev_1", &event).await;
    assert_eq!(answer.json()["status"], "accepted", "{}", answer.text);
    let recoveries = stage.recoveries(&shop).await;
    assert_eq!(recoveries[0]["transaction_ref"], "booking-9");
    assert_eq!(recoveries[0]["amount"], 50_000);
    let payment = "SELECT payment_ref FROM transactions";
    let payment: String = stage.database.query_one(payment, &[]).await.unwrap().get(0);
    assert_eq!(
        payment, "order_1",
        "the order outlives each payment tried for it"
    );

    let path = format!("/v1/webhooks/razorpay/{}", shop.razorpay);
    let body = razorpay_failed("pay_2", "order_1").to_string().into_bytes();
    let signed = crate::psps::razorpay_signature("rzpsec_shop", &body);
    let headers = [
        ("x-razorpay-signature", signed.as_str()),
        ("x-razorpay-event-id", "ev_2"),
    ];
    assert_eq!(stage.deliver(&path, &headers, body).await.status, 200);
    assert_eq!(stage.counts().await["recoveries"], 1);
}

#[tokio::test]
async fn a_replaced_webhook_secret_holds_at_once() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let event = stripe_failed("evt_1", "pi_1", "ch_1", "insufficient_funds");
    assert_eq!(stage.stripe("shop", &shop, &event).await.status, 200);
    let again = json!({
        "organization": { "name": "shop", "slug": "shop" },
        "connections": [{
            "provider": "stripe",
            "account_id": "acct_shop",
            "credentials": { "secret_key": "sk_test_shop" },
            "webhook_secrets": ["whsec_new"],
        }],
    });
    api::commands::seed::from_json(&stage.settings, &again.to_string())
        .await
        .unwrap();
    stage.later(chrono::TimeDelta::seconds(2));
    let event = stripe_failed("evt_2", "pi_2", "ch_2", "insufficient_funds");
    assert_eq!(stage.stripe("new", &shop, &event).await.status, 200);
    assert_eq!(
        stage.stripe("shop", &shop, &event).await.slug(),
        "webhook-signature"
    );
}

#[tokio::test]
async fn text_with_a_zero_character_is_taken_in_without_it() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let mut event = stripe_failed("evt_1", "pi_1", "ch_1", "insufficient_funds");
    event["data"]["object"]["metadata"]["note"] = json!("a\u{0}b");
    let answer = stage.stripe("shop", &shop, &event).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(stage.recoveries(&shop).await.len(), 1);
}

#[tokio::test]
async fn what_an_event_caused_is_published_after_it_committed() {
    let mut stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let event = stripe_failed("evt_1", "pi_1", "ch_1", "insufficient_funds");
    stage.stripe("shop", &shop, &event).await;
    // An orderly end waits until everything is published.
    stage.finish().await;
    let left = "SELECT count(*) FROM outbox WHERE published_at IS NULL";
    let left: i64 = stage.database.query_one(left, &[]).await.unwrap().get(0);
    assert_eq!(left, 0);
}
