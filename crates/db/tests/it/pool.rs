//! The pool's connections, whoever asked for them.

use std::sync::Arc;
use std::time::Duration;

use db::{Db, DbConfig, LeaveToSweeper};
use diesel_async::RunQueryDsl as _;

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
