//! What goes wrong is told apart by what can be done about it.

use std::sync::Arc;
use std::time::Duration;

use db::{Db, DbConfig, DbError, LeaveToSweeper};
use diesel_async::RunQueryDsl;
use secrecy::SecretString;
use testkit::TestDatabase;

use crate::stage::{Stage, cause};

fn db(url: SecretString, max_connections: u32) -> Db {
    let config = DbConfig {
        url,
        max_connections,
        acquire_timeout: Duration::from_millis(300),
    };
    Db::new(&config, Arc::new(LeaveToSweeper))
}

#[tokio::test]
async fn a_unique_key_that_refuses_a_row_is_named() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let mut tx = stage.tx().await;
    let scopes = ["read".to_owned()];
    let hash = [7u8; 32];
    db::api_keys::add(&mut tx, tenant, "one", "tk_1", &hash, &scopes, None)
        .await
        .unwrap();
    let twice = db::api_keys::add(&mut tx, tenant, "two", "tk_2", &hash, &scopes, None).await;
    let error = twice.unwrap_err();
    let DbError::Refused { constraint, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(constraint, "api_keys_key_hash_key");
    assert!(!error.is_passing());
}

#[tokio::test]
async fn a_check_that_refuses_a_row_is_named() {
    let stage = Stage::new().await;
    let mut tx = stage.tx().await;
    let refused = db::organizations::ensure(&mut tx, "Shop", "Not A Slug").await;
    let Err(DbError::Refused { constraint, .. }) = refused else {
        panic!("a slug with blanks was taken");
    };
    assert_eq!(constraint, "organizations_slug_check");
}

#[tokio::test]
async fn a_pool_with_nothing_free_says_that_it_is_exhausted() {
    let stage = Stage::new().await;
    let db = db(stage.database.url().clone(), 1);
    let held = db.read().await.unwrap();
    let error = db.read().await.map(|_| ()).unwrap_err();
    assert!(matches!(error, DbError::Exhausted), "{error:?}");
    assert!(error.is_passing());
    assert_eq!(db.pool_size(), (1, 1));
    drop(held);
    assert!(db.read().await.is_ok());
}

#[tokio::test]
async fn a_postgres_that_is_away_is_trouble_that_passes() {
    // Nothing listens on port 1.
    let url = SecretString::from("postgres://nobody@127.0.0.1:1/nothing");
    let error = db(url, 1).begin(cause()).await.map(|_| ()).unwrap_err();
    assert!(error.is_passing(), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_postgres_ends_is_trouble_that_passes_and_is_replaced() {
    let database = TestDatabase::create().await;
    // A pooler would take another one, and nobody be the wiser.
    let db = db(SecretString::from(database.direct_url()), 1);
    let mut conn = db.read().await.unwrap();
    let client = database.connect().await;
    client
        .batch_execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await
        .unwrap();
    let error = db::attempts::next_due(&mut conn).await.unwrap_err();
    assert!(error.is_passing(), "{error:?}");
    drop(conn);
    // A statement may fail a moment before the client hears that its connection is
    // gone: till then the pool may hand it out once more, and the error passes too.
    let next = testkit::eventually(crate::stage::PATIENCE, async || {
        let mut conn = db.read().await.unwrap();
        let next = db::attempts::next_due(&mut conn).await;
        next.inspect_err(|error| assert!(error.is_passing(), "{error:?}"))
            .ok()
    });
    assert_eq!(next.await, None);
}

#[tokio::test]
async fn two_transactions_that_wait_for_each_other_are_contention() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (_, first) = stage.recovery(tenant, "order-1").await;
    let (_, second) = stage.recovery(tenant, "order-2").await;
    let (mut one, mut other) = (stage.tx().await, stage.tx().await);
    for tx in [&mut one, &mut other] {
        diesel::sql_query("SET LOCAL deadlock_timeout = '50ms'")
            .execute(tx.conn())
            .await
            .unwrap();
    }
    db::recoveries::lock(&mut one, tenant, first).await.unwrap();
    db::recoveries::lock(&mut other, tenant, second)
        .await
        .unwrap();
    // Postgres fails one of them, which lets the other go on.
    let (one, other) = tokio::join!(
        db::recoveries::lock(&mut one, tenant, second),
        db::recoveries::lock(&mut other, tenant, first)
    );
    assert_ne!(one.is_ok(), other.is_ok());
    let error = one.and(other).unwrap_err();
    assert!(matches!(error, DbError::Contention(_)), "{error:?}");
    assert!(error.is_passing());
}
