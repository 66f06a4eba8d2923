//! PSPs tell in any order and more than once: one end comes of it.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::psps::{razorpay_captured, razorpay_failed, stripe_event, stripe_failed, stripe_paid};
use crate::stage::{Shop, Stage};

/// How a payment stands after all of its events.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// Somebody may be charged and written to.
    Open,
    /// Open, and at rest: a payment is on its way.
    Rests,
    /// Nobody is asked for anything.
    Settled,
}

/// Every order of `count` things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(count - 1);
    let insert = |order: &Vec<usize>, at: usize| {
        let mut order = order.clone();
        order.insert(at, count - 1);
        order
    };
    shorter
        .iter()
        .flat_map(|order| (0..count).map(move |at| insert(order, at)))
        .collect()
}

/// Tells the events of one payment in every order, each payment by ids of its
/// own, the first event once more at the end; all must end in `expected`.
async fn all_orders_end(events: &[fn(&str) -> Value], stripe: bool, expected: &End) {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    for (number, order) in orders(events.len()).iter().enumerate() {
        let name = format!("n{number}");
        let again = order.first();
        for at in order.iter().chain(again) {
            tell(
                &stage,
                &shop,
                stripe,
                &format!("{name}_{at}"),
                &events[*at](&name),
            )
            .await;
        }
        let end = end_of(&stage, &name).await;
        assert_eq!(&end, expected, "{order:?}");
    }
}

async fn tell(stage: &Stage, shop: &Shop, stripe: bool, id: &str, event: &Value) {
    let answer = if stripe {
        let mut event = event.clone();
        event["id"] = format!("evt_{id}").into();
        stage.stripe("shop", shop, &event).await
    } else {
        stage.razorpay("shop", &format!("ev_{id}"), event).await
    };
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// The end of the payment whose ids are made of `name`.
async fn end_of(stage: &Stage, name: &str) -> End {
    let open = "SELECT EXISTS (
           SELECT 1 FROM payments_underway u
           WHERE u.transaction_id = r.transaction_id AND u.standing = 'underway')
         FROM recoveries r JOIN psp_objects o ON o.transaction_id = r.transaction_id
         WHERE r.state = 'open' AND o.object_id LIKE '%\\_' || $1 LIMIT 1";
    match stage.database.query_opt(open, &[&name]).await.unwrap() {
        None => End::Settled,
        Some(row) if row.get(0) => End::Rests,
        Some(_) => End::Open,
    }
}

fn pay(name: &str) -> String {
    format!("pay_{name}")
}

fn order(name: &str) -> String {
    format!("order_{name}")
}

fn apart(mut event: Value, name: &str) -> Value {
    event["payload"]["payment"]["entity"]["notes"] =
        json!({ "transaction_ref": format!("b-{name}") });
    event
}

fn failed(name: &str) -> Value {
    apart(razorpay_failed(&pay(name), &order(name)), name)
}

fn captured(name: &str) -> Value {
    apart(razorpay_captured(&pay(name), &order(name)), name)
}

fn order_paid(name: &str) -> Value {
    let mut event = captured(name);
    event["event"] = "order.paid".into();
    event
}

fn authorized(name: &str) -> Value {
    let mut event = captured(name);
    event["event"] = "payment.authorized".into();
    event["payload"]["payment"]["entity"]["status"] = "authorized".into();
    event["payload"]["payment"]["entity"]["captured"] = false.into();
    event
}

fn refunded(name: &str) -> Value {
    let mut event = captured(name);
    event["event"] = "refund.processed".into();
    event["payload"]["payment"]["entity"]["captured"] = true.into();
    event["payload"]["refund"]["entity"] = json!({
        "id": format!("rfnd_{name}"), "payment_id": pay(name), "amount": 50_000, "currency": "INR",
    });
    event
}

fn went_back_by_itself(name: &str) -> Value {
    let mut event = refunded(name);
    event["payload"]["payment"]["entity"]["captured"] = false.into();
    event
}

fn disputed(name: &str) -> Value {
    let mut event = captured(name);
    event["event"] = "payment.dispute.created".into();
    event["payload"]["dispute"]["entity"] = json!({
        "id": format!("disp_{name}"), "payment_id": pay(name), "amount": 50_000, "currency": "INR",
    });
    event
}

#[tokio::test]
async fn a_payment_that_is_authorized_late_and_captured_is_settled_in_every_order() {
    let events: [fn(&str) -> Value; 4] = [failed, authorized, captured, order_paid];
    all_orders_end(&events, false, &End::Settled).await;
}

#[tokio::test]
async fn a_payment_that_is_authorized_late_lets_its_recovery_rest_in_every_order() {
    all_orders_end(&[failed, authorized], false, &End::Rests).await;
}

#[tokio::test]
async fn a_late_authorization_that_goes_back_lets_the_recovery_go_on_in_every_order() {
    let events: [fn(&str) -> Value; 3] = [failed, authorized, went_back_by_itself];
    all_orders_end(&events, false, &End::Open).await;
}

#[tokio::test]
async fn what_was_paid_and_paid_back_or_disputed_is_settled_in_every_order() {
    let events: [fn(&str) -> Value; 4] = [failed, captured, refunded, disputed];
    all_orders_end(&events, false, &End::Settled).await;
    all_orders_end(&[failed, refunded], false, &End::Settled).await;
    all_orders_end(&[failed, disputed], false, &End::Settled).await;
}

fn of_intent(event: Value, name: &str) -> Value {
    let mut event = event;
    event["data"]["object"]["payment_details"] = json!({ "order_reference": format!("in_{name}") });
    event
}

fn intent_failed(name: &str) -> Value {
    let (payment, charge) = (format!("pi_{name}"), format!("ch_{name}"));
    of_intent(
        stripe_failed("", &payment, &charge, "insufficient_funds"),
        name,
    )
}

fn intent_paid(name: &str) -> Value {
    of_intent(stripe_paid("", &format!("pi_{name}")), name)
}

fn invoice(name: &str, kind: &str, paid: i64) -> Value {
    let object = json!({
        "id": format!("in_{name}"), "object": "invoice", "customer": "cus_1", "currency": "eur",
        "amount_due": 4_900, "amount_remaining": 4_900 - paid, "amount_paid": paid,
        "attempt_count": 1, "next_payment_attempt": 1_790_100_000,
        "metadata": { "transaction_ref": format!("order of pi_{name}") },
    });
    stripe_event("", kind, &object)
}

fn invoice_failed(name: &str) -> Value {
    invoice(name, "invoice.payment_failed", 0)
}

fn invoice_paid(name: &str) -> Value {
    invoice(name, "invoice.paid", 4_900)
}

fn invoice_voided(name: &str) -> Value {
    invoice(name, "invoice.voided", 0)
}

#[tokio::test]
async fn an_invoices_events_and_its_intents_have_one_end_in_every_order() {
    let events: [fn(&str) -> Value; 4] = [intent_failed, invoice_failed, invoice_paid, intent_paid];
    all_orders_end(&events, true, &End::Settled).await;
}

#[tokio::test]
async fn a_voided_invoice_is_settled_in_every_order() {
    let events: [fn(&str) -> Value; 3] = [intent_failed, invoice_failed, invoice_voided];
    all_orders_end(&events, true, &End::Settled).await;
}

#[tokio::test]
async fn an_invoices_event_adds_nothing_to_what_its_intent_told() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    tell(&stage, &shop, true, "1", &intent_failed("a")).await;
    tell(&stage, &shop, true, "2", &invoice_failed("a")).await;
    assert_eq!(stage.counts().await["failure_events"], 1);
    let recoveries = stage.recoveries(&shop).await;
    assert_eq!(recoveries.len(), 1);
    assert_eq!(recoveries[0]["category"], "insufficient_funds");
    let named = "SELECT payment_ref FROM transactions";
    let named: String = stage.database.query_one(named, &[]).await.unwrap().get(0);
    assert_eq!(named, "in_a", "the bill is what is charged");

    let mut retried = invoice_failed("a");
    retried["data"]["object"]["attempt_count"] = 2.into();
    tell(&stage, &shop, true, "3", &retried).await;
    let id = recoveries[0]["id"].as_str().unwrap();
    let told = stage.timeline(&shop, id).await;
    assert_eq!(told, ["recovery.opened", "psp.retried"]);
}

#[tokio::test]
async fn a_second_payment_is_told_once_and_one_told_of_by_many_events_is_one() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    tell(&stage, &shop, true, "1", &intent_failed("a")).await;
    let id = stage.recoveries(&shop).await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    tell(&stage, &shop, true, "2", &intent_paid("a")).await;
    tell(&stage, &shop, true, "3", &invoice_paid("a")).await;
    let told = stage.timeline(&shop, &id).await;
    assert!(!told.contains(&"payment.twice".to_owned()), "{told:?}");

    let mut second = stripe_paid("", "pi_other");
    second["data"]["object"]["metadata"] = json!({ "transaction_ref": "order of pi_a" });
    for event in ["4", "5"] {
        tell(&stage, &shop, true, event, &second).await;
    }
    let told = stage.timeline(&shop, &id).await;
    let twice = told.iter().filter(|kind| *kind == "payment.twice");
    assert_eq!(twice.count(), 1, "{told:?}");
    assert!(stage.outcome("evt_4").await.contains("second payment"));
    assert_eq!(stage.recovery(&shop, &id).await["state"], "recovered");
}

#[tokio::test]
async fn two_captured_payments_of_one_order_are_two() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    tell(&stage, &shop, false, "1", &failed("a")).await;
    let id = stage.recoveries(&shop).await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    tell(&stage, &shop, false, "2", &captured("a")).await;
    tell(&stage, &shop, false, "3", &order_paid("a")).await;
    tell(
        &stage,
        &shop,
        false,
        "4",
        &razorpay_captured("pay_second", "order_a"),
    )
    .await;
    let told = stage.timeline(&shop, &id).await;
    let twice = told.iter().filter(|kind| *kind == "payment.twice");
    assert_eq!(twice.count(), 1, "{told:?}");
}

#[tokio::test]
async fn a_cancelled_payment_ends_its_recovery_and_a_checkouts_own_does_not() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let event = stripe_failed("evt_1", "pi_1", "ch_1", "insufficient_funds");
    stage.stripe("shop", &shop, &event).await;
    let id = stage.recoveries(&shop).await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let cancelled = |event: &str, payment: &str, metadata: Value| {
        let object = json!({
            "id": payment, "object": "payment_intent", "amount": 4_900, "currency": "eur",
            "status": "canceled", "metadata": metadata,
        });
        stripe_event(event, "payment_intent.canceled", &object)
    };
    let ours = cancelled("evt_2", "pi_checkout", json!({ "tinko_recovery_id": id }));
    stage.stripe("shop", &shop, &ours).await;
    assert_eq!(stage.recovery(&shop, &id).await["state"], "open");
    let own = cancelled("evt_3", "pi_1", json!({}));
    stage.stripe("shop", &shop, &own).await;
    let recovery = stage.recovery(&shop, &id).await;
    assert_eq!(recovery["state"], "cancelled");
    assert_eq!(
        recovery["end_reason"],
        "The merchant cancelled the payment at the PSP"
    );
}

#[tokio::test]
async fn a_dispute_after_a_recovery_ran_out_keeps_a_later_failure_from_opening_another() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    tell(&stage, &shop, false, "1", &failed("a")).await;
    let end = "UPDATE recoveries SET state = 'exhausted', closed_at = now(), end_reason = 'test'";
    stage.database.execute(end, &[]).await.unwrap();
    tell(&stage, &shop, false, "2", &disputed("a")).await;
    stage.later(TimeDelta::seconds(1));
    let again = apart(razorpay_failed("pay_again", "order_a"), "a");
    tell(&stage, &shop, false, "3", &again).await;
    assert_eq!(stage.recoveries(&shop).await.len(), 1);
}

#[tokio::test]
async fn what_razorpay_says_of_a_failure_is_kept_with_it() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    tell(&stage, &shop, false, "1", &failed("a")).await;
    let kept = "SELECT (metadata -> 'psp_error')::text FROM failure_events";
    let kept: String = stage.database.query_one(kept, &[]).await.unwrap().get(0);
    let kept: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(
        kept,
        json!({
            "code": "BAD_REQUEST_ERROR", "source": "customer", "step": "payment_authentication",
        })
    );
}
