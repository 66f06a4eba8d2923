//! Tables that begin empty are looked at once they hold something.

use chrono::Datelike;
use db::statistics;

use crate::stage::{PATIENCE, Stage, now};

/// The present month's of attempts.
fn partition() -> String {
    format!("public.attempts_{}_{:02}", now().year(), now().month())
}

#[tokio::test]
async fn a_table_is_looked_at_once_it_holds_something_and_not_again() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let mut conn = stage.db.read().await.unwrap();
    let partition = partition();
    stage.backlog(tenant, "succeeded", 400).await;
    assert!(
        !statistics::analyze_outgrown(&mut conn)
            .await
            .unwrap()
            .contains(&partition)
    );

    stage.backlog(tenant, "succeeded", 400).await;
    // What was written is counted a second later at most.
    let looked_at = testkit::eventually(PATIENCE, async || {
        let new = statistics::analyze_outgrown(&mut conn).await.unwrap();
        new.contains(&partition).then_some(new)
    })
    .await;
    assert_eq!(looked_at, [partition], "nothing else has so many rows");
    let known = "pg_stats WHERE attname = 'organization_id' AND n_distinct = 1
                 AND tablename LIKE 'attempts_2%'";
    assert_eq!(stage.count(known).await, 1);

    stage.backlog(tenant, "succeeded", 800).await;
    let written = "pg_stat_user_tables WHERE n_mod_since_analyze >= 800";
    testkit::eventually(PATIENCE, async || stage.count(written).await == 1).await;
    let again = statistics::analyze_outgrown(&mut conn).await.unwrap();
    assert!(again.is_empty(), "that is autovacuum's: {again:?}");
}

#[tokio::test]
async fn a_table_that_was_emptied_is_looked_at_again_as_it_fills() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let mut conn = stage.db.read().await.unwrap();
    let client = stage.database.connect().await;
    client.batch_execute("VACUUM (ANALYZE)").await.unwrap();
    stage.backlog(tenant, "succeeded", 600).await;
    let partition = partition();
    testkit::eventually(PATIENCE, async || {
        let outgrown = statistics::analyze_outgrown(&mut conn).await.unwrap();
        outgrown.contains(&partition)
    })
    .await;
    let known = format!("pg_class WHERE oid = '{partition}'::regclass AND reltuples = 600");
    assert_eq!(stage.count(&known).await, 1);
}
