//! Tries on cards that webhooks and partners tell of are counted, each once.

use serde_json::{Value, json};

use crate::psps::{stripe_event, stripe_failed, stripe_paid};
use crate::stage::{Shop, Stage};

const PATH: &str = "/v1/events/payment_failed";

impl Stage {
    /// Delivers a Stripe event as of now.
    async fn told(&self, shop: &Shop, mut event: Value) {
        event["created"] = json!(self.now().timestamp());
        let answer = self.stripe("shop", shop, &event).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// Who made the tries of all cards, and what became of them, by their keys.
    async fn tries(&self) -> Vec<String> {
        let text = "SELECT regexp_replace(card_key, '^con_[^:]*', 'con') || ' ' || tried_by || ' '
                      || outcome || ' ' || amount_minor || coalesce(' ' || charge_ref, '')
             FROM card_tries ORDER BY 1";
        let rows = self.database.query(text, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// `charge.failed`, with the card's fingerprint.
fn charge_failed(id: &str, charge: &str, invoice: Option<&str>) -> Value {
    let object = json!({
        "id": charge, "object": "charge", "amount": 4_900, "currency": "eur",
        "payment_intent": "pi_1", "customer": "cus_1", "payment_method": "pm_1",
        "invoice": invoice, "failure_code": "card_declined",
        "metadata": { "transaction_ref": "order of pi_1" },
        "outcome": { "reason": "insufficient_funds", "network_decline_code": "51" },
        "payment_method_details": { "type": "card", "card": {
            "brand": "visa", "country": "DE", "fingerprint": "fp1", "funding": "debit",
        } },
    });
    stripe_event(id, "charge.failed", &object)
}

#[tokio::test]
async fn each_try_of_a_psps_own_counts_once_and_under_the_cards_number_once_that_is_known() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let intent = stripe_failed("evt_1", "pi_1", "ch_1", "insufficient_funds");
    stage.told(&shop, intent).await;
    assert_eq!(
        stage.tries().await,
        ["con:pm:pm_1 payer declined 4900 ch_1"]
    );

    stage
        .told(&shop, charge_failed("evt_2", "ch_1", Some("in_1")))
        .await;
    assert_eq!(stage.tries().await.len(), 1, "the same charge, told twice");
    stage
        .told(&shop, charge_failed("evt_3", "ch_2", Some("in_1")))
        .await;
    assert_eq!(
        stage.tries().await,
        [
            "con:fp:fp1 payer declined 4900 ch_1",
            "con:fp:fp1 psp declined 4900 ch_2",
        ]
    );
    let known = "SELECT card_fingerprint || ' ' || card_country || ' ' || rail FROM transactions";
    let known: String = stage.database.query_one(known, &[]).await.unwrap().get(0);
    assert_eq!(known, "fp1 DE card");
}

#[tokio::test]
async fn a_payment_that_goes_through_is_a_try_too() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    stage
        .told(&shop, charge_failed("evt_1", "ch_1", None))
        .await;
    let mut paid = stripe_paid("evt_2", "pi_1");
    paid["data"]["object"]["payment_method"] = json!("pm_1");
    stage.told(&shop, paid.clone()).await;
    paid["id"] = json!("evt_3");
    stage.told(&shop, paid).await;
    assert_eq!(
        stage.tries().await,
        [
            "con:fp:fp1 payer approved 4900 ch_paid_pi_1",
            "con:fp:fp1 payer declined 4900 ch_1",
        ]
    );
}

#[tokio::test]
async fn an_invoices_failure_beside_its_charges_is_one_try() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let invoice = json!({
        "id": "in_1", "object": "invoice", "amount_due": 4_900, "amount_remaining": 4_900,
        "currency": "eur", "customer": "cus_1", "default_payment_method": "pm_1",
        "payment_intent": "pi_1", "metadata": { "transaction_ref": "order of pi_1" },
    });
    let invoice = stripe_event("evt_1", "invoice.payment_failed", &invoice);
    stage.told(&shop, invoice).await;
    stage
        .told(&shop, charge_failed("evt_2", "ch_1", Some("in_1")))
        .await;
    assert_eq!(stage.tries().await, ["con:fp:fp1 payer declined 4900 ch_1"]);
}

#[tokio::test]
async fn another_means_at_our_checkout_counts_on_its_own_card() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    stage
        .told(&shop, charge_failed("evt_1", "ch_1", None))
        .await;
    let recovery = stage.recoveries(&shop).await[0]["id"].clone();
    let mut other = charge_failed("evt_2", "ch_2", None);
    let object = &mut other["data"]["object"];
    object["metadata"]["tinko_recovery_id"] = recovery;
    object["payment_method"] = json!("pm_2");
    object["payment_method_details"]["card"]["fingerprint"] = json!("fp2");
    stage.told(&shop, other).await;
    assert_eq!(
        stage.tries().await,
        [
            "con:fp:fp1 payer declined 4900 ch_1",
            "con:fp:fp2 payer declined 4900 ch_2",
        ]
    );
}

#[tokio::test]
async fn a_partner_may_tell_the_card() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let mut body = json!({
        "transaction_ref": "A-1", "amount": 129_950, "currency": "INR",
        "failure_reason": "insufficient funds",
        "payment": { "card_fingerprint": "f-1", "card_country": "in", "rail": "card" },
    });
    let answer = stage.post(&shop, PATH, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(stage.tries().await, ["api:fp:f-1 payer declined 129950"]);
    let known = "SELECT card_country || ' ' || rail FROM transactions";
    let known: String = stage.database.query_one(known, &[]).await.unwrap().get(0);
    assert_eq!(known, "IN card");

    // Who says nothing of a card, nor knows one, counts on none.
    body["transaction_ref"] = json!("A-2");
    body["payment"] = Value::Null;
    assert_eq!(stage.post(&shop, PATH, &body).await.status, 201);
    assert_eq!(stage.tries().await.len(), 1);
}
