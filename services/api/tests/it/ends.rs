//! How a recovery ends, and what comes after its end.

use serde_json::{Value, json};

use crate::psps::{razorpay_captured, razorpay_failed, stripe_event, stripe_failed, stripe_paid};
use crate::stage::{Shop, Stage};

async fn opened(stage: &Stage, shop: &Shop) -> String {
    let event = stripe_failed("evt_1", "pi_1", "ch_1", "insufficient_funds");
    assert_eq!(stage.stripe("shop", shop, &event).await.status, 200);
    let recoveries = stage.recoveries(shop).await;
    recoveries[0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_payment_ends_the_recovery_and_whatever_waited() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let id = opened(&stage, &shop).await;
    let token = stage.link(&shop, "order%20of%20pi_1").await;
    schedule_a_charge(&stage, &id).await;

    stage
        .stripe("shop", &shop, &stripe_paid("evt_2", "pi_1"))
        .await;
    let recovery = stage.recovery(&shop, &id).await;
    assert_eq!(recovery["state"], "recovered");
    assert_eq!(recovery["recovered_amount"], 4_900);
    assert_eq!(recovery["recovered_by"], "elsewhere");
    let attempts = stage
        .get(&shop, &format!("/v1/recoveries/{id}/attempts"))
        .await;
    assert_eq!(attempts.json()["data"][0]["state"], "cancelled");
    assert_eq!(stage.browse(&format!("/pay/{token}")).await.status, 200);
    let links = stage
        .get(&shop, "/v1/recoveries/by_ref/order%20of%20pi_1")
        .await;
    assert_eq!(links.json()[0]["status"], "cancelled");
    assert_eq!(
        stage.timeline(&shop, &id).await.last().unwrap(),
        "recovery.recovered"
    );
}

async fn schedule_a_charge(stage: &Stage, recovery: &str) {
    let insert = "INSERT INTO attempts (id, organization_id, recovery_id, number, kind, state, why,
                                       due_at, created_at, updated_at)
         SELECT uuid7_floor(now()), organization_id, id, 1, 'charge', 'scheduled', 'test',
                now(), now(), now()
         FROM recoveries WHERE replace(id::text, '-', '') = $1";
    let bare = recovery.trim_start_matches("rec_");
    assert_eq!(stage.database.execute(insert, &[&bare]).await.unwrap(), 1);
}

#[tokio::test]
async fn a_late_failure_changes_nothing() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let id = opened(&stage, &shop).await;
    stage
        .stripe("shop", &shop, &stripe_paid("evt_2", "pi_1"))
        .await;
    let before = stage.recovery(&shop, &id).await;
    let plans = plans(&stage).await;

    let late = stripe_failed("evt_3", "pi_1", "ch_0", "stolen_card");
    assert_eq!(stage.stripe("shop", &shop, &late).await.status, 200);
    assert_eq!(stage.recovery(&shop, &id).await, before);
    assert_eq!(stage.recoveries(&shop).await.len(), 1);
    assert_eq!(
        stage.timeline(&shop, &id).await.last().unwrap(),
        "failure.late"
    );
    assert_eq!(self::plans(&stage).await, plans, "nothing is planned");
}

async fn plans(stage: &Stage) -> i64 {
    let text = "SELECT count(*) FROM outbox WHERE stream = 'failures'";
    stage.database.query_one(text, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_payment_that_is_heard_of_before_its_failure_is_never_recovered() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let paid = stage
        .stripe("shop", &shop, &stripe_paid("evt_2", "pi_1"))
        .await;
    assert_eq!(paid.status, 200);
    let event = stripe_failed("evt_1", "pi_1", "ch_1", "insufficient_funds");
    assert_eq!(stage.stripe("shop", &shop, &event).await.status, 200);
    assert!(stage.recoveries(&shop).await.is_empty());
    let outcome = stage.outcome("evt_1").await;
    assert_eq!(
        outcome,
        "is of a payment that is settled, as was reported before"
    );

    stage
        .razorpay("shop", "ev_2", &razorpay_captured("pay_2", "order_1"))
        .await;
    stage
        .razorpay("shop", "ev_1", &razorpay_failed("pay_1", "order_1"))
        .await;
    assert!(
        stage.recoveries(&shop).await.is_empty(),
        "another try of the order was paid"
    );
}

#[tokio::test]
async fn a_failure_and_its_success_that_come_at_once_leave_nothing_open() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    for round in 0..6 {
        let payment = format!("pi_{round}");
        let charge = format!("ch_{round}");
        let failed = stripe_failed(
            &format!("evt_f{round}"),
            &payment,
            &charge,
            "generic_decline",
        );
        let paid = stripe_paid(&format!("evt_p{round}"), &payment);
        let (failed, paid) = tokio::join!(
            stage.stripe("shop", &shop, &failed),
            stage.stripe("shop", &shop, &paid),
        );
        assert_eq!((failed.status, paid.status), (200, 200));
    }
    for recovery in stage.recoveries(&shop).await {
        assert_eq!(recovery["state"], "recovered");
    }
}

#[tokio::test]
async fn the_echo_of_a_charge_under_way_is_left_to_its_worker() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let id = opened(&stage, &shop).await;
    let insert = "INSERT INTO open_charges (recovery_id, organization_id, attempt_id, opened_at)
         SELECT id, organization_id, gen_random_uuid(), now() FROM recoveries";
    stage.database.execute(insert, &[]).await.unwrap();

    let echo = stripe_failed("evt_2", "pi_1", "ch_ours", "insufficient_funds");
    stage.stripe("shop", &shop, &echo).await;
    assert_eq!(stage.counts().await["failure_events"], 1);
    assert_eq!(stage.timeline(&shop, &id).await, ["recovery.opened"]);
    assert!(stage.outcome("evt_2").await.contains("our own charge"));
    assert_eq!(plans(&stage).await, 1);

    // The money of that charge is recorded as its own, whoever hears of it first.
    stage
        .stripe("shop", &shop, &stripe_paid("evt_3", "pi_1"))
        .await;
    assert_eq!(stage.recovery(&shop, &id).await["recovered_by"], "charge");
}

#[tokio::test]
async fn a_dispute_cancels_an_open_recovery_and_a_refund_is_noted() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let id = opened(&stage, &shop).await;
    let refund = json!({
        "id": "ch_1", "object": "charge", "payment_intent": "pi_1",
        "amount_refunded": 100, "currency": "eur",
    });
    let refund = stripe_event("evt_2", "charge.refunded", &refund);
    assert_eq!(stage.stripe("shop", &shop, &refund).await.status, 200);
    assert_eq!(stage.recovery(&shop, &id).await["state"], "open");
    let dispute = json!({
        "id": "dp_1", "object": "dispute", "charge": "ch_1", "payment_intent": "pi_1",
        "amount": 4_900, "currency": "eur", "reason": "fraudulent",
    });
    let dispute = stripe_event("evt_3", "charge.dispute.created", &dispute);
    assert_eq!(stage.stripe("shop", &shop, &dispute).await.status, 200);
    let recovery = stage.recovery(&shop, &id).await;
    assert_eq!(recovery["state"], "cancelled");
    assert_eq!(
        recovery["end_reason"],
        "The payer disputes the payment at the bank"
    );
    let kinds = stage.timeline(&shop, &id).await;
    let wanted = [
        "recovery.opened",
        "payment.refunded",
        "payment.disputed",
        "recovery.cancelled",
    ];
    assert_eq!(kinds, wanted);
}

#[tokio::test]
async fn a_payment_in_another_currency_changes_nothing() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let id = opened(&stage, &shop).await;
    let mut paid = stripe_paid("evt_2", "pi_1");
    paid["data"]["object"]["currency"] = json!("usd");
    stage.stripe("shop", &shop, &paid).await;
    assert_eq!(stage.recovery(&shop, &id).await["state"], "open");
    assert!(stage.outcome("evt_2").await.contains("another currency"));
}

#[tokio::test]
async fn the_merchant_cancels_once_and_what_is_paid_cannot_be_cancelled() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let id = stage.failed(&shop, "A-1").await;
    let path = format!("/v1/recoveries/{id}/cancel");
    for _ in 0..2 {
        let answer = stage.post(&shop, &path, &Value::Null).await;
        assert_eq!(
            (answer.status, &answer.json()["state"]),
            (200, &json!("cancelled"))
        );
    }
    assert_eq!(
        stage.timeline(&shop, &id).await,
        ["recovery.opened", "recovery.cancelled"]
    );

    let id = opened(&stage, &shop).await;
    stage
        .stripe("shop", &shop, &stripe_paid("evt_2", "pi_1"))
        .await;
    let answer = stage
        .post(&shop, &format!("/v1/recoveries/{id}/cancel"), &Value::Null)
        .await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.faults(), ["state: is recovered already"]);
}

#[tokio::test]
async fn a_failure_after_a_recovery_ran_out_opens_a_new_one() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let first = stage.failed(&shop, "A-1").await;
    let end = "UPDATE recoveries SET state = 'exhausted', closed_at = now(), end_reason = 'test'";
    stage.database.execute(end, &[]).await.unwrap();
    stage.later(chrono::TimeDelta::seconds(1));
    let second = stage.failed(&shop, "A-1").await;
    assert_ne!(first, second);
    assert_eq!(stage.recovery(&shop, &second).await["state"], "open");
}
