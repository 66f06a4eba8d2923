//! Events come into being with their cause, and are owed until their effect.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use contracts::{Envelope, Message, Stream};
use db::outbox::Left;
use db::{AfterCommit, Cause, Conn, Db, DbConfig, DbError, Tenant};
use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use domain::id::{OutboxId, RecoveryId};
use testkit::TestDatabase;
use uuid::Uuid;

use crate::stage::{PATIENCE, Stage, cause, count, now};

/// Keeps what is handed over after a commit.
#[derive(Default)]
struct Told(Mutex<Vec<Envelope>>);

impl AfterCommit for Told {
    fn committed(&self, envelopes: Vec<Envelope>) {
        self.0.lock().unwrap().extend(envelopes);
    }
}

/// One connection, so that what a transaction leaves behind is met by the next.
async fn stage_with_told() -> (Stage, Arc<Told>) {
    let told = Arc::new(Told::default());
    let database = TestDatabase::create().await;
    let config = DbConfig {
        url: database.url().clone(),
        max_connections: 1,
        acquire_timeout: PATIENCE,
    };
    let db = Db::new(&config, told.clone());
    (Stage { database, db }, told)
}

/// What was left of what partners hear of.
async fn unpublished(
    conn: &mut Conn,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Envelope>, DbError> {
    let left = Left {
        stream: Stream::Events,
        before,
        after: Uuid::nil(),
        share: limit,
        ahead: limit,
        limit,
    };
    db::outbox::unpublished(conn, &left).await
}

fn happened(recovery: RecoveryId) -> Message {
    Message::RecoveryEvent {
        event_id: recovery.uuid(),
        kind: "recovery.opened".to_owned(),
        recovery,
        data: "{}".to_owned(),
        occurred_at: now(),
    }
}

#[tokio::test]
async fn a_commit_writes_the_events_with_their_cause_and_then_hands_them_over() {
    let (stage, told) = stage_with_told().await;
    let tenant = stage.tenant("shop").await;
    let mut cause = cause();
    cause.traceparent = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
    let mut tx = stage.db.begin(cause.clone()).await.unwrap();
    let recovery = tx.new_id();
    tx.emit(tenant, happened(recovery));
    tx.emit(tenant, happened(recovery));
    assert!(told.0.lock().unwrap().is_empty(), "not before the commit");
    tx.commit().await.unwrap();

    let told = told.0.lock().unwrap().clone();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].traceparent, cause.traceparent);
    assert_eq!(told[0].organization, tenant.organization());

    let mut conn = stage.db.read().await.unwrap();
    let after = now() + TimeDelta::seconds(1);
    let stored = unpublished(&mut conn, after, 10).await.unwrap();
    let ids = |events: &[Envelope]| events.iter().map(|e| e.outbox).collect::<Vec<_>>();
    assert_eq!(ids(&stored), ids(&told));
    assert_eq!(stored[0].message.recovery(), Some(recovery));
    assert_eq!(stored[0].traceparent, cause.traceparent);
}

#[tokio::test]
async fn a_dropped_transaction_writes_nothing_tells_nobody_and_leaves_the_pool_usable() {
    let (stage, told) = stage_with_told().await;
    let tenant = stage.tenant("shop").await;
    let mut tx = stage.tx().await;
    let recovery = tx.new_id();
    tx.emit(tenant, happened(recovery));
    db::organizations::ensure(&mut tx, "Ghost", "ghost")
        .await
        .unwrap();
    drop(tx);

    let mut tx = stage.tx().await;
    assert_eq!(count(tx.conn(), "outbox").await, 0);
    assert_eq!(
        count(tx.conn(), "organizations WHERE slug = 'ghost'").await,
        0
    );
    let (_, made) = db::organizations::ensure(&mut tx, "Living", "living")
        .await
        .unwrap();
    assert!(made);
    tx.commit().await.unwrap();
    assert_eq!(stage.count("organizations WHERE slug = 'living'").await, 1);
    assert!(told.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_statement_that_failed_inside_a_transaction_leaves_the_pool_usable() {
    let (stage, _) = stage_with_told().await;
    let mut tx = stage.tx().await;
    let refused = db::organizations::ensure(&mut tx, "", "no-name").await;
    assert!(refused.is_err());
    drop(tx);
    stage.tenant("shop").await;
    assert_eq!(stage.count("organizations").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_any_number_of_copies_one_settles_an_event() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let mut tx = stage.tx().await;
    let recovery = tx.new_id();
    tx.emit(tenant, happened(recovery));
    tx.commit().await.unwrap();
    let mut conn = stage.db.read().await.unwrap();
    let after = now() + TimeDelta::seconds(1);
    let id = unpublished(&mut conn, after, 1).await.unwrap()[0].outbox;
    drop(conn);

    let settling: Vec<_> = (0..6)
        .map(|_| {
            let db = stage.db.clone();
            tokio::spawn(async move {
                let mut tx = db.begin(cause()).await.unwrap();
                let settled = db::outbox::settle(tx.conn(), id).await.unwrap();
                tx.commit().await.unwrap();
                settled
            })
        })
        .collect();
    let mut settled = 0;
    for one in settling {
        settled += i32::from(one.await.unwrap());
    }
    assert_eq!(settled, 1);
}

#[tokio::test]
async fn an_effect_that_did_not_commit_leaves_the_event_owed() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let mut tx = stage.tx().await;
    let recovery = tx.new_id();
    tx.emit(tenant, happened(recovery));
    tx.commit().await.unwrap();
    let after = now() + TimeDelta::seconds(1);
    let mut tx = stage.tx().await;
    let id = unpublished(tx.conn(), after, 1).await.unwrap()[0].outbox;
    assert!(db::outbox::settle(tx.conn(), id).await.unwrap());
    drop(tx);
    assert_eq!(stage.count("outbox").await, 1);
}

#[tokio::test]
async fn what_was_published_is_not_unpublished_and_a_dead_letter_is_neither() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let mut tx = stage.tx().await;
    for _ in 0..3 {
        let recovery = tx.new_id();
        tx.emit(tenant, happened(recovery));
    }
    tx.commit().await.unwrap();
    let (at, after) = (now(), now() + TimeDelta::seconds(1));
    let mut conn = stage.db.read().await.unwrap();
    let owed = unpublished(&mut conn, after, 10).await.unwrap();
    db::outbox::mark_published(&mut conn, &[owed[0].outbox], at)
        .await
        .unwrap();
    db::outbox::bury(&mut conn, owed[1].outbox, "it does not read", at)
        .await
        .unwrap();

    let left = unpublished(&mut conn, after, 10).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].outbox, owed[2].outbox);
    let published = db::outbox::published_before(&mut conn, Stream::Events, after, 10)
        .await
        .unwrap();
    assert_eq!(published.len(), 1);
    assert_eq!(published[0].outbox, owed[0].outbox);
    let other = db::outbox::published_before(&mut conn, Stream::Failures, after, 10).await;
    assert!(other.unwrap().is_empty());

    let counted = db::outbox::owed(&mut conn, after).await.unwrap();
    assert_eq!((counted.unpublished, counted.dead), (1, 1));
    assert!(counted.oldest_unpublished >= TimeDelta::seconds(1));
}

/// A flood that comes after the outbox was empty: the statement is planned by then.
#[tokio::test]
async fn marking_a_flood_reads_nothing_but_what_it_marks() {
    const FLOOD: usize = 2_000;
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let client = stage.database.connect().await;
    client.batch_execute("VACUUM (ANALYZE)").await.unwrap();
    let mut conn = stage.db.read().await.unwrap();
    let at = now();
    // Postgres keeps the plan that it makes the sixth time.
    for _ in 0..8 {
        let none = [OutboxId::from_uuid(Uuid::nil())];
        db::outbox::mark_published(&mut conn, &none, at)
            .await
            .unwrap();
    }
    let mut tx = stage.tx().await;
    for _ in 0..FLOOD {
        let recovery = tx.new_id();
        tx.emit(tenant, happened(recovery));
    }
    tx.commit().await.unwrap();
    let owed = unpublished(&mut conn, now() + TimeDelta::seconds(1), 10_000).await;
    let owed: Vec<OutboxId> = owed.unwrap().iter().map(|event| event.outbox).collect();
    assert_eq!(owed.len(), FLOOD);

    conn.batch_execute("BEGIN").await.unwrap();
    db::outbox::mark_published(&mut conn, &owed, at)
        .await
        .unwrap();
    let read: Read = diesel::sql_query(
        "SELECT seq_tup_read AS rows FROM pg_stat_xact_user_tables WHERE relname = 'outbox'",
    )
    .get_result(&mut conn)
    .await
    .unwrap();
    conn.batch_execute("COMMIT").await.unwrap();
    assert_eq!(read.rows, 0, "rows read from end to end");
    let marked = stage.count("outbox WHERE published_at IS NOT NULL").await;
    assert_eq!(usize::try_from(marked), Ok(FLOOD));
}

#[derive(QueryableByName)]
struct Read {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

#[tokio::test]
async fn what_one_organization_left_does_not_hide_anothers() {
    let stage = Stage::new().await;
    let (busy, quiet) = (stage.tenant("busy").await, stage.tenant("quiet").await);
    for (tenant, count) in [(busy, 40), (quiet, 2)] {
        let mut tx = stage.tx().await;
        for _ in 0..count {
            let recovery = tx.new_id();
            tx.emit(tenant, happened(recovery));
        }
        tx.commit().await.unwrap();
    }
    let mut conn = stage.db.read().await.unwrap();
    let mut left = Left {
        stream: Stream::Events,
        before: now() + TimeDelta::seconds(1),
        after: Uuid::nil(),
        share: 5,
        ahead: 5,
        limit: 100,
    };
    let of = |events: &[Envelope], tenant: Tenant| {
        let mine = events
            .iter()
            .filter(|it| it.organization == tenant.organization());
        mine.count()
    };
    let both = db::outbox::unpublished(&mut conn, &left).await.unwrap();
    assert_eq!((of(&both, busy), of(&both, quiet)), (5, 2));
    // And the next batch begins after the one that the last ended with.
    let first = both[0].organization;
    left.after = first.uuid();
    let rest = db::outbox::unpublished(&mut conn, &left).await.unwrap();
    assert!(!rest.is_empty());
    assert!(rest.iter().all(|it| it.organization != first), "{rest:?}");
}

#[tokio::test]
async fn changes_that_are_made_together_go_on_each_under_its_own_trace() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let of = |digit: &str| format!("00-{}-{}-01", digit.repeat(32), digit.repeat(16));
    let mut recoveries = Vec::new();
    for digit in ["a", "b"] {
        recoveries.push((digit, stage.recovery(tenant, digit).await.1));
    }
    let mut tx = stage.tx().await;
    for (digit, recovery) in &recoveries {
        let own = Cause {
            traceparent: Some(of(digit)),
            ..cause()
        };
        tx.go_on_under(&own.trace());
        let nothing = serde_json::json!({});
        db::timeline::announce(
            &mut tx,
            tenant,
            *recovery,
            "recovery.opened",
            "a test",
            nothing,
        );
        let decision = db::decisions::NewDecision {
            attempt: None,
            outcome: "wait",
            policy: None,
            variant: None,
            rule_pack: "a test's",
            words: "a test wants it".to_owned(),
            record: serde_json::json!({}),
        };
        db::decisions::add(&mut tx, tenant, *recovery, decision);
    }
    tx.commit().await.unwrap();
    let mut conn = stage.db.read().await.unwrap();
    for (digit, recovery) in recoveries {
        let trace = digit.repeat(32);
        for table in ["timeline", "decisions"] {
            let told = format!(
                "{table} WHERE recovery_id = '{}' AND trace_id = '{trace}'",
                recovery.uuid()
            );
            assert_eq!(count(&mut conn, &told).await, 1, "{told}");
        }
        let left = unpublished(&mut conn, now() + TimeDelta::days(1), 10)
            .await
            .unwrap();
        let event = left
            .iter()
            .find(|it| it.message.recovery() == Some(recovery));
        assert_eq!(event.unwrap().traceparent, Some(of(digit)));
    }
}
