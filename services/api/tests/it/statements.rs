//! Reads take as many statements with a thousand rows as with ten.
//!
//! Every route that reads is in the table of permissions, and what an organization
//! has at each `{id}` is in `walk.rs`, so that a new route is counted by itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use api::auth::permissions::{Needs, PERMISSIONS};
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Answer, Stage};
use crate::walk::{Other, other};

/// Statements of this process since it began. Each test is a process of its own.
static STATEMENTS: AtomicUsize = AtomicUsize::new(0);

/// Answers that never end, that are read a batch at a time, or that only a policy
/// with an experiment has.
const ENDLESS: &[&str] = &[
    "/v1/stream",
    "/v1/exports/recoveries.csv",
    "/v1/analytics/experiments/{id}",
];

/// What is asked for where a question must say more; a longest page of all else.
const QUERIES: &[(&str, &str)] = &[("/v1/schedule/suggested_windows", "ref=OTHERS-1")];

#[expect(
    clippy::unnecessary_wraps,
    reason = "what the database's client asks for"
)]
fn counter() -> Option<Box<dyn Instrumentation>> {
    let count = |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { .. } = event {
            STATEMENTS.fetch_add(1, Ordering::Relaxed);
        }
    };
    Some(Box::new(count))
}

/// How many statements each read takes.
async fn counted(stage: &Stage, other: &Other) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for row in PERMISSIONS {
        if row.method != "GET" || row.needs == Needs::NoCaller || ENDLESS.contains(&row.path) {
            continue;
        }
        let query = QUERIES.iter().find(|(path, _)| *path == row.path);
        let query = query.map_or("limit=200", |(_, query)| *query);
        let path = format!("{}?{query}", other.path(row));
        let token = match row.needs {
            Needs::Person => &other.person.access,
            _ => &other.key,
        };
        let mut least = usize::MAX;
        // The first may note when the key was used, or open a connection.
        for _ in 0..3 {
            let before = STATEMENTS.load(Ordering::Relaxed);
            let request = stage.request(Method::GET, &path).bearer_auth(token);
            let answer = Answer::of(request.timeout(Duration::from_mins(1))).await;
            assert_eq!(
                answer.status, 200,
                "say in statements.rs how to ask {path}: {}",
                answer.text
            );
            least = least.min(STATEMENTS.load(Ordering::Relaxed) - before);
        }
        assert!(least > 0, "{path} reads nothing, not even who asks");
        all.insert(row.path.to_owned(), least);
    }
    all
}

/// Tables whose rows are copied, with the columns that must differ.
const COPIED: &[(&str, &[(&str, &str)])] = &[
    (
        "attempts",
        &[("state", "'cancelled'"), ("number", "made + 1")],
    ),
    ("decisions", &[]),
    ("timeline", &[]),
    ("audit_log", &[]),
    ("contact_changes", &[]),
    ("failure_events", &[]),
    ("unknown_codes", &[]),
    ("recon_results", &[("recovery_id", "gen_random_uuid()")]),
    (
        "recovery_links",
        &[("token_hash", "sha256(gen_random_uuid()::text::bytea)")],
    ),
    (
        "api_keys",
        &[("key_hash", "sha256(gen_random_uuid()::text::bytea)")],
    ),
    ("user_sessions", &[]),
    (
        "users",
        &[("email", "gen_random_uuid()::text || '@other.example'")],
    ),
    (
        "suppressions",
        &[("address", "gen_random_uuid()::text || '@other.example'")],
    ),
    (
        "consents",
        &[("address", "gen_random_uuid()::text || '@other.example'")],
    ),
];

/// Gives the organization so many failures of as many transactions, and copies of
/// all else that it has.
async fn grow(stage: &Stage, other: &Other, from: usize, to: usize) {
    let events: Vec<Value> = (from..to)
        .map(|number| {
            json!({
                "transaction_ref": format!("GROWN-{number}"),
                "amount": 100,
                "currency": "EUR",
                "failure_reason": format!("strange_{number}"),
                "customer": { "email": format!("p{number}@other.example"), "consent": ["email"] },
            })
        })
        .collect();
    let path = "/v1/events/payment_failed/batch";
    let request = stage.request(Method::POST, path).bearer_auth(&other.key);
    let answer = Answer::of(request.json(&json!({ "events": events }))).await;
    assert_eq!(answer.json()["recorded"], to - from, "{}", answer.text);
    let copies = i32::try_from(to - from).unwrap();
    let before = i32::try_from(from).unwrap();
    for (table, differ) in COPIED {
        let mut columns: Vec<String> = differ
            .iter()
            .map(|(column, value)| format!("'{column}', {value}"))
            .collect();
        columns.push(
            "'id', (left(uuid7_floor(now())::text, 14) || '7' || right(gen_random_uuid()::text, 21))"
                .to_owned(),
        );
        let text = format!(
            "INSERT INTO {table}
             SELECT (jsonb_populate_record(old, jsonb_build_object({}))).*
             FROM (SELECT t AS old FROM {table} AS t WHERE organization_id::text = $1 ORDER BY id LIMIT 1) AS one
             CROSS JOIN generate_series($3 + 1, $3 + $2) AS made",
            columns.join(", ")
        );
        let id = other.id.to_string();
        let made = stage
            .database
            .execute(&text, &[&id, &copies, &before])
            .await;
        let made = made.unwrap_or_else(|error| panic!("{table}: {error:?}"));
        let expected = u64::try_from(copies).unwrap();
        assert!(made == expected || made == 0, "{table}: {made}");
    }
}

#[tokio::test]
async fn every_read_takes_as_many_statements_with_a_thousand_rows_as_with_ten() {
    set_default_instrumentation(counter).unwrap();
    let stage = Stage::with(&[
        ("TINKO__RECON_WAIT_MS", "1"),
        ("TINKO__BODY_LIMIT_BYTES", "1048576"),
    ])
    .await;
    let other = other(&stage).await;
    grow(&stage, &other, 0, 10).await;
    let few = counted(&stage, &other).await;
    grow(&stage, &other, 10, 1_000).await;
    stage.database.batch_execute("ANALYZE").await.unwrap();
    let many = counted(&stage, &other).await;
    assert!(few.len() > 30, "{few:?}");
    assert_eq!(few, many);
}
