//! What operators do on everyone's tables, and hours that are suggested.

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Answer, Stage};

const TOKEN: &str = "an operator's token, long enough to hold";
const ENSURE: &str = "/v1/maintenance/partition/ensure_current";
const PRUNE: &str = "/v1/maintenance/partitions/prune";

async fn operate(stage: &Stage, path: &str, token: &str, body: &Value) -> Answer {
    let request = stage.request(Method::POST, path).bearer_auth(token);
    Answer::of(if body.is_null() {
        request
    } else {
        request.json(body)
    })
    .await
}

#[tokio::test]
async fn maintenance_is_there_for_whoever_has_the_operators_token_alone() {
    let without = Stage::new().await;
    for path in [ENSURE, PRUNE] {
        let shop = without.shop("shop").await;
        let answer = operate(&without, path, &shop.key, &Value::Null).await;
        assert_eq!(answer.status, 404, "{}", answer.text);
    }
    let stage = Stage::with(&[("TINKO__OPERATOR_TOKEN", TOKEN)]).await;
    let shop = stage.shop("shop").await;
    for path in [ENSURE, PRUNE] {
        let answer = operate(&stage, path, &shop.key, &Value::Null).await;
        assert_eq!(answer.status, 401, "{}", answer.text);
        let answer = operate(&stage, path, TOKEN, &Value::Null).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

#[tokio::test]
async fn partitions_are_made_and_those_dropped_that_no_table_has_to_keep() {
    let stage = Stage::with(&[("TINKO__OPERATOR_TOKEN", TOKEN)]).await;
    let none = operate(&stage, ENSURE, TOKEN, &Value::Null).await.json();
    assert_eq!(none, json!({ "ok": true, "created": [] }));
    let old = "SELECT ensure_partition('timeline', '2019-01-01'),
                      ensure_partition('unknown_codes', (now() - interval '10 months')::date),
                      ensure_partition('timeline', (now() - interval '10 months')::date)";
    stage.database.query_one(old, &[]).await.unwrap();
    let pruned = operate(&stage, PRUNE, TOKEN, &json!({ "months": 1 })).await;
    let pruned = pruned.json()["pruned"].as_array().unwrap().clone();
    // The timeline has to be kept for three years, unknown codes for half a year.
    assert_eq!(pruned.len(), 2, "{pruned:?}");
    assert_eq!(pruned[0], "timeline_2019_01");
    assert!(pruned[1].as_str().unwrap().starts_with("unknown_codes_"));
    let again = operate(&stage, PRUNE, TOKEN, &Value::Null).await;
    assert_eq!(again.json()["pruned"], json!([]));
    for months in [0, 61] {
        let wrong = operate(&stage, PRUNE, TOKEN, &json!({ "months": months })).await;
        assert_eq!(wrong.faults(), ["months: must be from 1 to 60"]);
    }
}

#[tokio::test]
async fn the_front_door_leads_to_the_reference_page() {
    let stage = Stage::new().await;
    let answer = stage.browse("/").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (307, "https://pay.example.com/docs")
    );
}

#[tokio::test]
async fn hours_are_suggested_in_which_the_payer_may_be_written_to() {
    let stage = Stage::new().await;
    let (anna, bert) = (stage.shop("anna").await, stage.shop("bert").await);
    stage.failed(&anna, "order-1").await;
    let policy = json!({ "name": "phones", "enabled_channels": ["sms"] });
    stage.post(&anna, "/v1/retry/policies", &policy).await;
    let path = "/v1/schedule/suggested_windows?ref=order-1&hours_ahead=24";
    let answer = stage.get(&anna, path).await.json();
    assert_eq!(
        (&answer["ref"], &answer["hours_ahead"]),
        (&json!("order-1"), &json!(24))
    );
    let slots = answer["slots"].as_array().unwrap();
    // A day in India has ten or eleven hours for text messages, some cut at its ends.
    assert!((9..=13).contains(&slots.len()), "{slots:?}");
    for slot in slots {
        let hour = |field: &str| {
            let at: chrono::DateTime<chrono::Utc> = slot[field].as_str().unwrap().parse().unwrap();
            let local = at + chrono::TimeDelta::minutes(330);
            local.format("%H:%M").to_string()
        };
        assert!(
            "09:00" <= &*hour("start") && &*hour("end") <= "21:00",
            "{slot}"
        );
        assert!(
            (0.0..=1.0).contains(&slot["score"].as_f64().unwrap()),
            "{slot}"
        );
    }
    assert_eq!(stage.get(&bert, path).await.status, 404);
    let wrong = stage
        .get(&anna, "/v1/schedule/suggested_windows?hours_ahead=169")
        .await;
    assert_eq!(
        wrong.faults(),
        ["ref: is missing", "hours_ahead: must be from 1 to 168"]
    );
}
