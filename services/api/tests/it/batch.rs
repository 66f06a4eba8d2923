//! A thousand failures in one request: each as if it had come alone.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Answer, Shop, Stage, steady};

const ONE: &str = "/v1/events/payment_failed";
const PATH: &str = "/v1/events/payment_failed/batch";

fn event(reference: &str) -> Value {
    json!({
        "transaction_ref": reference,
        "amount": 129_950,
        "currency": "INR",
        "failure_reason": "insufficient_funds",
        "customer": { "email": "asha@example.com", "consent": ["email"] },
    })
}

async fn batch(stage: &Stage, shop: &Shop, events: &[Value]) -> Value {
    let answer = stage.post(shop, PATH, &json!({ "events": events })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// Statuses of the items, in order.
fn statuses(body: &Value) -> Vec<u64> {
    let items = body["data"].as_array().unwrap().iter();
    items.map(|item| item["status"].as_u64().unwrap()).collect()
}

/// Something that a merchant's system might send, or get wrong.
fn any_event(rng: &mut StdRng) -> Value {
    let reference = format!("R-{}", rng.random_range(0..7));
    let pick = |rng: &mut StdRng, all: &[&str]| all[rng.random_range(0..all.len())].to_owned();
    let codes = [
        "insufficient_funds",
        "do_not_honor",
        "lost_card",
        "strange_code_7",
        "expired_card",
    ];
    let mut event = json!({
        "transaction_ref": reference,
        "failure_reason": pick(rng, &codes),
        "occurred_at": format!("2026-11-{:02}T10:{:02}:00Z", rng.random_range(1..28), rng.random_range(0..60)),
    });
    if rng.random_bool(0.8) {
        let other = rng.random_bool(0.1);
        event["amount"] = json!(if other { 7 } else { 129_950 });
        event["currency"] = json!(if rng.random_bool(0.05) { "XXY" } else { "INR" });
    }
    if rng.random_bool(0.7) {
        event["customer"] = json!({ "email": pick(rng, &["a@example.com", "b@example.com", "x"]) });
        if rng.random_bool(0.4) {
            event["customer"]["phone"] = json!("+919812341234");
            event["customer"]["name"] = json!(pick(rng, &["Asha", "Ravi"]));
        }
        if rng.random_bool(0.4) {
            event["customer"]["consent"] =
                json!([pick(rng, &["email", "sms", "whatsapp", "pigeon"])]);
        }
    }
    if rng.random_bool(0.5) {
        event["payment"] =
            json!({ "card_fingerprint": pick(rng, &["fp1", "fp2"]), "rail": "card" });
        if rng.random_bool(0.3) {
            event["payment"]["card_country"] = json!(pick(rng, &["IN", "DE"]));
        }
    }
    if rng.random_bool(0.5) {
        event["metadata"] = json!({ pick(rng, &["a", "b"]): rng.random_range(0..9) });
    }
    event
}

/// What of an organization's rows is not an id, a time or a trace, in order.
async fn rows(stage: &Stage, slug: &str) -> Vec<(String, Vec<Value>)> {
    let tables = [
        "transactions",
        "recoveries",
        "failure_events",
        "timeline",
        "unknown_codes",
        "card_tries",
        "cards",
        "consents",
        "contact_changes",
        "audit_log",
        "outbox",
    ];
    let mut all = Vec::new();
    for table in tables {
        let order = if table == "cards" { "card_key" } else { "id" };
        let mut found = rows_of(stage, slug, (table, order)).await;
        // These are written in an order of their own, so that requests take turns.
        if matches!(
            table,
            "consents" | "contact_changes" | "unknown_codes" | "card_tries"
        ) {
            found.sort_by_key(ToString::to_string);
        }
        all.push((table.to_owned(), found));
    }
    all
}

/// What of an organization's rows in a table is not an id, a time or a trace.
pub(crate) async fn rows_of(stage: &Stage, slug: &str, (table, order): (&str, &str)) -> Vec<Value> {
    let text = format!(
        "SELECT (to_jsonb(t) - 'trace_id' - 'traceparent' - 'envelope' - 'actor' - 'published_at' - 'xact')::text
         FROM {table} t
         WHERE organization_id = (SELECT id FROM organizations WHERE slug = $1)
         ORDER BY {order}"
    );
    let found = stage.database.query(&text, &[&slug]).await.unwrap();
    found
        .iter()
        .map(|row| steady(&serde_json::from_str(row.get::<_, &str>(0)).unwrap()))
        .collect()
}

/// A recovery that is settled, one that ran out and one that is open, before anything else.
async fn begun(stage: &Stage, shop: &Shop, slug: &str) {
    for reference in ["R-0", "R-1", "R-2"] {
        stage.post(shop, ONE, &event(reference)).await;
        stage.later(chrono::TimeDelta::milliseconds(5));
    }
    for (reference, state) in [("R-0", "cancelled"), ("R-1", "expired")] {
        let text = "UPDATE recoveries SET state = $3, closed_at = now() WHERE transaction_id =
             (SELECT id FROM transactions WHERE transaction_ref = $2 AND organization_id =
               (SELECT id FROM organizations WHERE slug = $1))";
        let ended = stage
            .database
            .execute(text, &[&slug, &reference, &state])
            .await;
        assert_eq!(ended.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_batch_leads_to_the_rows_of_its_reports_one_by_one() {
    for seed in 0..4 {
        let stage = Stage::new().await;
        let (one, many) = (stage.shop("one").await, stage.shop("many").await);
        begun(&stage, &one, "one").await;
        begun(&stage, &many, "many").await;
        let rng = &mut StdRng::seed_from_u64(seed);
        let events: Vec<Value> = (0..60).map(|_| any_event(rng)).collect();
        let mut alone = Vec::new();
        for event in &events {
            alone.push(stage.post(&one, ONE, event).await);
            stage.later(chrono::TimeDelta::milliseconds(2));
        }
        let together = batch(&stage, &many, &events).await;
        let items = together["data"].as_array().unwrap();
        for (place, (alone, item)) in alone.iter().zip(items).enumerate() {
            assert_eq!(u64::from(alone.status), item["status"], "{place}: {item}");
            if alone.status == 201 {
                continue;
            }
            let (mut alone, mut item) = (alone.json(), item["problem"].clone());
            for problem in [&mut alone, &mut item] {
                problem.as_object_mut().unwrap().remove("instance");
            }
            assert_eq!(alone, item, "{place}");
        }
        let (alone, together) = (rows(&stage, "one").await, rows(&stage, "many").await);
        for ((table, alone), (_, together)) in alone.iter().zip(&together) {
            assert_eq!(alone, together, "{table} of seed {seed}");
        }
        assert!(alone.iter().all(|(_, rows)| !rows.is_empty()), "{alone:?}");
    }
}

#[tokio::test]
async fn each_item_is_answered_in_its_place_and_a_bad_one_changes_nothing_for_the_others() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let mut unpaid = event("A-2");
    unpaid["customer"]["consent"] = json!(["sms"]);
    let events = [
        event("A-1"),
        json!({ "transaction_ref": "A-2" }),
        unpaid,
        json!("not an object"),
        json!({ "transaction_ref": "", "failure_reason": "", "amount": 1.5 }),
        json!({ "transaction_ref": "A-3", "failure_reason": "x\u{0}" }),
        event("A-1"),
    ];
    let body = batch(&stage, &shop, &events).await;
    assert_eq!(statuses(&body), [201, 422, 422, 400, 422, 400, 201]);
    let mut shown = steady(&body);
    for item in shown["data"].as_array_mut().unwrap() {
        if let Some(problem) = item.get_mut("problem") {
            problem["instance"] = json!("[request]");
        }
    }
    insta::assert_json_snapshot!("answers_to_the_items_of_a_batch", shown);
    assert_eq!(
        body["data"][0]["recovery_id"],
        body["data"][6]["recovery_id"]
    );
    let counts = stage.counts().await;
    assert_eq!((counts["transactions"], counts["recoveries"]), (1, 1));
    assert_eq!(counts["failure_events"], 2);
    let id = body["data"][0]["recovery_id"].as_str().unwrap();
    assert_eq!(
        stage.timeline(&shop, id).await,
        ["recovery.opened", "failure.recorded"]
    );
}

#[tokio::test]
async fn a_repeat_of_an_item_has_one_effect() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let keyed = |reference: &str, key: &str| {
        let mut event = event(reference);
        event["idempotency_key"] = json!(key);
        event
    };
    let events = [
        keyed("A-1", "k1"),
        keyed("A-1", "k1"),
        keyed("A-2", "k1"),
        keyed("A-2", "k2"),
    ];
    let first = batch(&stage, &shop, &events).await;
    assert_eq!(statuses(&first), [201, 200, 422, 201]);
    assert_eq!(first["data"][0]["id"], first["data"][1]["id"]);
    let counts = stage.counts().await;
    let again = batch(&stage, &shop, &events).await;
    assert_eq!(statuses(&again), [200, 200, 422, 200]);
    assert_eq!(again["repeated"], 3);
    for place in [0, 3] {
        for field in ["id", "transaction_id", "recovery_id"] {
            assert_eq!(again["data"][place][field], first["data"][place][field]);
        }
    }
    assert_eq!(stage.counts().await, counts);
    // What was refused keeps no key.
    let mut wrong = keyed("A-1", "k3");
    wrong["amount"] = json!(1);
    assert_eq!(statuses(&batch(&stage, &shop, &[wrong]).await), [409]);
    assert_eq!(
        statuses(&batch(&stage, &shop, &[keyed("A-1", "k3")]).await),
        [201]
    );
}

#[tokio::test]
async fn a_repeated_request_is_answered_as_the_first_one_was() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let send = async || {
        let request = stage.request(Method::POST, PATH).bearer_auth(&shop.key);
        let body = json!({ "events": [event("A-1"), event("A-2")] });
        Answer::of(request.header("Idempotency-Key", "b-1").json(&body)).await
    };
    let (first, again) = (send().await, send().await);
    assert_eq!(first.text, again.text);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(stage.counts().await["failure_events"], 2);
}

#[tokio::test]
async fn batches_of_the_same_references_that_come_at_once_take_turns() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let mut events: Vec<Value> = (0..30)
        .map(|number| event(&format!("A-{number}")))
        .collect();
    let forward = events.clone();
    events.reverse();
    let batches = [&forward, &events, &forward, &events];
    let (stage, shop) = (&stage, &shop);
    let sent = batches.map(|events| async move {
        let body = json!({ "events": events });
        stage.post(shop, PATH, &body).await
    });
    for answer in futures_util::future::join_all(sent).await {
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json()["recorded"], 30, "{}", answer.text);
    }
    let counts = stage.counts().await;
    assert_eq!((counts["transactions"], counts["recoveries"]), (30, 30));
    assert_eq!(counts["failure_events"], 120);
}

#[tokio::test]
async fn a_thousand_items_fit_and_no_more() {
    let stage = Stage::with(&[("TINKO__BODY_LIMIT_BYTES", "1048576")]).await;
    let shop = stage.shop("shop").await;
    let events: Vec<Value> = (0..1_000)
        .map(|number| event(&format!("A-{number}")))
        .collect();
    let body = batch(&stage, &shop, &events).await;
    assert_eq!(
        (&body["recorded"], &body["refused"]),
        (&json!(1_000), &json!(0))
    );
    // Entries keep their order, however many ids were made.
    let id = body["data"][999]["recovery_id"].as_str().unwrap();
    assert_eq!(stage.timeline(&shop, id).await, ["recovery.opened"]);
    for events in [vec![], vec![json!({}); 1_001]] {
        let answer = stage.post(&shop, PATH, &json!({ "events": events })).await;
        assert_eq!(answer.faults(), ["events: must have 1 to 1000 items"]);
    }
    let large = json!({ "events": [{ "metadata": { "x": "y".repeat(9 * 1_048_576) } }] });
    assert_eq!(stage.post(&shop, PATH, &large).await.status, 413);
}
