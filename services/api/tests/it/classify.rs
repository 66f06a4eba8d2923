//! What codes mean, and which ones nobody has told Tinko yet.

use serde_json::{Value, json};

use crate::psps::stripe_failed;
use crate::stage::Stage;

const PATH: &str = "/v1/classify";

#[tokio::test]
async fn the_classifier_answers_as_it_did_and_more_beside_it() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let asked = json!({ "code": "otp_timeout", "occurred_at": "2026-11-25T10:00:00Z" });
    let answer = stage.post(&shop, PATH, &asked).await;
    insta::assert_json_snapshot!("classification_of_an_otp_timeout", answer.json());
    for (asked, category, hardness) in [
        (
            json!({ "message": "Insufficient balance" }),
            "funds",
            "soft",
        ),
        (json!({ "code": "do_not_honor" }), "issuer_decline", "hard"),
        (json!({ "code": "no_such_code" }), "unknown", "soft"),
        (json!({ "code": "" }), "unknown", "soft"),
        (json!({ "code": null, "message": null }), "unknown", "soft"),
        (json!({}), "unknown", "soft"),
    ] {
        let data = &stage.post(&shop, PATH, &asked).await.json()["data"];
        assert_eq!(data["category"], category, "{asked}");
        assert_eq!(data["hardness"], hardness, "{asked}");
        assert!(data["alt"].is_array() && data["recommendation"].is_string());
    }
}

#[tokio::test]
async fn every_signal_of_a_decline_is_told_with_its_source() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let asked = json!({
        "gateway": "Stripe",
        "code": "generic_decline",
        "advice_code": "brand_new_advice",
        "network": "MasterCard",
        "network_decline_code": "51",
        "network_advice_code": "26",
        "rail": "card",
        "occurred_at": "2026-11-25T10:00:00+05:30",
    });
    let answer = stage.post(&shop, PATH, &asked).await;
    insta::assert_json_snapshot!("classification_of_a_decline_with_advice", answer.json());
}

#[tokio::test]
async fn visas_category_is_the_one_of_the_day_that_is_told() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    for (day, heard) in [("2026-10-24", 1), ("2026-10-25", 2)] {
        let asked = json!({
            "source": "stripe",
            "network": "visa",
            "network_decline_code": "57",
            "occurred_at": format!("{day}T12:00:00Z"),
        });
        let answer = stage.post(&shop, PATH, &asked).await.json();
        let data = &answer["data"];
        assert_eq!(
            data["signals"].as_array().map(Vec::len),
            Some(heard),
            "{day}"
        );
        assert_eq!(data["earliest_retry"], Value::Null);
        assert_eq!(data["action"], "ask");
    }
}

#[tokio::test]
async fn every_field_that_holds_what_it_must_not_is_named() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let asked = json!({
        "source": "paypal",
        "gateway": "",
        "advice_code": "x".repeat(65),
        "network": "mastercrad",
        "network_decline_code": " ",
        "network_advice_code": "y".repeat(65),
        "rail": "rail",
        "occurred_at": "yesterday",
    });
    let answer = stage.post(&shop, PATH, &asked).await;
    assert_eq!(
        (answer.status, answer.slug().as_str()),
        (422, "invalid-request")
    );
    insta::assert_json_snapshot!("a_question_with_eight_faults", answer.faults());
    let answer = stage.post(&shop, PATH, &json!({ "code": 5 })).await;
    assert!(answer.faults()[0].starts_with("code:"), "{}", answer.text);
    for allowed in ["other", "American Express", "rupay"] {
        let answer = stage
            .post(&shop, PATH, &json!({ "network": allowed }))
            .await;
        assert_eq!(answer.status, 200, "{allowed}");
    }
}

#[tokio::test]
async fn codes_that_no_table_knows_are_listed_for_their_organization() {
    let stage = Stage::new().await;
    let (shop, other) = (stage.shop("shop").await, stage.shop("other").await);
    for number in 0..2 {
        let (event, payment) = (format!("evt_{number}"), format!("pi_{number}"));
        let event = stripe_failed(&event, &payment, &format!("ch_{number}"), "brand_new_code");
        stage.stripe("shop", &shop, &event).await;
    }
    let report = json!({
        "transaction_ref": "A-1", "amount": 100, "currency": "INR",
        "failure_reason": "HDFC-9 for rahul@okaxis, account 0123456789", "code": "HDFC-9",
    });
    stage
        .post(&shop, "/v1/events/payment_failed", &report)
        .await;

    let listed = stage.get(&shop, "/v1/classify/unknown?days=7").await.json();
    insta::assert_json_snapshot!("unknown_codes", listed, {
        ".data[].first_seen" => "[time]", ".data[].last_seen" => "[time]",
    });
    let others = stage.get(&other, "/v1/classify/unknown").await.json();
    assert_eq!(others, json!({ "days": 30, "data": [] }));
    for days in ["0", "91", "-1", "many", ""] {
        let path = format!("/v1/classify/unknown?days={days}");
        let answer = stage.get(&shop, &path).await;
        assert_eq!(answer.status, 422, "{days}");
        assert!(answer.faults()[0].starts_with("days:"), "{}", answer.text);
    }
}
