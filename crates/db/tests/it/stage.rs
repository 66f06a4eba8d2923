//! A database of one test's own, and short ways to put rows into it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use db::attempts::{Claim, UnderWay};
use db::recoveries::NewRecovery;
use db::transactions::Report;
use db::{Cause, Conn, Db, DbConfig, LeaveToSweeper, Tenant, Tx};
use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use domain::classification::{Category, Hardness};
use domain::id::{AttemptId, RecoveryId, TransactionId};
use domain::schedule::Step;
use domain::transaction_ref::TransactionRef;
use domain::{AttemptKind, Currency, Money};
use testkit::TestDatabase;
use uuid::Uuid;

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Stage {
    pub(crate) database: TestDatabase,
    pub(crate) db: Db,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with_connections(8).await
    }

    pub(crate) async fn with_connections(max_connections: u32) -> Self {
        Self::over(TestDatabase::create().await, max_connections)
    }

    pub(crate) fn over(database: TestDatabase, max_connections: u32) -> Self {
        let db = Self::pool(&database, max_connections);
        Self { database, db }
    }

    /// Connections as another process has them.
    pub(crate) fn pool(database: &TestDatabase, max_connections: u32) -> Db {
        let config = DbConfig {
            url: database.url().clone(),
            max_connections,
            acquire_timeout: PATIENCE,
        };
        Db::new(&config, Arc::new(LeaveToSweeper))
    }

    pub(crate) async fn tx(&self) -> Tx {
        self.db.begin(cause()).await.unwrap()
    }

    pub(crate) async fn tenant(&self, slug: &str) -> Tenant {
        let mut tx = self.tx().await;
        let (tenant, _) = db::organizations::ensure(&mut tx, slug, slug)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        tenant
    }

    /// An open recovery of 12.34 USD.
    pub(crate) async fn recovery(
        &self,
        tenant: Tenant,
        reference: &str,
    ) -> (TransactionId, RecoveryId) {
        let mut tx = self.tx().await;
        let transaction = transaction(&mut tx, tenant, reference).await;
        let recovery = db::recoveries::open(&mut tx, tenant, &new_recovery(transaction))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        (transaction, recovery)
    }

    /// The recovery's first step, due a second ago.
    pub(crate) async fn due_attempt(
        &self,
        tenant: Tenant,
        recovery: RecoveryId,
        kind: AttemptKind,
    ) -> AttemptId {
        let mut tx = self.tx().await;
        let due_at = tx.now() - TimeDelta::seconds(1);
        let new = Step {
            number: 1,
            kind,
            channels: match kind {
                AttemptKind::Charge => Vec::new(),
                AttemptKind::Message => vec![domain::Channel::Email],
            },
            why: "a test wants it".to_owned(),
            due_at,
        };
        let attempt = db::attempts::schedule(&mut tx, tenant, recovery, &new)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        attempt.unwrap()
    }

    /// Attempts in bulk, all due, of recoveries that need not exist.
    pub(crate) async fn backlog(&self, tenant: Tenant, state: &str, count: u32) {
        let organization = tenant.organization().uuid();
        let rows = format!(
            "INSERT INTO attempts (id, organization_id, recovery_id, number, kind, state, why,
                                   due_at, created_at, updated_at)
             SELECT (left(uuid7_floor(now())::text, 14) || right(gen_random_uuid()::text, 22))::uuid,
                    '{organization}', gen_random_uuid(), 1, 'charge', '{state}', 'in bulk',
                    now() - n * interval '1 second', now(), now()
             FROM generate_series(1, {count}) AS n"
        );
        let client = self.database.connect().await;
        client.batch_execute(&rows).await.unwrap();
    }

    pub(crate) async fn count(&self, from_and_where: &str) -> i64 {
        let mut conn = self.db.read().await.unwrap();
        count(&mut conn, from_and_where).await
    }
}

pub(crate) async fn count(conn: &mut Conn, from_and_where: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let rows: Row = diesel::sql_query(format!("SELECT count(*) AS n FROM {from_and_where}"))
        .get_result(conn)
        .await
        .unwrap();
    rows.n
}

pub(crate) async fn transaction(tx: &mut Tx, tenant: Tenant, reference: &str) -> TransactionId {
    let reference = TransactionRef::parse(reference).unwrap();
    db::transactions::upsert(tx, tenant, &reference, amount(), &Report::default())
        .await
        .unwrap()
        .id
}

pub(crate) fn new_recovery(transaction: TransactionId) -> NewRecovery {
    NewRecovery {
        transaction,
        amount: amount(),
        category: Category::InsufficientFunds,
        hardness: Hardness::Soft,
        policy: None,
        assigned: db::recoveries::Assigned::default(),
        closes_at: now() + TimeDelta::days(1),
    }
}

pub(crate) fn amount() -> Money {
    Money::new(1234, Currency::parse("USD").unwrap()).unwrap()
}

pub(crate) fn cause() -> Cause {
    Cause {
        at: now(),
        actor: "test".to_owned(),
        traceparent: None,
        tracestate: None,
    }
}

/// Who claims, and how much.
pub(crate) fn claim(
    worker: u128,
    after: Uuid,
    per_organization: i64,
    limit: i64,
) -> Claim<'static> {
    let now = now();
    Claim {
        worker: Uuid::from_u128(worker),
        now,
        lease_until: now + TimeDelta::minutes(2),
        after,
        per_organization,
        limit,
        under_way: UnderWay::default(),
    }
}

/// Partitions are those of the present month, so tests live in it.
#[expect(
    clippy::disallowed_methods,
    reason = "a test is an edge where the clock is read"
)]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}
