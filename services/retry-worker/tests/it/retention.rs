//! What housekeeping keeps, and what it lets go.

use db::retention::Kept;
use retry_worker::housekeeping;

use crate::stage::Stage;

const OLD: &str = "SELECT ensure_partition('timeline', '2019-01-01'), ensure_partition('audit_log', '2019-01-01'),
                          ensure_partition('card_tries', '2019-01-01')";

async fn is_there(stage: &Stage, table: &str) -> bool {
    let client = stage.database.connect().await;
    let text = "SELECT to_regclass($1::text) IS NOT NULL";
    client.query_one(text, &[&table]).await.unwrap().get(0)
}

#[tokio::test]
async fn old_months_go_by_the_settings_and_what_the_tables_say() {
    let stage = Stage::new().await;
    stage
        .database
        .connect()
        .await
        .batch_execute(OLD)
        .await
        .unwrap();
    let kept = stage.settings().kept();
    assert_eq!((kept.history, kept.audit), (Some(36), None));
    housekeeping::partitions(&stage.api, kept).await.unwrap();
    assert!(!is_there(&stage, "timeline_2019_01").await);
    assert!(!is_there(&stage, "card_tries_2019_01").await);
    assert!(is_there(&stage, "audit_log_2019_01").await);
}

#[tokio::test]
async fn for_ever_is_for_ever() {
    let stage = Stage::new().await;
    stage
        .database
        .connect()
        .await
        .batch_execute(OLD)
        .await
        .unwrap();
    let kept = Kept {
        history: None,
        ..stage.settings().kept()
    };
    housekeeping::partitions(&stage.api, kept).await.unwrap();
    assert!(is_there(&stage, "timeline_2019_01").await);
}
