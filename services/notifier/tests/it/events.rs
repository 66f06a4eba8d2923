//! Events that come at once are settled together, and do not wait for one another's organizations.

use std::collections::HashSet;

use domain::Channel;
use testkit::eventually;

use crate::harness::{SOON, Stage};

#[tokio::test]
async fn while_the_days_of_one_organization_are_counted_anew_the_events_of_others_are_settled() {
    let stage = Stage::new().await;
    let anna = stage.ask_of("anna", Channel::Email).await;
    let ben = stage.ask_of("ben", Channel::Email).await;
    let owed = |slug: &str| {
        format!(
            "outbox JOIN organizations o ON o.id = organization_id
             WHERE stream = 'events' AND slug = '{slug}'"
        )
    };
    // As `db::rollups::rebuild` holds it, for as long as it counts.
    let mut tx = stage
        .backbone
        .db
        .begin(stage.backbone.cause())
        .await
        .unwrap();
    let day = stage.backbone.clock.now().date_naive();
    db::rollups::rebuild(&mut tx, anna.tenant, day)
        .await
        .unwrap();

    let running = stage.start().await;
    stage.becomes(&anna, "sent").await;
    stage.becomes(&ben, "sent").await;
    eventually(SOON, async || stage.count(&owed("ben")).await == 0).await;
    assert_eq!(stage.count(&owed("anna")).await, 1);

    tx.commit().await.unwrap();
    stage.all_settled().await;
    eventually(SOON, async || stage.count("rollup_counts").await == 0).await;
    let sent = "rollups WHERE measure = 'sent' AND dimension = 'all' AND span_minutes = 1440 AND number = 1";
    assert_eq!(stage.count(sent).await, 2, "one of each");
    running.stop().await;
}

#[tokio::test]
async fn a_flood_of_events_is_settled_by_few_commits() {
    let stage = Stage::new().await;
    for _ in 0..40 {
        stage.ask(Channel::Email).await;
    }
    let running = stage.start().await;
    stage.all_settled().await;
    assert_eq!(stage.inbox("email").await.len(), 40);
    running.stop().await;
    let commits = stage.distinct("xmin::text", "recovery_milestones").await;
    assert!(commits.len() < 40, "{}", commits.len());
}

impl Stage {
    async fn distinct(&self, what: &str, table: &str) -> HashSet<String> {
        let sql = format!("SELECT DISTINCT {what} FROM {table}");
        let rows = self.client.query(&sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}
