//! A statement is prepared once a connection.

use db::attempts;
use uuid::Uuid;

use crate::stage::{Stage, claim, count};

#[tokio::test]
async fn ten_calls_prepare_a_statement_once() {
    let stage = Stage::with_connections(1).await;
    let tenant = stage.tenant("shop").await;
    let (_, recovery) = stage.recovery(tenant, "order-1").await;
    let mut conn = stage.db.read().await.unwrap();
    for _ in 0..10 {
        attempts::claim_due(&mut conn, &claim(1, Uuid::nil(), 1, 1))
            .await
            .unwrap();
        db::recoveries::find(&mut conn, tenant, recovery)
            .await
            .unwrap();
        attempts::next_due(&mut conn).await.unwrap();
    }
    for statement in [
        "WITH RECURSIVE turn%",
        "SELECT r.id%FROM recoveries r WHERE organization_id = $1 AND id = $2",
        "SELECT CASE%min(due_at)%",
    ] {
        let prepared = format!("pg_prepared_statements WHERE statement LIKE '{statement}'");
        assert_eq!(count(&mut conn, &prepared).await, 1, "{statement}");
    }
}
