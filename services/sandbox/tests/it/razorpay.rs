//! Razorpay: orders, failed payments, payment links.

use std::collections::HashMap;

use serde_json::{Value, json};
use url::Url;

use crate::harness::{Answer, RAZORPAY, Stage, stage};
use crate::receiver::{Receiver, hmac_hex, receiver};

async fn listen(stage: &Stage) -> Receiver {
    let hook = receiver(0);
    let endpoint = json!({ "key_id": RAZORPAY.0, "url": hook.url, "secret": "hook_secret" });
    stage.control("razorpay/webhooks", &endpoint).await;
    hook
}

fn link() -> Value {
    json!({
        "amount": 49_900, "currency": "INR", "description": "May plan",
        "customer": { "contact": "+919000090000", "email": "payer@example.com" },
        "notify": { "email": false, "sms": false },
        "reference_id": "rec_1", "callback_url": "https://tinko.example/done?x=1",
        "callback_method": "get", "notes": { "recovery": "rec_1" },
    })
}

async fn submit(stage: &Stage, link: &Value, form: &[(&str, &str)]) -> Answer {
    let url = link["short_url"].as_str().unwrap();
    Answer::of(stage.client.post(url).form(form).send().await.unwrap()).await
}

#[tokio::test]
async fn a_failed_upi_payment_is_told_with_its_reason() {
    let stage = stage().await;
    let hook = listen(&stage).await;
    let failed = stage
        .control(
            "razorpay/fail_payment",
            &json!({
                "key_id": RAZORPAY.0, "amount": 49_900, "currency": "INR", "method": "upi",
                "error_reason": "insufficient_funds", "error_code": "GATEWAY_ERROR",
                "error_source": "customer", "error_step": "payment_debit_request",
                "error_description": "Not enough money", "contact": "+919000090000",
                "email": "payer@example.com", "notes": { "transaction_ref": "order-7" },
            }),
        )
        .await;
    let posted = &hook.wait(1).await[0];
    let signature = posted.header("x-razorpay-signature");
    assert_eq!(signature, hmac_hex("hook_secret", &posted.body));
    assert_eq!(
        posted.header("x-razorpay-event-id"),
        failed["event_id"].as_str().unwrap()
    );
    let event = posted.json();
    assert_eq!(event["entity"], "event");
    assert_eq!(event["account_id"], "acc_shop");
    assert_eq!(event["contains"], json!(["payment"]));
    let payment = &event["payload"]["payment"]["entity"];
    assert_eq!(payment["error_reason"], "insufficient_funds");
    assert_eq!(payment["method"], "upi");
    assert_eq!(payment["order_id"], failed["order"]);
    let path = format!("payments/{}", failed["payment"].as_str().unwrap());
    assert_eq!(stage.razorpay_get(&path).await.json()["status"], "failed");
    let order = failed["order"].as_str().unwrap();
    let payments = stage
        .razorpay_get(&format!("orders/{order}/payments"))
        .await
        .json();
    assert_eq!(payments["count"], 1);
    assert_eq!(
        stage
            .ledger("transaction_ref=order-7&provider=razorpay")
            .await
            .len(),
        1
    );
}

#[tokio::test]
async fn a_paid_link_proves_itself_at_the_callback_and_by_its_events() {
    let stage = stage().await;
    let hook = listen(&stage).await;
    let made = stage.razorpay("payment_links", &link()).await.json();
    assert_eq!(made["status"], "created");
    let page = stage
        .client
        .get(made["short_url"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert!(page.text().await.unwrap().contains("499.00 INR"));

    let paid = submit(
        &stage,
        &made,
        &[("method", "upi"), ("vpa", "success@razorpay")],
    )
    .await;
    assert_eq!(paid.status, 303);
    let callback = Url::parse(paid.header("location").unwrap()).unwrap();
    let fields: HashMap<String, String> = callback.query_pairs().into_owned().collect();
    assert_eq!(fields["x"], "1");
    assert_eq!(fields["razorpay_payment_link_status"], "paid");
    let signed = format!(
        "{}|rec_1|paid|{}",
        fields["razorpay_payment_link_id"], fields["razorpay_payment_id"]
    );
    assert_eq!(fields["razorpay_signature"], hmac_hex(RAZORPAY.1, &signed));

    let posted = hook.wait(3).await;
    let mut kinds: Vec<String> = posted.iter().map(crate::receiver::Posted::kind).collect();
    kinds.sort();
    assert_eq!(
        kinds,
        ["order.paid", "payment.captured", "payment_link.paid"]
    );
    let event = posted
        .iter()
        .find(|post| post.kind() == "payment_link.paid")
        .unwrap()
        .json();
    assert_eq!(
        event["payload"]["payment_link"]["entity"]["reference_id"],
        "rec_1"
    );
    assert_eq!(
        event["payload"]["payment"]["entity"]["id"],
        fields["razorpay_payment_id"]
    );

    let again = submit(&stage, &made, &[("method", "card")]).await;
    assert!(again.text.contains("This payment is done"));
    assert_eq!(stage.ledger("succeeded=true").await.len(), 1);
}

#[tokio::test]
async fn a_declined_link_stays_open() {
    let stage = stage().await;
    let hook = listen(&stage).await;
    let made = stage.razorpay("payment_links", &link()).await.json();
    let declined = submit(
        &stage,
        &made,
        &[("method", "upi"), ("vpa", "failure@razorpay")],
    )
    .await;
    assert_eq!(declined.status, 402);
    assert!(declined.text.contains("declined by your bank"));
    assert_eq!(hook.wait(1).await[0].kind(), "payment.failed");
    let declined = submit(&stage, &made, &[("method", "card"), ("outcome", "decline")]).await;
    assert_eq!(declined.status, 402);
    assert_eq!(
        submit(&stage, &made, &[("method", "card")]).await.status,
        303
    );
}

#[tokio::test]
async fn a_reference_is_used_once_and_finds_its_link() {
    let stage = stage().await;
    let made = stage.razorpay("payment_links", &link()).await.json();
    let again = stage.razorpay("payment_links", &link()).await;
    assert_eq!(again.status, 400);
    assert_eq!(again.json()["error"]["code"], "BAD_REQUEST_ERROR");
    assert_eq!(again.json()["error"]["field"], "reference_id");
    let found = stage
        .razorpay_get("payment_links?reference_id=rec_1")
        .await
        .json();
    assert_eq!(found["payment_links"][0]["id"], made["id"]);
    let other = stage
        .razorpay_get("payment_links?reference_id=rec_2")
        .await
        .json();
    assert_eq!(other["payment_links"], json!([]));
}

#[tokio::test]
async fn a_cancelled_link_takes_no_money() {
    let stage = stage().await;
    let hook = listen(&stage).await;
    let made = stage.razorpay("payment_links", &link()).await.json();
    let cancel = format!("payment_links/{}/cancel", made["id"].as_str().unwrap());
    assert_eq!(
        stage.razorpay(&cancel, &json!({})).await.json()["status"],
        "cancelled"
    );
    assert_eq!(stage.razorpay(&cancel, &json!({})).await.status, 400);
    assert_eq!(hook.wait(1).await[0].kind(), "payment_link.cancelled");
    assert_eq!(
        submit(&stage, &made, &[("method", "upi")]).await.status,
        410
    );
    assert_eq!(stage.ledger("").await.len(), 0);
}

#[tokio::test]
async fn an_order_paid_at_the_merchant_s_is_told() {
    let stage = stage().await;
    let hook = listen(&stage).await;
    let order = stage
        .razorpay("orders", &json!({ "amount": 500, "currency": "INR" }))
        .await
        .json();
    assert_eq!(order["notes"], json!([]), "Razorpay's shape of no notes");
    let pay = json!({ "key_id": RAZORPAY.0, "order_id": order["id"] });
    stage.control("razorpay/pay_elsewhere", &pay).await;
    let mut kinds: Vec<String> = hook
        .wait(2)
        .await
        .iter()
        .map(crate::receiver::Posted::kind)
        .collect();
    kinds.sort();
    assert_eq!(kinds, ["order.paid", "payment.captured"]);
}

#[tokio::test]
async fn what_razorpay_refuses_is_refused() {
    let stage = stage().await;
    let url = stage.url("/razorpay/v1/orders/order_1");
    let request = stage.client.get(url).basic_auth(RAZORPAY.0, Some("wrong"));
    assert_eq!(request.send().await.unwrap().status(), 401);
    let unknown = stage.razorpay_get("orders/order_1").await;
    assert_eq!(unknown.status, 400);
    assert_eq!(
        unknown.json()["error"]["description"],
        "The id provided does not exist"
    );
    for (field, value) in [
        ("amount", json!(99)),
        ("amount", json!(-500)),
        ("currency", json!("ZZZ")),
        ("expire_by", json!(1)),
        ("callback_method", json!("post")),
    ] {
        let mut bad = link();
        bad[field] = value;
        let refused = stage.razorpay("payment_links", &bad).await;
        assert_eq!(refused.status, 400);
        assert_eq!(refused.json()["error"]["field"], field);
    }
}
