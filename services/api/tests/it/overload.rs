//! More than the process can carry: what is refused is told so, what is accepted is kept.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::json;
use testkit::Memory;

use crate::process::{Machine, addresses, terminate};

const CLIENTS: u64 = 160;
/// Fewer than the clients, and more than wait for a connection in time.
const AT_ONCE: &str = "100";
const LOAD: Duration = Duration::from_secs(20);
/// How long a client waits that was refused. Less than it is asked to.
const RESTS: Duration = Duration::from_millis(100);

/// A report takes a connection for a fifth of a second: of four connections, twenty a
/// second can be taken in, and of a hundred that wait most wait in vain.
const SLOW: &str = "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(0.2); RETURN NEW; END $$;
    CREATE TRIGGER dawdle BEFORE INSERT ON transactions
      FOR EACH ROW EXECUTE FUNCTION dawdle()";

/// What clients were told.
#[derive(Default)]
struct Told {
    accepted: BTreeSet<String>,
    refused: u64,
}

/// Asks on and on until the load is over.
async fn client(report: impl Fn(&str) -> RequestBuilder, next: Arc<AtomicU64>) -> Told {
    let mut told = Told::default();
    let began = Instant::now();
    while began.elapsed() < LOAD {
        let reference = format!("order-{}", next.fetch_add(1, Ordering::Relaxed));
        let answer = report(&reference).send().await.unwrap();
        if answer.status() == StatusCode::CREATED {
            told.accepted.insert(reference);
            continue;
        }
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        let after = answer.headers()["retry-after"].to_str().unwrap();
        assert!(after.parse::<u32>().unwrap() >= 1, "{after}");
        told.refused += 1;
        tokio::time::sleep(RESTS).await;
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: ./scripts/test --all"]
async fn what_exceeds_its_room_is_answered_503_nothing_accepted_is_lost_and_memory_stays_flat() {
    let machine = Machine::new().await;
    machine.ran(&["migrate"]).await;
    let seeded = machine.seed().await;
    let key = seeded["api_key"].as_str().unwrap();
    let postgres = machine.database.connect().await;
    postgres.batch_execute(SLOW).await.unwrap();
    let mut command = machine.api(&[]);
    command
        .env("TINKO__DATABASE_MAX_CONNECTIONS", "4")
        .env("TINKO__DATABASE_ACQUIRE_TIMEOUT_MS", "500")
        .env("TINKO__REQUESTS_AT_ONCE", AT_ONCE)
        .env("TINKO__RATE_INGEST", "100000/s burst 100000")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let (http, _) = addresses(&machine.ready_file()).await;
    let memory = Memory::of(child.id().unwrap());

    let asking = Client::new();
    let report = |reference: &str| {
        let body = json!({
            "transaction_ref": reference, "amount": 1_000, "currency": "inr", "gateway": "payu",
            "failure_reason": "insufficient balance",
        });
        let request = asking.post(format!("{http}/v1/events/payment_failed"));
        request.bearer_auth(key).json(&body)
    };
    let next = Arc::new(AtomicU64::default());
    let told = join_all((0..CLIENTS).map(|_| client(report, Arc::clone(&next)))).await;
    memory.assert_flat();
    let refused: u64 = told.iter().map(|told| told.refused).sum();
    let accepted: BTreeSet<String> = told.into_iter().flat_map(|told| told.accepted).collect();
    assert!(refused > 0, "it was no overload");
    assert!(accepted.len() > 50, "{} were accepted", accepted.len());

    let sql =
        "SELECT t.transaction_ref FROM transactions t JOIN recoveries r ON r.transaction_id = t.id
               JOIN failure_events f ON f.transaction_id = t.id";
    let rows = postgres.query(sql, &[]).await.unwrap();
    let kept: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(kept, accepted, "what was refused has changed nothing");

    // When the load is over it serves as before.
    let answer = report("afterwards").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(terminate(&mut child).await, Some(0));
}
