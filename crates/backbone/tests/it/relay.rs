//! A commit publishes by itself.

use std::time::Duration;

use contracts::Stream;

use crate::stage::Stage;

#[tokio::test]
async fn what_commits_lies_in_its_stream_at_once_and_is_marked() {
    let stage = Stage::new().await;
    let service = stage.service().await;
    service.commit_events(3).await;
    stage.all_published().await;

    let client = stage.database.connect().await;
    let rows = client
        .query(
            "SELECT 'obx_' || replace(id::text, '-', '') FROM outbox",
            &[],
        )
        .await
        .unwrap();
    let mut stored: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut streamed = stage.entries(Stream::Events).await;
    stored.sort_unstable();
    streamed.sort_unstable();
    assert_eq!(streamed, stored);
    for other in Stream::ALL {
        if other != Stream::Events {
            assert!(stage.entries(other).await.is_empty(), "{other}");
        }
    }
}

#[tokio::test]
async fn a_service_that_ends_has_published_all_that_it_committed() {
    let stage = Stage::new().await;
    let service = stage.service().await;
    for _ in 0..20 {
        service.commit_events(50).await;
    }
    service.end().await;
    assert_eq!(stage.count("published_at IS NULL").await, 0);
    assert_eq!(stage.entries(Stream::Events).await.len(), 1_000);
}

#[tokio::test]
async fn whoever_still_holds_a_pool_does_not_hold_the_end_up() {
    let stage = Stage::new().await;
    let service = stage.service().await;
    let (health, lingering) = (service.backbone.health(), service.backbone.clone());
    service.commit_events(10).await;
    let ending = tokio::time::timeout(Duration::from_secs(10), service.end());
    ending.await.expect("it ends at once");
    assert_eq!(stage.count("published_at IS NULL").await, 0);
    drop((health, lingering));
}

#[tokio::test]
async fn a_transaction_that_is_dropped_publishes_nothing() {
    let stage = Stage::new().await;
    let service = stage.service().await;
    let backbone = &service.backbone;
    let mut tx = backbone.db.begin(backbone.cause()).await.unwrap();
    let (tenant, _) = db::organizations::ensure(&mut tx, "Ghost", "ghost")
        .await
        .unwrap();
    let recovery = tx.new_id();
    let failure = tx.new_id();
    tx.emit(
        tenant,
        contracts::Message::FailureRecorded { recovery, failure },
    );
    drop(tx);
    service.commit_events(1).await;
    stage.all_published().await;
    assert_eq!(stage.entries(Stream::Failures).await, Vec::<String>::new());
    assert_eq!(stage.count("true").await, 1);
}

#[tokio::test]
async fn a_cause_names_the_service_or_whoever_it_acts_for() {
    let stage = Stage::new().await;
    let service = stage.service().await;
    assert_eq!(service.backbone.cause().actor, "test");
    assert_eq!(service.backbone.cause_by("payer").actor, "payer");
    let at = runtime::clock::Clock::now(&*stage.clock);
    assert_eq!(service.backbone.cause().at, at);
}
