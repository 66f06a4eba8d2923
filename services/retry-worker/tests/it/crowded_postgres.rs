//! A Postgres that cannot keep up delays attempts by seconds, not by their leases.

use std::time::Duration;

use domain::RecoveryState;

use serde_json::json;

use crate::failed_payment::policy;
use crate::running::Running;
use crate::stage::{PATIENCE, Stage};

const MANY: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn what_postgres_had_no_time_for_is_taken_up_again_long_before_its_lease_ends() {
    let stage = Stage::new().await;
    let steps = json!([{ "delay_seconds": 500, "action": "charge" }]);
    let shop = stage.shop(&policy(&steps)).await;
    let mut failed = Vec::new();
    for _ in 0..MANY {
        failed.push(stage.failed(&shop, "insufficient_funds", &["ok"]).await);
    }
    let planner = stage.worker();
    let all = i64::try_from(MANY).unwrap();
    let scheduled = "attempts WHERE state = 'scheduled'";
    testkit::eventually(PATIENCE, async || stage.count(scheduled).await == all).await;
    planner.stop().await;

    let mut settings = stage.settings();
    settings.backbone.database_max_connections = 2;
    settings.backbone.database_acquire_timeout_ms = 150;
    settings.lease_ms = 3_600_000;
    // All of them at once.
    settings.organization_share_percent = 100.try_into().unwrap();
    let mut holder = stage.database.connect().await;
    let due = "UPDATE attempts SET due_at = now()";
    holder.batch_execute(due).await.unwrap();
    let held = holder.transaction().await.unwrap();
    // Whoever has one of both connections waits for this, and all others for them.
    let lock = "LOCK TABLE transactions IN ACCESS EXCLUSIVE MODE";
    held.batch_execute(lock).await.unwrap();
    let worker = Running::start(settings);
    let claimed = "attempts WHERE state = 'claimed'";
    testkit::eventually(PATIENCE, async || stage.count(claimed).await == all).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    held.rollback().await.unwrap();

    for (payment, recovery) in &failed {
        let recovered = RecoveryState::Recovered;
        stage.until(shop.tenant, *recovery, recovered).await;
        assert_eq!(stage.successes(&payment.intent).await, 1);
    }
    worker.stop().await;
}
