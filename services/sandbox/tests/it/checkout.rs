//! The checkout page, from the session to the webhook.

use serde_json::{Value, json};

use crate::harness::{Answer, KEY, Stage, stage};
use crate::receiver::{assert_signed_by_stripe, receiver};

async fn session(stage: &Stage) -> Value {
    let form = [
        ("mode", "payment"),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "1234"),
        (
            "line_items[0][price_data][product_data][name]",
            "Plan <b>May</b>",
        ),
        ("line_items[0][quantity]", "1"),
        (
            "success_url",
            "https://shop.example/done?session={CHECKOUT_SESSION_ID}",
        ),
        ("cancel_url", "https://shop.example/back"),
        ("client_reference_id", "rec_1"),
        ("metadata[recovery]", "rec_1"),
        ("payment_intent_data[metadata][transaction_ref]", "order-7"),
        ("customer_email", "payer@example.com"),
    ];
    let made = stage
        .stripe("checkout/sessions", Some("session-1"), &form)
        .await;
    assert_eq!(made.status, 200, "{}", made.text);
    made.json()
}

async fn pay(stage: &Stage, session: &Value, number: &str) -> Answer {
    let url = session["url"].as_str().unwrap();
    let form = [
        ("card_number", number),
        ("expiry", "12 / 34"),
        ("cvc", "123"),
    ];
    Answer::of(stage.client.post(url).form(&form).send().await.unwrap()).await
}

#[tokio::test]
async fn a_paid_page_sends_the_payer_back_and_tells_the_merchant_by_signed_events() {
    let stage = stage().await;
    let hook = receiver(0);
    let endpoint = json!({ "key": KEY, "url": hook.url, "secrets": ["whsec_1"] });
    stage.control("stripe/webhooks", &endpoint).await;
    let session = session(&stage).await;
    assert_eq!(session["status"], "open");
    assert_eq!(session["payment_intent"], Value::Null);

    let page = Answer::of(
        stage
            .client
            .get(session["url"].as_str().unwrap())
            .send()
            .await
            .unwrap(),
    );
    let page = page.await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("12.34 USD"), "{}", page.text);
    assert!(page.text.contains("Plan &lt;b&gt;May"), "{}", page.text);

    let paid = pay(&stage, &session, "4242 4242 4242 4242").await;
    assert_eq!(paid.status, 303);
    let id = session["id"].as_str().unwrap();
    let expected = format!("https://shop.example/done?session={id}");
    assert_eq!(paid.header("location"), Some(expected.as_str()));

    let posted = hook.wait(4).await;
    for post in &posted {
        assert_signed_by_stripe(post, "whsec_1");
    }
    let mut kinds: Vec<String> = posted.iter().map(crate::receiver::Posted::kind).collect();
    kinds.sort();
    assert_eq!(
        kinds,
        [
            "charge.succeeded",
            "checkout.session.completed",
            "payment_intent.created",
            "payment_intent.succeeded"
        ]
    );
    let completed = posted
        .iter()
        .find(|post| post.kind() == "checkout.session.completed");
    let completed = completed.unwrap().json();
    assert_eq!(completed["data"]["object"]["payment_status"], "paid");
    assert_eq!(completed["data"]["object"]["client_reference_id"], "rec_1");

    let read = stage
        .stripe_get(&format!("checkout/sessions/{id}"))
        .await
        .json();
    assert_eq!(read["status"], "complete");
    let ledger = stage.ledger("transaction_ref=order-7").await;
    assert_eq!(ledger.len(), 1);
    assert_eq!(ledger[0]["payment_intent"], read["payment_intent"]);
    assert_eq!(ledger[0]["initiator"], "payer");
}

#[tokio::test]
async fn a_declined_card_shows_why_and_the_next_one_pays_the_same_payment() {
    let stage = stage().await;
    let session = session(&stage).await;
    let declined = pay(&stage, &session, "4000000000009995").await;
    assert_eq!(declined.status, 402);
    assert!(
        declined.text.contains("insufficient funds"),
        "{}",
        declined.text
    );
    assert_eq!(pay(&stage, &session, "1234").await.status, 402);
    assert_eq!(pay(&stage, &session, "4242424242424242").await.status, 303);
    let ledger = stage.ledger("transaction_ref=order-7").await;
    assert_eq!(ledger.len(), 2, "a number that is no card is not charged");
    assert_eq!(ledger[0]["payment_intent"], ledger[1]["payment_intent"]);
}

#[tokio::test]
async fn a_page_is_paid_once() {
    let stage = stage().await;
    let session = session(&stage).await;
    assert_eq!(pay(&stage, &session, "4242424242424242").await.status, 303);
    let again = pay(&stage, &session, "4242424242424242").await;
    assert_eq!(again.status, 200);
    assert!(again.text.contains("This payment is done"));
    assert_eq!(stage.ledger("succeeded=true").await.len(), 1);
    let id = session["id"].as_str().unwrap();
    let expire = stage
        .stripe(&format!("checkout/sessions/{id}/expire"), None, &[])
        .await;
    assert_eq!(expire.status, 400, "a complete session cannot be expired");
}

#[tokio::test]
async fn an_expired_page_takes_no_money() {
    let stage = stage().await;
    let session = session(&stage).await;
    let expire = format!(
        "checkout/sessions/{}/expire",
        session["id"].as_str().unwrap()
    );
    assert_eq!(
        stage.stripe(&expire, None, &[]).await.json()["status"],
        "expired"
    );
    assert_eq!(stage.stripe(&expire, None, &[]).await.status, 400);
    assert_eq!(pay(&stage, &session, "4242424242424242").await.status, 410);
    assert_eq!(stage.ledger("").await.len(), 0);
}

#[tokio::test]
async fn a_card_that_asks_for_authentication_is_charged_after_it() {
    let stage = stage().await;
    let session = session(&stage).await;
    let asked = pay(&stage, &session, "4000 0025 0000 3155").await;
    assert!(
        asked.text.contains("Your bank asks you to confirm"),
        "{}",
        asked.text
    );
    assert_eq!(stage.ledger("").await.len(), 0);
    let url = format!("{}/authenticate", session["url"].as_str().unwrap());
    let post = |result| stage.client.post(&url).form(&[("result", result)]).send();
    assert_eq!(post("fail").await.unwrap().status(), 402);
    assert!(
        pay(&stage, &session, "4000002500003155")
            .await
            .text
            .contains("confirm")
    );
    assert_eq!(post("complete").await.unwrap().status(), 303);
    assert_eq!(stage.ledger("succeeded=true").await.len(), 1);
}

#[tokio::test]
async fn sessions_that_stripe_would_refuse_are_refused() {
    let stage = stage().await;
    let form = |expires_at: &'static str, amount: &'static str| {
        [
            ("mode", "payment"),
            ("line_items[0][price_data][currency]", "usd"),
            ("line_items[0][price_data][unit_amount]", amount),
            ("line_items[0][price_data][product_data][name]", "Plan"),
            ("success_url", "https://shop.example/done"),
            ("expires_at", expires_at),
        ]
    };
    for form in [
        form("1", "100"),
        form("99999999999", "100"),
        form("", "0"),
        form("", "-1"),
    ] {
        assert_eq!(
            stage.stripe("checkout/sessions", None, &form).await.status,
            400
        );
    }
    assert_eq!(
        stage
            .stripe("checkout/sessions", None, &form("", "100"))
            .await
            .status,
        200
    );
}
