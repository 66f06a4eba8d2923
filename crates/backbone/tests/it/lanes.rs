//! Of no organization more than a bounded number of messages lies in Redis.

use contracts::{Message, Stream};
use domain::Channel;
use domain::id::{Notification, Recovery};

use crate::stage::{AHEAD, PATIENCE, Service, Stage};

const EMAILS: Stream = Stream::Notifications(Channel::Email);
/// Past the time for which a row is left to its own process (2 s).
const LEFT: i64 = 3;

fn ahead() -> usize {
    AHEAD.get().into()
}

/// Commits `count` emails of an organization, each in a transaction of its own.
async fn ask(service: &Service, slug: &str, count: usize) {
    for _ in 0..count {
        let backbone = &service.backbone;
        let mut tx = backbone.db.begin(backbone.cause()).await.unwrap();
        let (tenant, _) = db::organizations::ensure(&mut tx, slug, slug)
            .await
            .unwrap();
        let message = Message::NotificationRequested {
            notification: tx.new_id::<Notification>(),
            recovery: tx.new_id::<Recovery>(),
            channel: Channel::Email,
        };
        tx.emit(tenant, message);
        tx.commit().await.unwrap();
    }
}

/// Sends the first `count` of what lies in Redis, as the notifier would.
async fn send(stage: &Stage, service: &Service, count: usize) {
    let conn = service.backbone.db.read().await.unwrap();
    for entry in stage.entries(EMAILS).await.iter().take(count) {
        let id = entry.parse().unwrap();
        db::outbox::settle(&conn, id).await.unwrap();
    }
}

#[tokio::test]
async fn a_flood_of_one_organization_leaves_another_a_bounded_number_ahead() {
    let stage = Stage::new().await;
    let service = stage.service().await;
    ask(&service, "busy", 5 * ahead()).await;
    ask(&service, "quiet", 3).await;
    // The quiet one's are in Redis behind what the busy one may have ahead. A relay that
    // took several at once before they were marked may have counted short by as many.
    testkit::eventually(PATIENCE, async || {
        let quiet = "(SELECT id FROM organizations WHERE slug = 'quiet')";
        let waits = format!("organization_id = {quiet} AND published_at IS NULL");
        stage.count(&waits).await == 0
    })
    .await;
    assert_eq!(stage.entries(EMAILS).await.len(), ahead() + 3);
}

#[tokio::test]
async fn what_waits_for_room_goes_on_as_what_is_ahead_is_sent() {
    let stage = Stage::new().await;
    let service = stage.service().await;
    ask(&service, "busy", 3 * ahead()).await;
    testkit::eventually(PATIENCE, async || {
        stage.entries(EMAILS).await.len() == ahead()
    })
    .await;
    let sweeper = service.sweeper();
    stage.advance(LEFT);
    assert_eq!(sweeper.fill_up().await.unwrap(), 0, "there is no room");
    send(&stage, &service, 5).await;
    assert_eq!(sweeper.fill_up().await.unwrap(), 5);
    assert_eq!(sweeper.fill_up().await.unwrap(), 0, "it is taken again");

    // A new one waits its turn behind those that wait already.
    send(&stage, &service, 5).await;
    let before = stage.entries(EMAILS).await.len();
    ask(&service, "busy", 1).await;
    service.end().await;
    assert_eq!(stage.entries(EMAILS).await.len(), before);
}
