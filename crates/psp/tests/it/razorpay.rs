//! Razorpay's payment links, and where its payments stand.

use chrono::TimeDelta;
use psp::{CheckoutStatus, Closing, PaymentRef, PaymentStatus, PspError};
use serde_json::{Value, json};

use crate::server::{Reply, Server};
use crate::setup::{charge_of, checkout_until, euros, noon, razorpay};

fn link(status: &str) -> Value {
    json!({
        "id": "plink_1", "status": status, "short_url": "https://rzp.example.com/i/1",
        "reference_id": checkout_until(TimeDelta::hours(2)).checkout.to_string(),
        "expire_by": noon().timestamp() + 7_200,
        "payments": if status == "paid" {
            json!([{"payment_id": "pay_0", "status": "failed"},
                   {"payment_id": "pay_1", "status": "captured"}])
        } else {
            Value::Null
        }
    })
}

fn bad_request(description: &str) -> Reply {
    Reply::json(
        400,
        &json!({"error": {"code": "BAD_REQUEST_ERROR", "description": description}}),
    )
}

#[tokio::test]
async fn a_payment_link_is_made_that_leads_back_and_writes_to_nobody() {
    let server = Server::playing([Reply::json(200, &link("created"))]).await;
    let request = checkout_until(TimeDelta::hours(2));
    let hosted = razorpay(&server).open_checkout(&request).await.unwrap();
    assert_eq!(hosted.reference, "plink_1");
    assert_eq!(hosted.expires_at, noon() + TimeDelta::hours(2));

    let seen = &server.seen()[0];
    assert_eq!(seen.line(), "POST /razorpay/v1/payment_links");
    assert_eq!(
        seen.header("authorization"),
        "Basic cnpwX3Rlc3RfMTpodXNo",
        "rzp_test_1:hush"
    );
    let reference = request.checkout.to_string();
    assert!(reference.len() <= 40, "Razorpay takes 40 characters");
    let expected = json!({
        "amount": 4200, "currency": "EUR", "accept_partial": false,
        "reference_id": reference, "description": "Annual plan",
        "customer": {"email": "payer@example.com", "contact": "+4915200000000"},
        "notify": {"sms": false, "email": false}, "reminder_enable": false,
        "notes": {
            "tinko_recovery_id": request.recovery.to_string(),
            "transaction_ref": "invoice-2026-17"
        },
        "callback_url": "https://pay.example.com/done?a=1&b=2", "callback_method": "get",
        "expire_by": noon().timestamp() + 7_200,
        "options": {"checkout": {"prefill": {"method": "upi"}}}
    });
    assert_eq!(seen.json(), expected);
}

#[tokio::test]
async fn a_link_that_exists_already_is_found_by_its_reference() {
    let mut other = link("created");
    other["reference_id"] = "chk_other".into();
    other["id"] = "plink_0".into();
    let script = [
        bad_request("payment link already exists with reference_id: chk"),
        Reply::json(200, &json!({"payment_links": [other, link("created")]})),
    ];
    let server = Server::playing(script).await;
    let request = checkout_until(TimeDelta::hours(2));
    let hosted = razorpay(&server).open_checkout(&request).await.unwrap();
    assert_eq!(hosted.reference, "plink_1");
    let by_reference = format!(
        "GET /razorpay/v1/payment_links?reference_id={}",
        request.checkout
    );
    assert_eq!(server.lines()[1], by_reference);
}

#[tokio::test]
async fn a_link_that_is_refused_for_another_reason_stays_refused() {
    let script = [
        bad_request("amount exceeds the maximum allowed"),
        Reply::json(200, &json!({"payment_links": []})),
    ];
    let server = Server::playing(script).await;
    let request = checkout_until(TimeDelta::hours(2));
    let error = razorpay(&server).open_checkout(&request).await.unwrap_err();
    assert!(error.to_string().contains("exceeds the maximum"), "{error}");
    assert!(!error.may_retry());
}

#[tokio::test]
async fn closing_a_link_tells_who_was_quicker() {
    let cases = [
        (vec![Reply::json(200, &link("cancelled"))], Closing::Closed),
        (
            vec![bad_request("paid"), Reply::json(200, &link("paid"))],
            Closing::AlreadyPaid,
        ),
        (
            vec![bad_request("expired"), Reply::json(200, &link("expired"))],
            Closing::AlreadyGone,
        ),
    ];
    for (script, expected) in cases {
        let server = Server::playing(script).await;
        let closing = razorpay(&server).close_checkout("plink_1").await.unwrap();
        assert_eq!(closing, expected);
        assert_eq!(
            server.lines()[0],
            "POST /razorpay/v1/payment_links/plink_1/cancel"
        );
    }
}

#[tokio::test]
async fn a_paid_link_names_the_payment_that_was_captured() {
    let server = Server::playing([Reply::json(200, &link("paid"))]).await;
    let paid = CheckoutStatus::Paid {
        payment: PaymentRef::razorpay("pay_1"),
    };
    let status = razorpay(&server).checkout_status("plink_1").await.unwrap();
    assert_eq!(status, paid);
}

fn payment(id: &str, status: &str) -> Value {
    json!({
        "id": id, "status": status, "amount": 4200, "currency": "EUR", "order_id": "order_1",
        "error_code": "BAD_REQUEST_ERROR", "error_reason": "payment_timed_out",
        "error_description": "Payment was not completed on time."
    })
}

async fn status_of(id: &str, script: &[Value]) -> PaymentStatus {
    let server = Server::playing(script.iter().map(|body| Reply::json(200, body))).await;
    let psp = razorpay(&server);
    psp.payment_status(&PaymentRef::razorpay(id)).await.unwrap()
}

#[tokio::test]
async fn a_failed_payment_whose_order_was_paid_otherwise_counts_as_paid() {
    let order = json!({"status": "paid", "amount_paid": 4200, "currency": "EUR"});
    let tries = json!({"items": [payment("pay_2", "captured"), payment("pay_1", "failed")]});
    let status = status_of("pay_1", &[payment("pay_1", "failed"), order, tries]).await;
    let paid = PaymentStatus::Succeeded {
        charge: Some("pay_2".into()),
        amount: euros(4_200),
    };
    assert_eq!(status, paid);
}

#[tokio::test]
async fn an_unpaid_order_tells_its_newest_failure() {
    let order = json!({"status": "attempted", "amount_paid": 0, "currency": "EUR"});
    let tries = json!({"items": [payment("pay_2", "failed"), payment("pay_1", "failed")]});
    let status = status_of("order_1", &[order.clone(), tries]).await;
    let PaymentStatus::Failed {
        latest_charge,
        decline,
        ..
    } = status
    else {
        panic!("{status:?}");
    };
    assert_eq!(latest_charge.as_deref(), Some("pay_2"));
    let signals = decline.unwrap().signals();
    assert_eq!(signals.code.as_deref(), Some("payment_timed_out"));

    let tries = json!({"items": [payment("pay_3", "authorized"), payment("pay_2", "failed")]});
    let status = status_of("order_1", &[order, tries]).await;
    assert_eq!(status, PaymentStatus::Pending);
}

#[tokio::test]
async fn what_was_authorized_and_went_back_by_itself_was_never_paid() {
    let mut late = payment("pay_1", "refunded");
    late["captured"] = false.into();
    let order = json!({"status": "attempted", "amount_paid": 0, "currency": "EUR"});
    let tries = json!({"items": [late.clone(), payment("pay_0", "failed")]});
    let status = status_of("order_1", &[order, tries]).await;
    assert!(matches!(status, PaymentStatus::Failed { .. }), "{status:?}");
    late["captured"] = true.into();
    late["order_id"] = serde_json::Value::Null;
    let status = status_of("pay_1", &[late]).await;
    assert!(
        matches!(status, PaymentStatus::Succeeded { .. }),
        "{status:?}"
    );
}

#[tokio::test]
async fn charges_are_not_offered_and_nothing_is_sent() {
    let server = Server::playing([]).await;
    let psp = razorpay(&server);
    assert!(!psp.can_charge());
    let Err(PspError::Refused { status, code, .. }) = psp.charge(&charge_of(None)).await else {
        panic!("it was charged");
    };
    assert_eq!((status, code.as_deref()), (None, Some("not_offered")));
    assert!(server.seen().is_empty());
}
