//! The pool's connections, whoever asked for them.

use std::sync::Arc;
use std::time::Duration;

use db::{Conn, Db, DbConfig, LeaveToSweeper};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Integer};
use diesel_async::RunQueryDsl as _;
use secrecy::SecretString;

use crate::stage::Stage;

#[tokio::test]
async fn a_connection_outlives_the_runtime_that_asked_for_it() {
    let stage = Stage::new().await;
    let config = DbConfig {
        url: stage.database.url().clone(),
        max_connections: 1,
        acquire_timeout: Duration::from_secs(10),
    };
    let db = Db::new(&config, Arc::new(LeaveToSweeper));
    // As a worker of an HTTP server that ends while the others go on.
    let asking = db.clone();
    let worker = move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        runtime.block_on(async { drop(asking.read().await.unwrap()) });
    };
    tokio::task::spawn_blocking(worker).await.unwrap();
    assert_eq!(db.pool_size(), (0, 1));
    let mut conn = db.read().await.unwrap();
    let asked = diesel::sql_query("SELECT 1").execute(&mut conn).await;
    asked.unwrap();
}

/// As when Postgres or a pooler restarts under a process that has little to do just then: its
/// requests must not meet one dead connection after the other.
#[tokio::test]
async fn connections_that_were_closed_meanwhile_are_not_met_one_by_one() {
    const IDLE: u32 = 8;
    let stage = Stage::new().await;
    let config = DbConfig {
        // A pooler would put others in their place.
        url: SecretString::from(stage.database.direct_url()),
        max_connections: IDLE,
        acquire_timeout: Duration::from_secs(10),
    };
    let db = Db::new(&config, Arc::new(LeaveToSweeper));
    let mut pids = Vec::new();
    let mut in_use = Vec::new();
    for _ in 0..IDLE {
        let mut conn = db.read().await.unwrap();
        pids.push(pid(&mut conn).await.unwrap());
        in_use.push(conn);
    }
    drop(in_use);
    let mut other = stage.db.read().await.unwrap();
    let closing = diesel::sql_query("SELECT pg_terminate_backend(pid) FROM unnest($1) AS it (pid)");
    let closing = closing.bind::<Array<Integer>, _>(&pids);
    closing.execute(&mut other).await.unwrap();
    let left = || {
        let left = diesel::sql_query("SELECT FROM pg_stat_activity WHERE pid = ANY ($1)");
        left.bind::<Array<Integer>, _>(&pids)
    };
    while left().execute(&mut other).await.unwrap() > 0 {}
    let mut failed = 0;
    while pid(&mut db.read().await.unwrap()).await.is_err() {
        failed += 1;
    }
    // One may be met before this process has heard that it is closed.
    assert!(failed < IDLE / 2, "{failed} of {IDLE} were met");
}

async fn pid(conn: &mut Conn) -> diesel::QueryResult<i32> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Integer)]
        pid: i32,
    }
    let row: Row = diesel::sql_query("SELECT pg_backend_pid() AS pid")
        .get_result(conn)
        .await?;
    Ok(row.pid)
}
