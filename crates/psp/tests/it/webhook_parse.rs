//! What webhooks say. The bodies are of the PSPs' own shapes, with made-up values.

use domain::Provider::{self, Razorpay, Stripe};
use proptest::prelude::*;
use psp::webhook::{Fact, FailedPayment, Incoming, ParseError, account_hint, parse};
use serde_json::Value;

macro_rules! bodies {
    ($($name:ident, $provider:ident;)*) => {
        /// Every body, with whose it is.
        const BODIES: &[(&str, Provider, &str)] = &[$(
            (stringify!($name), $provider, include_str!(concat!("bodies/", stringify!($name), ".json"))),
        )*];
    };
}

bodies! {
    stripe_intent_failed, Stripe;
    stripe_intent_failed_guest, Stripe;
    stripe_intent_failed_ours, Stripe;
    stripe_charge_failed, Stripe;
    stripe_invoice_failed, Stripe;
    stripe_invoice_failed_before_basil, Stripe;
    stripe_intent_succeeded, Stripe;
    stripe_session_completed, Stripe;
    stripe_session_unpaid, Stripe;
    stripe_session_expired, Stripe;
    stripe_charge_refunded, Stripe;
    stripe_dispute_created, Stripe;
    stripe_customer_created, Stripe;
    stripe_invoice_paid, Stripe;
    stripe_invoice_paid_outside, Stripe;
    stripe_invoice_payment_paid, Stripe;
    stripe_invoice_voided, Stripe;
    stripe_invoice_uncollectible, Stripe;
    stripe_invoice_action_required, Stripe;
    stripe_intent_canceled, Stripe;
    stripe_intent_capturable, Stripe;
    stripe_session_async_failed, Stripe;
    stripe_charge_released, Stripe;
    razorpay_upi_failed, Razorpay;
    razorpay_card_failed, Razorpay;
    razorpay_payment_captured, Razorpay;
    razorpay_order_paid, Razorpay;
    razorpay_link_paid, Razorpay;
    razorpay_link_expired, Razorpay;
    razorpay_refund_processed, Razorpay;
    razorpay_dispute_created, Razorpay;
    razorpay_settlement, Razorpay;
    razorpay_payment_authorized, Razorpay;
    razorpay_refund_of_uncaptured, Razorpay;
    razorpay_link_partially_paid, Razorpay;
    razorpay_link_cancelled, Razorpay;
}

fn body(name: &str) -> (Provider, Value) {
    let found = BODIES.iter().find(|(known, ..)| *known == name);
    let (_, provider, text) = found.unwrap();
    (*provider, serde_json::from_str(text).unwrap())
}

/// Reads a body after `change`.
fn changed(name: &str, change: impl FnOnce(&mut Value)) -> Result<Incoming, ParseError> {
    let (provider, mut value) = body(name);
    change(&mut value);
    parse(provider, Some("event_1"), value.to_string().as_bytes())
}

fn failure(name: &str) -> FailedPayment {
    match changed(name, |_| {}).unwrap().fact {
        Fact::PaymentFailed(failed) => *failed,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_body_reads_as_it_always_did() {
    for (name, provider, text) in BODIES {
        let header = (*provider == Razorpay).then_some("event_1");
        let incoming = parse(*provider, header, text.as_bytes()).unwrap();
        insta::assert_json_snapshot!(*name, incoming);
    }
}

#[test]
fn all_events_of_one_failure_name_the_same_charge_of_the_same_payment() {
    let told = [
        "stripe_intent_failed",
        "stripe_charge_failed",
        "stripe_invoice_failed_before_basil",
    ];
    for name in told {
        let failed = failure(name);
        assert_eq!(failed.payment.id, "pi_3QxFail", "{name}");
        assert_eq!(failed.charge.as_deref(), Some("ch_3QxFail"), "{name}");
        assert_eq!(failed.transaction_ref.as_deref(), Some("order-1042"));
    }
}

#[test]
fn an_amount_that_cannot_be_owed_is_told_by_its_field() {
    let amounts = [
        "0",
        "-1",
        "1000000000000",
        "9223372036854775808",
        "12.5",
        "\"12\"",
        "[]",
    ];
    for (name, way) in [
        ("stripe_intent_failed", "data.object.amount"),
        ("stripe_charge_failed", "data.object.amount"),
        ("stripe_invoice_failed", "data.object.amount_remaining"),
        ("stripe_intent_succeeded", "data.object.amount_received"),
        ("stripe_session_completed", "data.object.amount_total"),
        ("stripe_charge_refunded", "data.object.amount_refunded"),
        ("razorpay_upi_failed", "payload.payment.entity.amount"),
        ("razorpay_order_paid", "payload.payment.entity.amount"),
    ] {
        for amount in amounts {
            let read = changed(name, |value| {
                let pointer = format!("/{}", way.replace('.', "/"));
                *value.pointer_mut(&pointer).unwrap() = serde_json::from_str(amount).unwrap();
            });
            assert_eq!(read.unwrap_err().field, way, "{name} {amount}");
        }
    }
}

#[test]
fn an_unknown_currency_is_told_by_its_field() {
    for currency in ["zzz", "xau", "", "euro"] {
        let stripe = changed("stripe_intent_failed", |value| {
            value["data"]["object"]["currency"] = currency.into();
        });
        assert_eq!(stripe.unwrap_err().field, "data.object.currency");
        let razorpay = changed("razorpay_upi_failed", |value| {
            value["payload"]["payment"]["entity"]["currency"] = currency.into();
        });
        assert_eq!(
            razorpay.unwrap_err().field,
            "payload.payment.entity.currency"
        );
    }
}

#[test]
fn what_is_missing_is_told_by_its_field() {
    let without = |name: &str, pointer: &str| {
        changed(name, |value| {
            *value.pointer_mut(pointer).unwrap() = Value::Null;
        })
        .unwrap_err()
        .field
    };
    assert_eq!(without("stripe_intent_failed", "/id"), "id");
    assert_eq!(without("stripe_intent_failed", "/type"), "type");
    assert_eq!(without("stripe_intent_failed", "/created"), "created");
    let object = without("stripe_intent_failed", "/data/object");
    assert_eq!(object, "data.object");
    let entity = without("razorpay_upi_failed", "/payload/payment/entity");
    assert_eq!(entity, "payload.payment.entity");
    assert_eq!(parse(Stripe, None, b"{").unwrap_err().field, "body");
    let razorpays = body("razorpay_upi_failed").1.to_string();
    let nameless = parse(Razorpay, None, razorpays.as_bytes());
    assert_eq!(nameless.unwrap_err().field, "x-razorpay-event-id");
}

#[test]
fn means_that_belong_to_no_customer_are_not_saved_means() {
    assert!(failure("stripe_intent_failed").saved_means.is_some());
    assert_eq!(failure("stripe_intent_failed_guest").saved_means, None);
    let detached = changed("stripe_intent_failed", |value| {
        let pointer = "/data/object/last_payment_error/payment_method/customer";
        *value.pointer_mut(pointer).unwrap() = Value::Null;
    });
    let Fact::PaymentFailed(failed) = detached.unwrap().fact else {
        panic!("not a failure");
    };
    assert_eq!(failed.saved_means, None);
}

#[test]
fn a_hint_that_is_no_id_is_no_hint() {
    let read = changed("stripe_intent_failed_ours", |value| {
        value["data"]["object"]["metadata"]["tinko_recovery_id"] = "mine".into();
    });
    let Fact::PaymentFailed(failed) = read.unwrap().fact else {
        panic!("not a failure");
    };
    assert_eq!(failed.recovery_hint, None);
    assert!(failed.attempt_hint.is_some());
}

#[test]
fn an_invoice_over_nothing_is_no_payment() {
    let nothing = changed("stripe_invoice_paid", |value| {
        let invoice = &mut value["data"]["object"];
        (invoice["amount_paid"], invoice["amount_due"]) = (0.into(), 0.into());
    });
    assert_eq!(nothing.unwrap().fact, Fact::Ignored);
    let part = changed("stripe_invoice_payment_paid", |value| {
        value["data"]["object"]["is_default"] = false.into();
    });
    assert_eq!(part.unwrap().fact, Fact::Ignored);
}

#[test]
fn what_was_never_captured_is_released_and_not_refunded() {
    for (captured, released) in [
        ("stripe_charge_refunded", "stripe_charge_released"),
        ("razorpay_refund_processed", "razorpay_refund_of_uncaptured"),
    ] {
        let fact = |name: &str| changed(name, |_| {}).unwrap().fact;
        assert!(matches!(fact(captured), Fact::Refunded(_)), "{captured}");
        assert!(
            matches!(fact(released), Fact::PaymentReleased(_)),
            "{released}"
        );
    }
}

#[test]
fn stripes_own_retries_are_told_with_the_invoice() {
    let retries = failure("stripe_invoice_failed").psp_retries.unwrap();
    assert!(retries.made >= 1, "{retries:?}");
    assert!(failure("stripe_intent_failed").psp_retries.is_none());
}

#[test]
fn everything_that_razorpay_says_of_a_failure_is_kept() {
    let said = failure("razorpay_upi_failed").signals;
    for kept in [
        said.code,
        said.broad_code,
        said.message,
        said.source,
        said.step,
    ] {
        assert!(kept.is_some());
    }
}

#[test]
fn a_payer_is_not_printed() {
    let printed = format!("{:?}", failure("stripe_intent_failed").payer);
    assert!(!printed.contains("payer@example.com") && !printed.contains("Example"));
}

#[test]
fn the_account_is_read_before_anything_is_verified() {
    let hint = |name: &str| {
        let (provider, value) = body(name);
        account_hint(provider, value.to_string().as_bytes())
    };
    let own = hint("stripe_intent_failed");
    assert_eq!(own.as_deref(), Some("acct_1Merchant"));
    assert_eq!(hint("stripe_charge_failed"), None);
    let merchant = hint("razorpay_upi_failed");
    assert_eq!(merchant.as_deref(), Some("acc_Merchant1"));
    assert_eq!(account_hint(Stripe, b"\xff"), None);
    assert_eq!(account_hint(Razorpay, br#"{"account_id":7}"#), None);
}

/// Any JSON, to put in any place of a real body.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map("id|amount|currency|[a-z]{1,5}", inner, 0..3)
                .prop_map(Value::from_iter),
        ]
    })
}

/// The way to every value of a body.
fn places(value: &Value, way: &str, found: &mut Vec<String>) {
    found.push(way.to_owned());
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(key, inner)| places(inner, &format!("{way}/{key}"), found)),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(at, inner)| places(inner, &format!("{way}/{at}"), found)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        header in prop::option::of(".{0,20}"),
    ) {
        for provider in Provider::ALL {
            prop_assert!(parse(*provider, header.as_deref(), &bytes).is_err());
            account_hint(*provider, &bytes);
        }
    }

    #[test]
    fn a_body_with_anything_in_any_place_is_read_without_a_panic(
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        put in any_json(),
    ) {
        let (_, provider, text) = which.get(BODIES);
        let mut value: Value = serde_json::from_str(text).unwrap();
        let mut found = Vec::new();
        places(&value, "", &mut found);
        *value.pointer_mut(place.get::<String>(&found)).unwrap() = put;
        let bytes = value.to_string();
        account_hint(*provider, bytes.as_bytes());
        if let Ok(incoming) = parse(*provider, Some("event_1"), bytes.as_bytes())
            && let Fact::PaymentFailed(failed) = incoming.fact
        {
            prop_assert!(failed.amount.minor() > 0);
            prop_assert!(!failed.payment.id.is_empty());
        }
    }
}
