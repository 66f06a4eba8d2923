//! What a draft policy would do, before it does anything.

use serde_json::{Value, json};

use crate::stage::Stage;

const PATH: &str = "/v1/retry/policies/simulate";

fn given(reference: &str, code: &str) -> Value {
    json!({
        "transaction_ref": reference, "amount": 4_900, "currency": "EUR", "code": code,
        "source": "stripe", "network": "visa", "card": "the one card", "card_country": "DE",
        "occurred_at": "2026-11-24T10:00:00Z", "country": "DE", "can_charge": true,
        "channels": ["email", "sms"],
    })
}

#[tokio::test]
async fn given_failures_are_played_to_their_end_and_nothing_is_written() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let before = stage.counts().await;
    let asked = json!({
        "policy": { "document": {
            "name": "Draft", "max_retries": 3, "jitter_percent": 0, "enabled_channels": ["email", "sms"],
            "steps": [
                { "delay_seconds": 3_600, "action": "charge" },
                { "delay_seconds": 36_000, "action": "message" },
            ],
        } },
        "failures": [given("A-1", "insufficient_funds"), given("A-2", "stolen_card")],
    });
    let answer = stage.post(&shop, PATH, &asked).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    insta::assert_json_snapshot!("simulation_of_given_failures", answer.json());
    let again = stage.post(&shop, PATH, &asked).await;
    assert_eq!(
        again.text, answer.text,
        "the same question has the same answer"
    );
    assert_eq!(stage.counts().await, before);
}

#[tokio::test]
async fn a_budget_that_would_not_bear_the_policy_is_told() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let steps = vec![json!({ "delay_seconds": 86_400, "action": "charge" }); 8];
    let failures: Vec<_> = (0..5)
        .map(|n| given(&format!("A-{n}"), "insufficient_funds"))
        .collect();
    let asked = json!({
        "policy": { "document": { "max_retries": 8, "jitter_percent": 0, "steps": steps } },
        "failures": failures,
    });
    let answer = stage.post(&shop, PATH, &asked).await.json();
    assert_eq!(answer["totals"]["charges"], 40);
    let over = answer["budgets"].as_array().unwrap().iter();
    let over: Vec<_> = over.filter(|it| it["exceeded"] == true).collect();
    assert_eq!(over.len(), 1, "{answer}");
    assert_eq!(over[0]["card"], "the one card");
    assert_eq!(over[0]["rule"], "visa-reattempts");
}

#[tokio::test]
async fn an_organization_plays_a_draft_over_its_own_last_days() {
    let stage = Stage::new().await;
    let (shop, other) = (stage.shop("shop").await, stage.shop("other").await);
    for reference in ["A-1", "A-2"] {
        stage.failed(&shop, reference).await;
    }
    stage.failed(&other, "B-1").await;
    let before = stage.counts().await;
    let asked = json!({
        "policy": { "name": "Draft", "max_retries": 2, "channels": ["email"] }, "last_days": 7,
    });
    let answer = stage.post(&shop, PATH, &asked).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let answer = answer.json();
    let plans = answer["plans"].as_array().unwrap();
    let mut seen: Vec<_> = plans
        .iter()
        .map(|it| it["transaction_ref"].as_str().unwrap())
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, ["A-1", "A-2"]);
    assert_eq!(answer["totals"]["messages"], 4);
    assert_eq!(stage.counts().await, before);
}

#[tokio::test]
async fn what_cannot_be_played_names_the_field() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    for (asked, field) in [
        (json!({}), "failures"),
        (json!({ "failures": [] }), "failures"),
        (json!({ "last_days": 91 }), "last_days"),
        (
            json!({ "last_days": 7, "failures": [given("A-1", "x")] }),
            "failures",
        ),
        (
            json!({ "last_days": 7, "policy": { "max_retries": 11 } }),
            "policy.max_retries",
        ),
        (
            json!({ "failures": [{ "amount": 0, "currency": "EUR" }] }),
            "failures[0].amount",
        ),
        (
            json!({ "failures": [{ "amount": 1, "currency": "EURO" }] }),
            "failures[0].currency",
        ),
        (
            json!({ "last_days": 7, "policy": { "document": { "jitter_percent": 51 } } }),
            "policy.jitter_percent",
        ),
    ] {
        let answer = stage.post(&shop, PATH, &asked).await;
        assert_eq!(answer.status, 422, "{asked}: {}", answer.text);
        let fault = &answer.faults()[0];
        assert!(fault.starts_with(&format!("{field}: ")), "{asked}: {fault}");
    }
}
