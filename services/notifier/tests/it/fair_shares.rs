//! What is slow of one organization lets others' messages pass.

use domain::Channel;
use serde_json::json;
use testkit::eventually;

use crate::harness::{Asked, SOON, Stage};

/// More than the notifier holds and lets wait aside.
const FLOOD: usize = 200;
const FEW: usize = 5;
/// Half of a channel's places.
const SHARE: u64 = 8;

async fn sent(stage: &Stage, asked: &[Asked]) -> usize {
    let mut sent = 0;
    for asked in asked {
        sent += usize::from(stage.state(asked).await == "sent");
    }
    sent
}

#[tokio::test]
async fn slow_messages_of_one_organization_leave_anothers_five_places_at_once() {
    let mut stage = Stage::new().await;
    stage.set("TINKO__HAND_OVER_TIMEOUT_MS", "60000");
    stage.set("TINKO__HAND_OVER_LEASE_MS", "120000");
    stage.set("TINKO__PREFETCH", "16");
    // One more, should one organization get more places than its share.
    let slow = json!({ "target": "twilio", "mode": "slow", "ms": 15_000, "times": SHARE + 1 });
    stage.fault(slow).await;
    let mut flood = Vec::new();
    for _ in 0..FLOOD {
        flood.push(stage.ask(Channel::Sms).await);
    }
    let running = stage.start().await;
    eventually(SOON, async || stage.fired().await == SHARE).await;

    let mut few = Vec::new();
    for _ in 0..FEW {
        few.push(stage.ask_of("quiet", Channel::Sms).await);
    }
    // The ninth slow one is among these: four come at once.
    eventually(SOON, async || sent(&stage, &few).await >= FEW - 1).await;
    assert_eq!(
        sent(&stage, &flood).await,
        0,
        "the slow ones are at it still"
    );
    stage.mend().await;

    for asked in few.iter().chain(&flood) {
        stage.becomes(asked, "sent").await;
    }
    stage.all_settled().await;
    assert_eq!(stage.inbox("sms").await.len(), FLOOD + FEW);
    running.stop().await;
    // Letting others pass is no failed try.
    let sql = "SELECT count(*) FROM timeline WHERE kind LIKE '%delayed%'";
    let delayed: i64 = stage.client.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(delayed, 0);
}
