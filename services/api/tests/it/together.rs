//! Webhooks that come at the same time are committed together: each as if it had come alone.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::batch::rows_of;
use crate::psps::{stripe_failed, stripe_paid};
use crate::stage::{Shop, Stage};

/// Tables that a webhook writes to, with what orders their rows.
const TABLES: [(&str, &str); 13] = [
    ("transactions", "id"),
    ("recoveries", "id"),
    ("failure_events", "id"),
    ("failure_keys", "key"),
    ("timeline", "id"),
    ("unknown_codes", "id"),
    ("card_tries", "id"),
    ("cards", "card_key"),
    ("psp_objects", "object_id"),
    ("paid_objects", "object_id"),
    ("psp_events", "id"),
    ("psp_event_keys", "provider_event_id"),
    ("outbox", "id"),
];

/// Failures of payments that are new, known, settled and told of twice, by cards of their
/// own, by one that several pay with, and by means whose number comes later.
fn webhooks(stage: &Stage) -> Vec<Value> {
    let mut all = Vec::new();
    for n in 0..40 {
        let code = ["insufficient_funds", "lost_card", "strange_code_7"][n % 3];
        let (payment, charge) = (format!("pi_{n}"), format!("ch_{n}"));
        let mut event = stripe_failed(&format!("evt_{n}"), &payment, &charge, code);
        event["created"] = json!(stage.now().timestamp());
        let means = &mut event["data"]["object"]["last_payment_error"]["payment_method"];
        match n % 5 {
            0 => means["card"]["fingerprint"] = json!("fp_shared"),
            1 => {
                means["id"] = json!(format!("pm_own_{n}"));
                means["card"]["fingerprint"] = json!(format!("fp_own_{n}"));
            }
            2 => means["id"] = json!(format!("pm_own_{n}")),
            3 => *means = json!({ "id": format!("pm_{n}"), "type": "sepa_debit" }),
            _ => {}
        }
        if n % 8 == 0 {
            // The same event once more, and the same charge by another event.
            all.push(event.clone());
            let mut other = event.clone();
            other["id"] = json!(format!("evt_{n}_other"));
            all.push(other);
        }
        all.push(event);
    }
    all
}

/// What is known before: recoveries of the first payments, and that others were paid.
async fn begun(stage: &Stage, slug: &str, shop: &Shop) {
    for n in 0..4 {
        let payment = format!("pi_{n}");
        let (id, charge) = (format!("evt_early_{n}"), format!("ch_early_{n}"));
        let event = stripe_failed(&id, &payment, &charge, "lost_card");
        stage.stripe(slug, shop, &event).await;
    }
    for n in 4..8 {
        let event = stripe_paid(&format!("evt_paid_{n}"), &format!("pi_{n}"));
        stage.stripe(slug, shop, &event).await;
    }
}

/// The rows of a table in an order that does not depend on who came first.
async fn rows(stage: &Stage, slug: &str, shop: &Shop, table: (&str, &str)) -> Vec<String> {
    let rows = rows_of(stage, slug, table).await;
    let mut rows: Vec<String> = rows
        .into_iter()
        .map(|mut row| {
            if table.0 == "psp_events" {
                // Of two events about one charge either may be the first.
                row.as_object_mut().unwrap().remove("provider_event_id");
                row["body"].as_object_mut().unwrap().remove("id");
            }
            row.to_string().replace(&shop.stripe, "[connection]")
        })
        .collect();
    rows.sort_unstable();
    rows
}

#[tokio::test]
async fn webhooks_that_come_at_once_lead_to_the_rows_of_those_one_by_one() {
    let stage = Stage::new().await;
    let (one, many) = (stage.shop("one").await, stage.shop("many").await);
    begun(&stage, "one", &one).await;
    begun(&stage, "many", &many).await;
    let all = webhooks(&stage);
    let mut alone = Vec::new();
    for event in &all {
        alone.push(stage.stripe("one", &one, event).await.text);
    }
    let deliveries = all.iter().map(|event| stage.stripe("many", &many, event));
    let answers = join_all(deliveries).await.into_iter();
    let mut together: Vec<String> = answers.map(|answer| answer.text).collect();
    alone.sort_unstable();
    together.sort_unstable();
    assert_eq!(alone, together);
    for table in TABLES {
        let alone = rows(&stage, "one", &one, table).await;
        let together = rows(&stage, "many", &many, table).await;
        assert_eq!(alone, together, "{}", table.0);
        assert!(!alone.is_empty(), "{}", table.0);
    }
}

#[tokio::test]
async fn webhooks_that_come_while_others_are_committed_share_a_commit() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let all: Vec<Value> = webhooks(&stage);
    let deliveries = all.iter().map(|event| stage.stripe("shop", &shop, event));
    for answer in join_all(deliveries).await {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let text = "SELECT count(*), count(DISTINCT xmin::text) FROM failure_events";
    let row = stage.database.query_one(text, &[]).await.unwrap();
    let (events, commits): (i64, i64) = (row.get(0), row.get(1));
    assert_eq!(events, 40);
    assert!(commits < events, "{commits} commits for {events} events");
}
