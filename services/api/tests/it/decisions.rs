//! What was decided about a recovery, and the arm that it was dealt.

use serde_json::json;
use tokio_postgres::types::ToSql;

use crate::stage::{Stage, steady};

#[tokio::test]
async fn a_recovery_keeps_the_arm_that_its_policy_deals_it() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let wanted = json!({ "document": {
        "name": "Compared",
        "experiment": {
            "key": "shorter",
            "variants": [{ "name": "short", "weight": 10_000, "changes": { "stop_after_seconds": 3_600 } }],
        },
    }});
    let made = stage.post(&shop, "/v1/retry/policies", &wanted).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let id = stage.failed(&shop, "A-1").await;
    let recovery = stage.recovery(&shop, &id).await;
    assert_eq!(recovery["experiment"], "shorter");
    assert_eq!(recovery["variant"], "short");
    assert_eq!(recovery["hold_out"], false);
    let time = |name: &str| {
        let text = recovery[name].as_str().unwrap();
        chrono::DateTime::parse_from_rfc3339(text).unwrap()
    };
    let lasts = time("closes_at") - time("opened_at");
    assert_eq!(lasts, chrono::TimeDelta::hours(1));
}

#[tokio::test]
async fn who_is_held_out_is_told_when_the_recovery_opens() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let wanted =
        json!({ "document": { "experiment": { "key": "none acts", "hold_out": 10_000 } } });
    let made = stage.post(&shop, "/v1/retry/policies", &wanted).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let id = stage.failed(&shop, "A-1").await;
    let recovery = stage.recovery(&shop, &id).await;
    assert_eq!(
        (&recovery["hold_out"], &recovery["variant"]),
        (&json!(true), &json!(null))
    );
    let timeline = stage
        .get(&shop, &format!("/v1/recoveries/{id}/timeline"))
        .await;
    assert_eq!(timeline.json()["data"][0]["detail"]["hold_out"], true);
}

#[tokio::test]
async fn decisions_are_shown_in_order_with_their_records() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let id = stage.failed(&shop, "A-1").await;
    let path = format!("/v1/recoveries/{id}/decisions");
    assert_eq!(stage.get(&shop, &path).await.json()["data"], json!([]));
    for (place, words) in ["First", "Second"].into_iter().enumerate() {
        let seconds = f64::from(i32::try_from(place).unwrap());
        let values: [&(dyn ToSql + Sync); 2] = [&words, &seconds];
        let insert = "INSERT INTO decisions (id, organization_id, recovery_id, at, outcome, rule_pack, words, record)
             SELECT uuid7_floor(opened_at + make_interval(secs => $2)), organization_id, id,
                    opened_at + make_interval(secs => $2), 'wait', '2026-11-25', $1, '{\"format\": 1}'
             FROM recoveries";
        stage.database.execute(insert, &values).await.unwrap();
    }
    let shown = stage.get(&shop, &path).await;
    insta::assert_json_snapshot!("decisions_of_a_recovery", steady(&shown.json()));
}
