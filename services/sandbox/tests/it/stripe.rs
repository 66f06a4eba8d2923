//! Stripe's API.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Answer, KEY, stage};

#[tokio::test]
async fn a_scripted_card_declines_and_then_pays() {
    let stage = stage().await;
    let failed = stage.failed_payment(&["insufficient_funds", "ok"]).await;
    let declined = stage.retry(&failed, "try-1").await;
    assert_eq!(declined.status, 402);
    let paid = stage.retry(&failed, "try-2").await;
    assert_eq!(paid.status, 200);
    assert_eq!(paid.json()["status"], "succeeded");
    assert_eq!(paid.json()["amount_received"], 1234);

    let ledger = stage.ledger("transaction_ref=order-7").await;
    let told: Vec<_> = ledger
        .iter()
        .map(|it| {
            (
                it["outcome"].as_str().unwrap(),
                it["initiator"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("insufficient_funds", "merchant"),
            ("insufficient_funds", "api"),
            ("ok", "api")
        ]
    );
    assert_eq!(ledger[2]["idempotency_key"], "try-2");
    assert_eq!(ledger[0]["charge"], failed.charge.as_str());
    assert_eq!(
        stage
            .ledger(&format!("payment_intent={}", failed.intent))
            .await
            .len(),
        3
    );
    assert_eq!(stage.ledger("transaction_ref=order-8").await.len(), 0);
}

#[tokio::test]
async fn a_decline_tells_everything_that_stripe_tells() {
    let stage = stage().await;
    let failed = stage.failed_payment(&["lost_card"]).await;
    let declined = stage.retry(&failed, "try-1").await;
    let error = &declined.json()["error"];
    assert_eq!(error["type"], "card_error");
    assert_eq!(error["code"], "card_declined");
    assert_eq!(error["decline_code"], "lost_card");
    assert_eq!(error["advice_code"], "do_not_try_again");
    assert_eq!(error["network_decline_code"], "41");
    assert_eq!(error["payment_intent"]["status"], "requires_payment_method");
    assert_eq!(
        error["payment_intent"]["last_payment_error"]["charge"],
        error["charge"]
    );
    assert_eq!(error["payment_method"]["id"], failed.method.as_str());
    assert!(declined.header("request-id").is_some());

    let charge = error["charge"].as_str().unwrap();
    let charge = stage.stripe_get(&format!("charges/{charge}")).await.json();
    assert_eq!(charge["status"], "failed");
    assert_eq!(charge["outcome"]["reason"], "lost_card");
    let charges = stage
        .stripe_get(&format!("charges?payment_intent={}", failed.intent))
        .await;
    assert_eq!(charges.json()["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_expired_card_has_an_error_code_of_its_own_and_no_decline_code() {
    let stage = stage().await;
    let form = [
        ("amount", "500"),
        ("currency", "eur"),
        ("payment_method", "pm_card_chargeDeclinedExpiredCard"),
        ("confirm", "true"),
    ];
    let declined = stage.stripe("payment_intents", None, &form).await;
    assert_eq!(declined.status, 402);
    assert_eq!(declined.json()["error"]["code"], "expired_card");
    assert_eq!(declined.json()["error"].get("decline_code"), None);
}

#[tokio::test]
async fn the_same_key_replays_the_first_answer_whether_it_paid_or_declined() {
    let stage = stage().await;
    let failed = stage.failed_payment(&["insufficient_funds", "ok"]).await;
    let first = stage.retry(&failed, "try-1").await;
    let again = stage.retry(&failed, "try-1").await;
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("original-request"), first.header("request-id"));
    assert_eq!(stage.ledger("transaction_ref=order-7").await.len(), 2);

    let paid = stage.retry(&failed, "try-2").await;
    let paid_again = stage.retry(&failed, "try-2").await;
    assert_eq!(paid.json(), paid_again.json());
    assert_eq!(stage.ledger("succeeded=true").await.len(), 1);
}

#[tokio::test]
async fn another_call_under_a_used_key_is_refused() {
    let stage = stage().await;
    let form = [("amount", "500"), ("currency", "usd")];
    let made = stage.stripe("payment_intents", Some("k"), &form).await;
    assert_eq!(made.status, 200);
    let other = [("amount", "501"), ("currency", "usd")];
    let refused = stage.stripe("payment_intents", Some("k"), &other).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["error"]["type"], "idempotency_error");
    let too_long = "k".repeat(256);
    assert_eq!(
        stage
            .stripe("payment_intents", Some(&too_long), &form)
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn validation_errors_leave_the_key_free() {
    let stage = stage().await;
    let bad = [("amount", "-5"), ("currency", "usd")];
    assert_eq!(
        stage
            .stripe("payment_intents", Some("k"), &bad)
            .await
            .status,
        400
    );
    let good = [("amount", "500"), ("currency", "usd")];
    assert_eq!(
        stage
            .stripe("payment_intents", Some("k"), &good)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_key_whose_call_is_in_flight_answers_409() {
    let stage = stage().await;
    let failed = stage.failed_payment(&["ok"]).await;
    let slow = json!({
        "target": "stripe", "path_contains": "/confirm", "mode": "slow", "ms": 2000, "times": 1,
    });
    stage.put("faults", &slow).await;
    let path = format!("payment_intents/{}/confirm", failed.intent);
    let form = [
        ("payment_method", failed.method.as_str()),
        ("off_session", "true"),
    ];
    let first = tokio::spawn(stage.stripe_request(&path, Some("k"), &form).send());
    // The first call is in once its fault has fired.
    loop {
        let faults = stage.get("/_control/faults").await.json();
        if faults[0]["fired"] == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let second = stage.retry(&failed, "k").await;
    assert_eq!(second.status, 409);
    assert_eq!(second.header("stripe-should-retry"), Some("true"));
    let first = Answer::of(first.await.unwrap().unwrap()).await;
    assert_eq!(first.status, 200);
    let replayed = stage.retry(&failed, "k").await;
    assert_eq!(replayed.header("idempotent-replayed"), Some("true"));
    assert_eq!(stage.ledger("succeeded=true").await.len(), 1);
}

#[tokio::test]
async fn a_payment_that_succeeded_is_not_charged_again() {
    let stage = stage().await;
    let failed = stage.failed_payment(&["ok"]).await;
    assert_eq!(stage.retry(&failed, "try-1").await.status, 200);
    let again = stage.retry(&failed, "try-2").await;
    assert_eq!(again.status, 400);
    let error = &again.json()["error"];
    assert_eq!(error["code"], "payment_intent_unexpected_state");
    assert_eq!(error["payment_intent"]["status"], "succeeded");
    let cancel = format!("payment_intents/{}/cancel", failed.intent);
    assert_eq!(stage.stripe(&cancel, None, &[]).await.status, 400);
    assert_eq!(stage.ledger("succeeded=true").await.len(), 1);
}

#[tokio::test]
async fn many_charges_at_once_take_the_money_once() {
    let stage = stage().await;
    let failed = stage.failed_payment(&["ok"]).await;
    let path = format!("payment_intents/{}/confirm", failed.intent);
    let form = [
        ("payment_method", failed.method.as_str()),
        ("off_session", "true"),
    ];
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..40 {
        let key = format!("key-{}", number % 20);
        calls.spawn(stage.stripe_request(&path, Some(&key), &form).send());
    }
    let mut paid = 0;
    while let Some(response) = calls.join_next().await {
        let status = response.unwrap().unwrap().status();
        assert!([200, 400, 409].contains(&status.as_u16()), "{status}");
        paid += usize::from(status == 200);
    }
    assert!(paid >= 1);
    assert_eq!(stage.ledger("succeeded=true").await.len(), 1);
}

#[tokio::test]
async fn a_card_that_wants_authentication_declines_off_session_and_asks_on_session() {
    let stage = stage().await;
    let form = |off_session| {
        [
            ("amount", "500"),
            ("currency", "usd"),
            ("payment_method", "pm_card_authenticationRequired"),
            ("confirm", "true"),
            ("off_session", off_session),
        ]
    };
    let off = stage.stripe("payment_intents", None, &form("true")).await;
    assert_eq!(off.status, 402);
    assert_eq!(off.json()["error"]["code"], "authentication_required");
    assert_eq!(
        off.json()["error"]["decline_code"],
        "authentication_required"
    );
    let on = stage.stripe("payment_intents", None, &form("false")).await;
    assert_eq!(on.json()["status"], "requires_action");
}

#[tokio::test]
async fn a_processing_payment_is_settled_by_control() {
    let stage = stage().await;
    let failed = stage.failed_payment(&["processing"]).await;
    assert_eq!(
        stage.retry(&failed, "k").await.json()["status"],
        "processing"
    );
    let settle = json!({ "key": KEY, "payment_intent": failed.intent, "outcome": "ok" });
    let settled = stage.control("stripe/settle", &settle).await;
    assert_eq!(settled["status"], "succeeded");
    let ledger = stage.ledger("transaction_ref=order-7").await;
    assert_eq!(ledger.len(), 2, "the pending charge is settled in place");
    assert_eq!(ledger[1]["outcome"], "ok");
}

#[tokio::test]
async fn wrong_keys_unknown_objects_and_parameters_are_refused_by_name() {
    let stage = stage().await;
    let url = stage.url("/stripe/v1/payment_intents/pi_1");
    let request = stage.client.get(&url).bearer_auth("sk_test_other");
    assert_eq!(request.send().await.unwrap().status(), 401);
    assert_eq!(stage.client.get(&url).send().await.unwrap().status(), 401);
    let missing = stage.stripe_get("payment_intents/pi_1").await;
    assert_eq!(missing.status, 404);
    assert_eq!(missing.json()["error"]["code"], "resource_missing");
    assert_eq!(stage.stripe_get("unheard/of").await.status, 404);
    let typo = [
        ("amount", "500"),
        ("currency", "usd"),
        ("off_sesion", "true"),
    ];
    let refused = stage.stripe("payment_intents", None, &typo).await;
    assert_eq!(refused.json()["error"]["code"], "parameter_unknown");
    assert_eq!(refused.json()["error"]["param"], "off_sesion");
}

#[tokio::test]
async fn one_account_does_not_see_another() {
    let stage = stage().await;
    let failed = stage.failed_payment(&["ok"]).await;
    stage
        .control("stripe/accounts", &json!({ "key": "sk_test_two" }))
        .await;
    let url = stage.url(&format!("/stripe/v1/payment_intents/{}", failed.intent));
    let other = stage
        .client
        .get(url)
        .bearer_auth("sk_test_two")
        .send()
        .await
        .unwrap();
    assert_eq!(other.status(), 404);
}

#[tokio::test]
async fn expansion_puts_the_object_in_place_of_its_id() {
    let stage = stage().await;
    let failed = stage.failed_payment(&["ok"]).await;
    let path = format!("payment_intents/{}?expand[]=latest_charge", failed.intent);
    let expanded = stage.stripe_get(&path).await.json();
    assert_eq!(expanded["latest_charge"]["id"], failed.charge.as_str());
    assert_eq!(
        expanded["latest_charge"]["billing_details"]["email"],
        "payer@example.com"
    );
}

#[tokio::test]
async fn a_card_of_another_customer_is_refused() {
    let stage = stage().await;
    let failed = stage.failed_payment(&["ok"]).await;
    let form = [
        ("amount", "500"),
        ("currency", "usd"),
        ("payment_method", failed.method.as_str()),
        ("confirm", "true"),
    ];
    let refused = stage.stripe("payment_intents", None, &form).await;
    assert_eq!(refused.status, 400);
    assert_eq!(stage.ledger("succeeded=true").await.len(), 0);
}

#[tokio::test]
async fn a_card_number_has_one_fingerprint_and_a_card_of_its_own_another() {
    let stage = stage().await;
    let card = async |id: &str| {
        let path = format!("payment_methods/{id}");
        stage.stripe_get(&path).await.json()["card"].clone()
    };
    let (first, second) = (card("pm_card_visa").await, card("pm_card_visa").await);
    assert_eq!(first["fingerprint"], second["fingerprint"]);
    assert_eq!(first["country"], "US");
    let other = card("pm_card_in").await;
    assert_ne!(first["fingerprint"], other["fingerprint"]);
    assert_eq!(other["country"], "IN");
    let failed = stage.failed_payment(&["ok"]).await;
    let own = card(&failed.method).await;
    assert_ne!(first["fingerprint"], own["fingerprint"]);
}
