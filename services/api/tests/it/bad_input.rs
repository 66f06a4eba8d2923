//! Bad input: each is answered with a problem that names the fault, and changes nothing.

use reqwest::Method;
use serde_json::{Value, json};

use crate::psps::{razorpay_failed, razorpay_signature, stripe_failed, stripe_signature};
use crate::stage::{Answer, BODY_LIMIT, Stage};

#[tokio::test]
async fn a_webhook_that_is_not_genuine_is_refused_with_its_fault() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let before = stage.counts().await;
    let body = stripe_failed("evt_1", "pi_1", "ch_1", "insufficient_funds").to_string();
    let body = body.into_bytes();
    let path = format!("/v1/webhooks/stripe/{}", shop.stripe);
    let good = stripe_signature("whsec_shop", &body, stage.now());
    let old = stripe_signature("whsec_shop", &body, stage.long_ago());
    let wrong = stripe_signature("whsec_other", &body, stage.now());
    let other_body = stripe_signature("whsec_shop", b"{}", stage.now());
    for (signature, fault) in [
        (None, "missing"),
        (Some(""), "missing"),
        (Some("nonsense"), "malformed"),
        (Some("t=now,v1=00"), "malformed"),
        (Some("t=1,v1=zz"), "malformed"),
        (Some(old.as_str()), "stale"),
        (Some(wrong.as_str()), "wrong"),
        (Some(other_body.as_str()), "wrong"),
    ] {
        let headers: Vec<_> = signature
            .map(|it| ("stripe-signature", it))
            .into_iter()
            .collect();
        let answer = stage.deliver(&path, &headers, body.clone()).await;
        assert_eq!(
            (answer.status, answer.slug().as_str()),
            (400, "webhook-signature")
        );
        assert_eq!(answer.faults(), [format!("signature: {fault}")]);
    }
    let razorpay = razorpay_failed("pay_1", "order_1").to_string().into_bytes();
    for (signature, fault) in [
        ("", "missing"),
        ("not hex", "malformed"),
        (&razorpay_signature("rzpsec_other", &razorpay), "wrong"),
    ] {
        let headers = [
            ("x-razorpay-signature", signature),
            ("x-razorpay-event-id", "ev_1"),
        ];
        let path = format!("/v1/webhooks/razorpay/{}", shop.razorpay);
        for path in [path.as_str(), "/v1/webhooks/razorpay"] {
            let answer = stage.deliver(path, &headers, razorpay.clone()).await;
            assert_eq!(answer.status, 400, "{}", answer.text);
            assert_eq!(answer.faults(), [format!("signature: {fault}")]);
        }
    }
    assert_eq!(stage.counts().await, before);
    // The same body, genuine, is taken: the fault was the signature alone.
    let answer = stage
        .deliver(&path, &[("stripe-signature", &good)], body)
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_webhook_for_nobody_is_not_found() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let before = stage.counts().await;
    let body = stripe_failed("evt_1", "pi_1", "ch_1", "insufficient_funds").to_string();
    let body = body.into_bytes();
    let signed = stripe_signature("whsec_shop", &body, stage.now());
    let unknown = "con_01920000000070008000000000000000";
    let headers = [("stripe-signature", signed.as_str())];
    for path in [
        format!("/v1/webhooks/stripe/{unknown}"),
        // Of the other provider.
        format!("/v1/webhooks/stripe/{}", shop.razorpay),
        "/v1/webhooks/stripe/nonsense".to_owned(),
        // The body names no account.
        "/v1/webhooks/stripe".to_owned(),
    ] {
        let answer = stage.deliver(&path, &headers, body.clone()).await;
        assert_eq!(
            (answer.status, answer.slug().as_str()),
            (404, "not-found"),
            "{path}"
        );
    }
    let mut foreign = razorpay_failed("pay_1", "order_1");
    foreign["account_id"] = json!("acc_nobody");
    let answer = stage.razorpay("shop", "ev_1", &foreign).await;
    assert_eq!(answer.status, 404);
    assert_eq!(stage.counts().await, before);
}

#[tokio::test]
async fn a_genuine_webhook_that_does_not_read_names_the_field() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let before = stage.counts().await;
    let good = stripe_failed("evt_1", "pi_1", "ch_1", "insufficient_funds");
    let with = |pointer: &str, value: Value| {
        let mut event = good.clone();
        *event.pointer_mut(pointer).unwrap() = value;
        event
    };
    for (event, field) in [
        (json!("not an event"), "type"),
        (with("/type", json!(7)), "type"),
        (with("/id", Value::Null), "id"),
        (with("/created", json!("today")), "created"),
        (with("/data/object", json!([])), "data.object"),
        (with("/data/object/id", Value::Null), "data.object.id"),
        (
            with("/data/object/amount", json!(-4_900)),
            "data.object.amount",
        ),
        (with("/data/object/amount", json!(0)), "data.object.amount"),
        (
            with("/data/object/amount", json!(49.5)),
            "data.object.amount",
        ),
        (
            with("/data/object/amount", json!("4900")),
            "data.object.amount",
        ),
        (
            with("/data/object/amount", json!(u64::MAX)),
            "data.object.amount",
        ),
        (
            with("/data/object/amount", json!(i64::MAX)),
            "data.object.amount",
        ),
        (
            with("/data/object/currency", json!("zzz")),
            "data.object.currency",
        ),
    ] {
        let answer = stage.stripe("shop", &shop, &event).await;
        assert_eq!(
            (answer.status, answer.slug().as_str()),
            (422, "webhook-body"),
            "{event}"
        );
        let faults = answer.faults();
        assert!(
            faults[0].starts_with(&format!("{field}: ")),
            "{field}: {faults:?}"
        );
    }
    assert_eq!(stage.counts().await, before);
}

#[tokio::test]
async fn a_genuine_webhook_that_is_no_json_or_has_no_decent_id_is_refused() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let before = stage.counts().await;
    let body = b"{\"id\": ".to_vec();
    let signed = stripe_signature("whsec_shop", &body, stage.now());
    let path = format!("/v1/webhooks/stripe/{}", shop.stripe);
    let answer = stage
        .deliver(&path, &[("stripe-signature", &signed)], body)
        .await;
    assert_eq!(answer.status, 422);
    assert!(answer.faults()[0].starts_with("body: is not JSON"));
    let endless = "e".repeat(300);
    let answer = stage
        .razorpay("shop", &endless, &razorpay_failed("pay_1", "order_1"))
        .await;
    assert_eq!(answer.faults(), ["event_id: is too long"]);
    assert_eq!(stage.counts().await, before);
}

fn report() -> Value {
    json!({
        "transaction_ref": "A-1",
        "amount": 129_950,
        "currency": "INR",
        "failure_reason": "insufficient_funds",
    })
}

#[tokio::test]
async fn a_card_that_cannot_be_right_is_named_and_never_by_its_number() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    for (field, value) in [
        ("card_fingerprint", json!("")),
        ("card_fingerprint", json!("4242424242424242")),
        ("card_fingerprint", json!("x".repeat(129))),
        ("card_country", json!("Germany")),
        ("card_country", json!("XX")),
        ("rail", json!("pigeon")),
    ] {
        let mut body = report();
        body["payment"] = json!({ field: value });
        let answer = stage.post(&shop, "/v1/events/payment_failed", &body).await;
        assert_eq!(answer.status, 422, "{body}");
        let faults = answer.faults();
        let named = format!("payment.{field}: ");
        assert!(faults.iter().any(|it| it.starts_with(&named)), "{faults:?}");
        assert!(!answer.text.contains("4242"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_report_that_cannot_be_right_names_the_field() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let before = stage.counts().await;
    for (field, value) in [
        ("amount", json!(-1)),
        ("amount", json!(0)),
        ("amount", json!(12.5)),
        ("amount", json!("100")),
        ("amount", json!(true)),
        ("amount", json!(1_000_000_000_000_i64)),
        ("amount", json!(i64::MAX)),
        ("amount", json!(u64::MAX)),
        ("currency", json!("ZZZ")),
        ("currency", json!("XXX")),
        ("currency", json!("")),
        ("currency", json!(356)),
        ("currency", Value::Null),
        ("transaction_ref", json!("")),
        ("transaction_ref", json!("x".repeat(65))),
        ("transaction_ref", json!("a\nb")),
        ("transaction_ref", json!(7)),
        ("failure_reason", json!("")),
        ("failure_reason", json!("x".repeat(2_001))),
        ("occurred_at", json!("yesterday")),
        ("occurred_at", json!("2026-11-25")),
        ("gateway", json!("")),
        ("metadata", json!([1])),
        ("customer", json!("asha@example.com")),
        ("customer.email", json!("not an address")),
        ("customer.phone", json!("98123")),
    ] {
        let mut body = report();
        match field.split_once('.') {
            Some((outer, inner)) => body[outer] = json!({ inner: value }),
            None => body[field] = value.clone(),
        }
        let answer = stage.post(&shop, "/v1/events/payment_failed", &body).await;
        assert_eq!(
            (answer.status, answer.slug().as_str()),
            (422, "invalid-request"),
            "{body}"
        );
        let faults = answer.faults();
        assert!(
            faults
                .iter()
                .any(|it| it.starts_with(&format!("{field}: "))),
            "{body}: {faults:?}"
        );
    }
    for missing in ["transaction_ref", "failure_reason"] {
        let mut body = report();
        body.as_object_mut().unwrap().remove(missing);
        let answer = stage.post(&shop, "/v1/events/payment_failed", &body).await;
        assert_eq!(answer.faults(), [format!("{missing}: is missing")]);
    }
    assert_eq!(stage.counts().await, before);
}

#[tokio::test]
async fn every_fault_of_a_report_is_named_at_once() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let body = json!({
        "transaction_ref": " ",
        "amount": -5,
        "currency": "ZZZ",
        "failure_reason": "no",
        "customer": { "email": "?" },
    });
    let answer = stage.post(&shop, "/v1/events/payment_failed", &body).await;
    insta::assert_json_snapshot!("a_report_with_four_faults", {
        ".instance" => "[request]",
    }, answer.json());
}

#[tokio::test]
async fn a_body_that_is_no_json_or_of_another_type_is_refused() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let before = stage.counts().await;
    let send = |kind: &'static str, body: &str| {
        let request = stage.request(Method::POST, "/v1/events/payment_failed");
        let request = request.bearer_auth(&shop.key).header("content-type", kind);
        Answer::of(request.body(body.to_owned()))
    };
    let nothing = send("application/json", "").await;
    assert_eq!(
        (nothing.status, nothing.slug().as_str()),
        (400, "malformed-body")
    );
    let cut = send("application/json", "{\"amount\": ").await;
    assert_eq!(cut.status, 400);
    let zero = send("application/json", "{\"transaction_ref\":\"a\\u0000\"}").await;
    assert_eq!(zero.faults(), ["body: must not hold the zero character"]);
    let form = send("application/x-www-form-urlencoded", "amount=1").await;
    assert_eq!(
        (form.status, form.slug().as_str()),
        (415, "unsupported-media-type")
    );
    assert_eq!(stage.counts().await, before);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_wherever_it_goes() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let before = stage.counts().await;
    let body = "x".repeat(BODY_LIMIT + 1);
    for path in [
        format!("/v1/webhooks/stripe/{}", shop.stripe),
        "/v1/webhooks/razorpay".to_owned(),
        "/v1/events/payment_failed".to_owned(),
    ] {
        let request = stage.request(Method::POST, &path).bearer_auth(&shop.key);
        let answer = Answer::of(request.body(body.clone())).await;
        assert_eq!(
            (answer.status, answer.slug().as_str()),
            (413, "body-too-large"),
            "{path}"
        );
        assert_eq!(
            answer.faults(),
            [format!("body: is larger than {BODY_LIMIT} bytes")]
        );
    }
    assert_eq!(stage.counts().await, before);
}

#[tokio::test]
async fn a_link_that_cannot_be_made_names_the_fault() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    stage.failed(&shop, "A-1").await;
    let before = stage.counts().await;
    let path = "/v1/recoveries/by_ref/A-1/link";
    for (body, fault) in [
        (
            json!({ "ttl_hours": 169 }),
            "ttl_hours: must be from 0 to 168",
        ),
        (
            json!({ "ttl_hours": -1 }),
            "ttl_hours: must be from 0 to 168",
        ),
        (json!({ "channel": "fax" }), "channel: must be \"link\""),
    ] {
        let answer = stage.post(&shop, path, &body).await;
        assert_eq!(
            (answer.status, answer.faults()),
            (422, vec![fault.to_owned()])
        );
    }
    let unknown = stage
        .post(&shop, "/v1/recoveries/by_ref/B-1/link", &json!({}))
        .await;
    assert_eq!(unknown.status, 404);
    assert_eq!(stage.counts().await, before);
}
