//! What merchants and payers do with a recovery: retry now, at a time, pause, resume.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use domain::schedule::DecisionRecord;
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Answer, Shop, Stage};

async fn act(stage: &Stage, shop: &Shop, id: &str, verb: &str) -> Answer {
    stage
        .post(shop, &format!("/v1/recoveries/{id}/{verb}"), &Value::Null)
        .await
}

async fn choose(stage: &Stage, token: &str, id: &str, at: &str) -> Answer {
    let path = format!("/v1/recoveries/{id}/next_retry_at");
    let request = stage.request(Method::PATCH, &path).bearer_auth(token);
    Answer::of(request.json(&json!({ "next_retry_at": at }))).await
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

/// Every decision that was kept of a recovery, derived again from its record.
async fn replayed(stage: &Stage, shop: &Shop, id: &str) -> usize {
    let path = format!("/v1/recoveries/{id}/decisions");
    let decisions = stage.get(shop, &path).await.json();
    let decisions = decisions["data"].as_array().unwrap().clone();
    for decision in &decisions {
        let record: DecisionRecord = serde_json::from_value(decision["record"].clone()).unwrap();
        assert_eq!(record.replay().unwrap(), record.decision);
    }
    decisions.len()
}

#[tokio::test]
async fn the_next_step_is_taken_as_soon_as_the_rules_allow_and_it_is_said_what_it_waits_for() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let id = stage.failed(&shop, "A-1").await;
    let before = stage.now();
    let answer = act(&stage, &shop, &id, "retry-now").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut step = answer.json();
    let due = time(&step["next_retry_at"]);
    assert!(due >= before - TimeDelta::milliseconds(1));
    let waits = step["waits_for"].as_array().unwrap().clone();
    let soon = due <= stage.now();
    assert!(soon || !waits.is_empty(), "{step}");
    if let Some(last) = waits.last() {
        assert_eq!(time(&last["until"]), due);
    }
    let again = act(&stage, &shop, &id, "retry-now").await.json();
    assert_eq!(again["attempt_id"], step["attempt_id"]);
    let timeline = stage.timeline(&shop, &id).await;
    assert_eq!(
        timeline,
        [
            "recovery.opened",
            "attempt.scheduled",
            "attempt.rescheduled"
        ]
    );
    assert_eq!(replayed(&stage, &shop, &id).await, 2);
    let seen = stage.recovery(&shop, &id).await;
    assert_eq!(seen["next_retry_at"], again["next_retry_at"]);
    // What differs from one hour to the next.
    for (field, shown) in [
        ("why", "[words]"),
        ("waits_for", "[waits]"),
        ("channels", "[channels]"),
    ] {
        step[field] = json!(shown);
    }
    insta::assert_json_snapshot!("a_step_that_was_asked_for", crate::stage::steady(&step));
}

#[tokio::test]
async fn an_attempt_is_retried_by_the_older_route_as_its_recovery_is() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let id = stage.failed(&shop, "A-1").await;
    stage.link(&shop, "A-1").await;
    let link = stage.get(&shop, "/v1/links").await.json()["data"][0]["id"].clone();
    let retry = async |shop: &Shop, id: &Value| {
        let path = format!("/v1/retry/attempts/{}/retry-now", id.as_str().unwrap());
        stage.post(shop, &path, &Value::Null).await
    };
    // What the older contract called an attempt is a link where one was made.
    let answer = retry(&shop, &link).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let step = answer.json();
    let attempt = step["attempt_id"].clone();
    let shown = stage.recovery(&shop, &id).await;
    assert_eq!(shown["next_retry_at"], step["next_retry_at"]);
    insta::assert_json_snapshot!("an_attempt_retried", crate::stage::steady(&step));
    assert_eq!(retry(&shop, &attempt).await.json()["attempt_id"], attempt);
    let other = stage.shop("other").await;
    for id in [&attempt, &link] {
        assert_eq!(retry(&other, id).await.status, 404);
    }
    assert_eq!(retry(&shop, &json!("nothing")).await.status, 404);
    act(&stage, &shop, &id, "cancel").await;
    let refused = retry(&shop, &attempt).await;
    assert_eq!(refused.faults(), ["state: is cancelled already"]);
}

#[tokio::test]
async fn an_attempt_of_a_recovery_without_a_step_left_is_refused_as_the_older_contract_says() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let policy = json!({ "document": { "name": "Once", "max_retries": 0 } });
    let made = stage.post(&shop, "/v1/retry/policies", &policy).await;
    assert_eq!(made.status, 200, "{}", made.text);
    stage.failed(&shop, "A-1").await;
    stage.link(&shop, "A-1").await;
    let link = stage.get(&shop, "/v1/links").await.json()["data"][0]["id"].clone();
    let path = format!("/v1/retry/attempts/{}/retry-now", link.as_str().unwrap());
    let refused = stage.post(&shop, &path, &Value::Null).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert!(
        refused.faults()[0].starts_with("attempt: "),
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn a_merchant_or_a_payer_with_a_link_chooses_when() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let id = stage.failed(&shop, "A-1").await;
    let other = stage.failed(&shop, "A-2").await;
    let token = stage.link(&shop, "A-1").await;
    let at = (stage.now() + TimeDelta::days(2)).trunc_subsecs(3);
    let text = at.to_rfc3339();
    for bearer in [&shop.key, &token] {
        let answer = choose(&stage, bearer, &id, &text).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let step = answer.json();
        assert!(time(&step["next_retry_at"]) >= at);
        assert!(step["attempt_id"].is_string() && step["status"] == "scheduled");
    }
    // It is of this recovery alone, and for as long as it lives.
    assert_eq!(choose(&stage, &token, &other, &text).await.status, 401);
    assert_eq!(choose(&stage, "nonsense", &id, &text).await.status, 401);
    for (at, fault) in [
        ("soon", "must be a time"),
        ("2020-01-01T00:00:00Z", "must be in the future"),
    ] {
        let refused = choose(&stage, &shop.key, &id, at).await;
        assert_eq!(refused.status, 400);
        let faults = refused.faults();
        assert!(
            faults[0].starts_with(&format!("next_retry_at: {fault}")),
            "{faults:?}"
        );
    }
    let far = (stage.now() + TimeDelta::days(200)).to_rfc3339();
    let refused = choose(&stage, &shop.key, &id, &far).await;
    assert_eq!(
        (refused.status, refused.slug()),
        (409, "conflict".to_owned())
    );
    assert_eq!(replayed(&stage, &shop, &id).await, 2);
    stage.later(TimeDelta::hours(25));
    let text = (stage.now() + TimeDelta::days(1)).to_rfc3339();
    assert_eq!(choose(&stage, &token, &id, &text).await.status, 401);
    act(&stage, &shop, &id, "cancel").await;
    assert_eq!(choose(&stage, &shop.key, &id, &text).await.status, 409);
}

#[tokio::test]
async fn a_pause_ends_what_waits_and_resuming_plans_from_then() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let id = stage.failed(&shop, "A-1").await;
    act(&stage, &shop, &id, "retry-now").await;
    let paused = act(&stage, &shop, &id, "pause").await;
    assert_eq!(paused.status, 200, "{}", paused.text);
    assert!(paused.json()["paused_at"].is_string());
    assert!(paused.json()["next_retry_at"].is_null());
    assert_eq!(act(&stage, &shop, &id, "pause").await.status, 200);
    for verb in ["retry-now", "pause", "resume"] {
        let elsewhere = act(
            &stage,
            &stage.shop(&format!("other{verb}")).await,
            &id,
            verb,
        )
        .await;
        assert_eq!(elsewhere.status, 404);
    }
    let refused = act(&stage, &shop, &id, "retry-now").await;
    assert_eq!(refused.faults(), ["paused_at: is set: resume it first"]);
    stage.later(TimeDelta::hours(5));
    let resumed = act(&stage, &shop, &id, "resume").await.json();
    assert!(resumed["paused_at"].is_null());
    assert!(time(&resumed["next_retry_at"]) >= stage.now() - TimeDelta::seconds(30));
    assert_eq!(act(&stage, &shop, &id, "resume").await.status, 200);
    let kinds = stage.timeline(&shop, &id).await;
    assert_eq!(
        kinds,
        [
            "recovery.opened",
            "attempt.scheduled",
            "recovery.paused",
            "recovery.resumed",
            "attempt.scheduled"
        ]
    );
    assert_eq!(replayed(&stage, &shop, &id).await, 2);
    act(&stage, &shop, &id, "cancel").await;
    for verb in ["retry-now", "pause", "resume"] {
        let refused = act(&stage, &shop, &id, verb).await;
        assert_eq!(refused.faults(), ["state: is cancelled already"], "{verb}");
    }
}

#[tokio::test]
async fn a_payer_who_pays_while_the_recovery_is_paused_has_paid() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let failed = crate::psps::stripe_failed("evt_1", "pi_1", "ch_1", "insufficient_funds");
    stage.stripe("shop", &shop, &failed).await;
    let id = stage.recoveries(&shop).await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    act(&stage, &shop, &id, "pause").await;
    let paid = crate::psps::stripe_paid("evt_2", "pi_1");
    stage.stripe("shop", &shop, &paid).await;
    assert_eq!(stage.recovery(&shop, &id).await["state"], "recovered");
}
