//! What stands before Postgres is told apart, and the unsafe is never taken for safe.

use std::sync::Arc;
use std::time::Duration;

use db::pooler::{Gate, Route, probe};
use db::{Db, DbConfig, DbError, LeaveToSweeper};
use secrecy::SecretString;
use testkit::{PgBouncer, PgBouncerEdition, PgBouncerOptions, TestDatabase, pooler};

const SAFE: PgBouncerOptions = PgBouncerOptions {
    edition: PgBouncerEdition::Current,
    prepared_statements: 200,
    pool_size: 20,
    port: None,
};
const TURNED_OFF: PgBouncerOptions = PgBouncerOptions {
    prepared_statements: 0,
    ..SAFE
};
const TOO_OLD: PgBouncerOptions = PgBouncerOptions {
    edition: PgBouncerEdition::Debian12,
    ..SAFE
};

async fn through(options: PgBouncerOptions) -> (TestDatabase, PgBouncer, SecretString) {
    let (database, pooler) = tokio::join!(TestDatabase::create(), pooler(options));
    let url = database.url_through(&pooler);
    (database, pooler, url)
}

#[tokio::test]
async fn nothing_in_between_is_told_as_nothing() {
    let database = TestDatabase::create().await;
    let url = SecretString::from(database.direct_url());
    assert_eq!(probe(&url).await.unwrap(), Route::Direct);
}

#[tokio::test]
async fn a_pooler_that_keeps_prepared_statements_apart_is_safe() {
    let (_database, _pooler, url) = through(SAFE).await;
    for _ in 0..3 {
        assert_eq!(probe(&url).await.unwrap(), Route::SafePooler);
    }
}

#[tokio::test]
async fn a_pooler_that_is_told_not_to_is_unsafe() {
    let (_database, _pooler, url) = through(TURNED_OFF).await;
    for _ in 0..3 {
        assert_eq!(probe(&url).await.unwrap(), Route::UnsafePooler);
    }
}

#[tokio::test]
async fn a_pooler_that_is_too_old_is_unsafe() {
    let (_database, _pooler, url) = through(TOO_OLD).await;
    for _ in 0..3 {
        assert_eq!(probe(&url).await.unwrap(), Route::UnsafePooler);
    }
}

/// With one connection to share there is no other one to be switched to.
#[tokio::test]
async fn the_smallest_pool_is_told_apart_too() {
    for (options, wanted) in [
        (SAFE, Route::SafePooler),
        (TURNED_OFF, Route::UnsafePooler),
        (TOO_OLD, Route::UnsafePooler),
    ] {
        let options = PgBouncerOptions {
            pool_size: 1,
            ..options
        };
        let (_database, _pooler, url) = through(options).await;
        assert_eq!(probe(&url).await.unwrap(), wanted, "{options:?}");
    }
}

/// Others hold connections open, and come and go on the rest.
#[tokio::test]
async fn a_busy_pool_is_told_apart_too() {
    for (options, wanted) in [(SAFE, Route::SafePooler), (TURNED_OFF, Route::UnsafePooler)] {
        let (database, pooler, url) = through(options).await;
        let mut holding = Vec::new();
        for _ in 0..6 {
            let client = database.connect_through(&pooler).await;
            client.batch_execute("BEGIN; SELECT 1").await.unwrap();
            holding.push(client);
        }
        let mut others = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let client = database.connect_through(&pooler).await;
            others.spawn(async move { while client.batch_execute("SELECT 1").await.is_ok() {} });
        }
        for _ in 0..5 {
            assert_eq!(probe(&url).await.unwrap(), wanted, "{options:?}");
        }
        others.shutdown().await;
    }
}

#[tokio::test]
async fn where_postgres_is_away_nothing_is_said_of_it() {
    let (_database, stopped, url) = through(SAFE).await;
    stopped.stop().await;
    let error = probe(&url).await.unwrap_err();
    assert!(matches!(error, DbError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn nothing_is_read_through_what_is_unsafe_or_not_known_yet() {
    let database = TestDatabase::create().await;
    let config = DbConfig {
        url: database.url().clone(),
        max_connections: 1,
        acquire_timeout: Duration::from_secs(5),
    };
    let over = |gate: &Gate| Db::behind(gate.clone(), &config, Arc::new(LeaveToSweeper));
    let gate = Gate::default();
    let db = over(&gate);
    gate.not_found(&DbError::Unavailable("it is being moved".to_owned()));
    let error = db.read().await.err().unwrap().to_string();
    assert_eq!(error, "Postgres is not available: it is being moved");
    gate.found(Route::SafePooler);
    db.read().await.unwrap();

    let refused = Gate::default();
    refused.found(Route::UnsafePooler);
    refused.found(Route::Direct);
    let error = over(&refused).read().await.err().unwrap().to_string();
    for named in ["DATABASE_URL", "1.21", "max_prepared_statements"] {
        assert!(error.contains(named), "{error}");
    }
}
