//! What a claim costs: its size is what waits, not what was ever done.

use chrono::{Datelike, TimeDelta};
use db::Conn;
use db::attempts::{self, UnderWay};
use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::stage::{Stage, claim, now};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    text: String,
}

#[derive(QueryableByName)]
struct Prepared {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The plan of a statement as this connection has it prepared, carried out.
pub(crate) async fn explain(conn: &mut Conn, begins: &str, arguments: &str) -> String {
    let prepared: Prepared = diesel::sql_query(format!(
        "SELECT name FROM pg_prepared_statements WHERE statement LIKE '{begins}%'"
    ))
    .get_result(conn)
    .await
    .unwrap();
    let explain = format!(
        "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE \"{}\" ({arguments})",
        prepared.name,
    );
    let lines: Vec<Line> = diesel::sql_query(explain).load(conn).await.unwrap();
    let lines: Vec<String> = lines.into_iter().map(|line| line.text).collect();
    lines.join("\n")
}

async fn explain_claim(conn: &mut Conn) -> String {
    let arguments = format!(
        "'{}', now(), now() + interval '1 minute', '{}', 16, 64, 32, ARRAY['{}']::uuid[], \
         ARRAY[3]::bigint[], ARRAY['stripe']",
        Uuid::from_u128(1),
        Uuid::nil(),
        Uuid::from_u128(2)
    );
    explain(conn, "WITH RECURSIVE turn", &arguments).await
}

/// The present month's partition, where all the rows are.
fn partition() -> String {
    let now = now();
    format!("attempts_{}_{:02}", now.year(), now.month())
}

async fn grown() -> Stage {
    let stage = Stage::new().await;
    let (busy, quiet) = (stage.tenant("busy").await, stage.tenant("quiet").await);
    stage.backlog(busy, "succeeded", 20_000).await;
    stage.backlog(busy, "scheduled", 2_000).await;
    stage.backlog(quiet, "scheduled", 10).await;
    let client = stage.database.connect().await;
    client.batch_execute("ANALYZE").await.unwrap();
    stage
}

#[tokio::test]
async fn a_claim_reads_what_is_due_by_index_and_nothing_of_what_is_finished_or_anothers() {
    let stage = grown().await;
    let mut conn = stage.db.read().await.unwrap();
    attempts::claim_due(&mut conn, &claim(1, Uuid::nil(), 16, 64))
        .await
        .unwrap();
    let plan = explain_claim(&mut conn).await;
    let partition = partition();
    assert!(
        plan.contains(&format!("{partition}_nullif_due_at_idx")),
        "{plan}"
    );
    assert!(plan.contains(&format!("{partition}_pkey")), "{plan}");
    for wrong in [
        format!("Seq Scan on {partition}"),
        format!("{partition}_due_at_idx"),
    ] {
        assert!(!plan.contains(&wrong), "{wrong}:\n{plan}");
    }
}

#[tokio::test]
async fn a_plan_made_while_there_was_one_organization_does_for_several() {
    let stage = Stage::new().await;
    let busy = stage.tenant("busy").await;
    stage.backlog(busy, "scheduled", 200).await;
    let client = stage.database.connect().await;
    client.batch_execute("ANALYZE").await.unwrap();
    let mut conn = stage.db.read().await.unwrap();
    attempts::claim_due(&mut conn, &claim(1, Uuid::nil(), 16, 64))
        .await
        .unwrap();
    let plan = explain_claim(&mut conn).await;
    let wrong = format!("{}_due_at_idx", partition());
    assert!(!plan.contains(&wrong), "{plan}");
}

/// A month begins with statistics of an empty table. What waits for later is many times
/// what is due, and is not read to find that.
#[tokio::test]
async fn a_claim_reads_nothing_of_what_waits_for_later_without_statistics() {
    let stage = Stage::new().await;
    let client = stage.database.connect().await;
    client.batch_execute("ANALYZE").await.unwrap();
    let busy = stage.tenant("busy").await;
    stage.backlog(busy, "scheduled", 3_000).await;
    let later = "UPDATE attempts SET due_at = now() + interval '1 day'";
    client.batch_execute(later).await.unwrap();
    stage.backlog(busy, "scheduled", 10).await;
    stage.backlog(busy, "succeeded", 3_000).await;
    let mut conn = stage.db.read().await.unwrap();
    let due = attempts::claim_due(&mut conn, &claim(1, Uuid::nil(), 4, 64)).await;
    assert_eq!(due.unwrap().len(), 4);
    let plan = explain_claim(&mut conn).await;
    let partition = partition();
    let right = format!("{partition}_nullif_due_at_idx on {partition} s_1 (actual rows=6 ");
    assert!(plan.contains(&right), "six are left that are due:\n{plan}");
    for wrong in [&format!("Seq Scan on {partition}"), "_organization_id_"] {
        assert!(!plan.contains(wrong), "{wrong}:\n{plan}");
    }
}

#[tokio::test]
async fn looking_for_what_dead_workers_left_reads_nothing_of_what_is_finished() {
    let stage = grown().await;
    let mut conn = stage.db.read().await.unwrap();
    let claim = claim(1, Uuid::nil(), 16, 64);
    attempts::claim_due(&mut conn, &claim).await.unwrap();
    let later = claim.lease_until + TimeDelta::minutes(1);
    let lease = later + TimeDelta::minutes(1);
    attempts::claim_unsettled(
        &mut conn,
        claim.worker,
        later,
        lease,
        4,
        UnderWay::default(),
    )
    .await
    .unwrap();
    let arguments = format!(
        "'{}', '{later}', '{lease}', 4, ARRAY['{}']::uuid[], 32, ARRAY['{}']::uuid[], \
         ARRAY[32]::bigint[]",
        claim.worker,
        Uuid::from_u128(2),
        Uuid::from_u128(2)
    );
    let plan = explain(&mut conn, "WITH overdue", &arguments).await;
    let partition = partition();
    assert!(
        plan.contains(&format!("{partition}_lease_until_idx")),
        "{plan}"
    );
    assert!(
        !plan.contains(&format!("Seq Scan on {partition}")),
        "{plan}"
    );
}
