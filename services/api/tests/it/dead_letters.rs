//! Dead letters, as operators look at them and mend them over REST.

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Answer, Stage};

const TOKEN: &str = "an operator's token, long enough to hold";
const LETTERS: &str = "/v1/maintenance/dead-letters";
const REASON: &str = "stored retry_policies.document does not read";

async fn operate(stage: &Stage, method: Method, path: &str, body: &Value) -> Answer {
    let request = stage.request(method, path).bearer_auth(TOKEN);
    Answer::of(if body.is_null() {
        request
    } else {
        request.json(body)
    })
    .await
}

async fn get(stage: &Stage, query: &str) -> Answer {
    operate(
        stage,
        Method::GET,
        &format!("{LETTERS}{query}"),
        &Value::Null,
    )
    .await
}

fn remedy() -> Value {
    json!({ "by": "asha", "why": "mended in 1.4.2" })
}

/// With a failure of each of so many orders, whose plans were given up.
async fn with_dead(orders: usize) -> Stage {
    let stage = Stage::with(&[("TINKO__OPERATOR_TOKEN", TOKEN)]).await;
    let shop = stage.shop("shop").await;
    for order in 0..orders {
        stage.failed(&shop, &format!("order-{order}")).await;
    }
    let dead = "UPDATE outbox SET dead_at = now(), dead_reason = $1 WHERE stream = 'failures'";
    let died = stage.database.execute(dead, &[&REASON]).await.unwrap();
    assert_eq!(died, u64::try_from(orders).unwrap());
    stage
}

async fn count(stage: &Stage, text: &str) -> i64 {
    let text = format!("SELECT count(*) FROM {text}");
    stage.database.query_one(&text, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn they_are_for_whoever_has_the_operators_token_alone() {
    let stage = with_dead(1).await;
    let shop = stage.shop("other").await;
    let id = get(&stage, "").await.json()["data"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for (method, path) in [
        (Method::GET, LETTERS.to_owned()),
        (Method::GET, format!("{LETTERS}/{id}")),
        (Method::POST, format!("{LETTERS}/replay")),
        (Method::POST, format!("{LETTERS}/{id}/replay")),
        (Method::POST, format!("{LETTERS}/{id}/discard")),
    ] {
        let request = stage.request(method.clone(), &path).bearer_auth(&shop.key);
        let answer = Answer::of(request.json(&remedy())).await;
        assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text);
    }
}

#[tokio::test]
async fn they_are_paged_oldest_first_and_shown_with_what_they_ask_for() {
    let stage = with_dead(3).await;
    let first = get(&stage, "?stream=failures&limit=2").await.json();
    assert_eq!(first["data"].as_array().unwrap().len(), 2);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = get(&stage, &format!("?limit=2&cursor={cursor}"))
        .await
        .json();
    assert_eq!(rest["data"].as_array().unwrap().len(), 1);
    assert_eq!(rest["next_cursor"], Value::Null);
    assert_eq!(
        get(&stage, "?stream=events").await.json()["data"],
        json!([])
    );
    assert_eq!(
        get(&stage, "?reason=another").await.json()["data"],
        json!([])
    );

    let id = first["data"][0]["id"].as_str().unwrap();
    let shown = get(&stage, &format!("/{id}")).await.json();
    insta::assert_json_snapshot!(shown, {
        ".id" => "[id]", ".organization_id" => "[organization]", ".recovery_id" => "[recovery]",
        ".created_at" => "[time]", ".dead_at" => "[time]", ".trace_id" => "[trace]",
        ".payload.recovery_id" => "[recovery]", ".payload.failure_event_id" => "[failure]",
    });
    assert_eq!(
        get(&stage, "/obx_00000000000070008000000000000000")
            .await
            .status,
        404
    );
    let wrong = get(&stage, "?stream=nothing&organization_id=x&limit=0").await;
    let fields: Vec<String> = wrong
        .faults()
        .iter()
        .map(|fault| fault.split(':').next().unwrap().to_owned())
        .collect();
    assert_eq!(fields, ["stream", "organization_id", "limit"]);
}

#[tokio::test]
async fn of_several_who_replay_one_at_once_one_does_and_it_is_noted_who() {
    let stage = with_dead(2).await;
    let id = get(&stage, "").await.json()["data"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("{LETTERS}/{id}/replay");
    let press = async || operate(&stage, Method::POST, &path, &remedy()).await.status;
    let (first, second, third) = tokio::join!(press(), press(), press());
    let mut answers = [first, second, third];
    answers.sort_unstable();
    assert_eq!(answers, [200, 404, 404]);
    assert_eq!(count(&stage, "outbox WHERE dead_at IS NOT NULL").await, 1);
    let noted = "audit_log WHERE action = 'dead_letter.replayed' AND actor = 'operator:asha'
         AND detail ->> 'why' = 'mended in 1.4.2' AND detail ->> 'stream' = 'failures'";
    assert_eq!(count(&stage, noted).await, 1);
}

#[tokio::test]
async fn those_of_a_reason_are_replayed_together() {
    let stage = with_dead(3).await;
    let path = format!("{LETTERS}/replay");
    let wanted = json!({
        "stream": "failures", "reason": REASON, "limit": 2, "by": "asha", "why": "mended",
    });
    let answer = operate(&stage, Method::POST, &path, &wanted).await.json();
    assert_eq!(answer["replayed"].as_array().unwrap().len(), 2);
    assert_eq!(count(&stage, "outbox WHERE dead_at IS NOT NULL").await, 1);
    let wrong = json!({ "stream": "nothing", "limit": 1_001, "by": " ", "why": "" });
    let wrong = operate(&stage, Method::POST, &path, &wrong).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
    assert_eq!(wrong.faults().len(), 4);
}

#[tokio::test]
async fn one_is_discarded_for_good_and_only_with_a_reason() {
    let stage = with_dead(1).await;
    let id = get(&stage, "").await.json()["data"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("{LETTERS}/{id}/discard");
    let wrong = operate(
        &stage,
        Method::POST,
        &path,
        &json!({ "by": "asha", "why": "" }),
    )
    .await;
    assert_eq!(wrong.faults(), ["why: must have 1 to 1000 characters"]);
    let answer = operate(&stage, Method::POST, &path, &remedy()).await;
    assert_eq!(answer.json(), json!({ "ok": true, "id": id }));
    assert_eq!(count(&stage, "outbox WHERE stream = 'failures'").await, 0);
    assert_eq!(
        count(&stage, "audit_log WHERE action = 'dead_letter.discarded'").await,
        1
    );
}

#[tokio::test]
async fn one_that_is_busy_is_waited_for() {
    let stage = with_dead(1).await;
    let id = get(&stage, "").await.json()["data"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    // As a relay does that marks it as published.
    let holder = &stage.database;
    holder
        .batch_execute("BEGIN; SELECT FROM outbox FOR UPDATE")
        .await
        .unwrap();
    let path = format!("{LETTERS}/{id}/discard");
    let body = remedy();
    let discarding = operate(&stage, Method::POST, &path, &body);
    let freeing = async {
        stage.one_waits("WITH chosen").await;
        holder.batch_execute("COMMIT").await.unwrap();
    };
    let (answer, ()) = tokio::join!(discarding, freeing);
    assert_eq!(answer.json(), json!({ "ok": true, "id": id }));
}
