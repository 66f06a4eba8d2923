//! Asking for messages: once, with all that belongs to it.

use chrono::TimeDelta;
use db::attempts::StoredAttempt;
use db::consents::NewConsent;
use db::underway::Underway;
use domain::{
    AttemptState, Channel, ConsentState, PayerAddress, Provider, RecoveryState, SuppressionReason,
};
use retry_worker::attempts;
use serde_json::json;

use crate::failed_payment::{Shop, message, policy};
use crate::stage::Stage;

async fn suppress(stage: &Stage, shop: &Shop, channel: Channel, address: &str) {
    let mut tx = stage.tx().await;
    let address = PayerAddress::parse(channel, address).unwrap();
    let reason = SuppressionReason::OptedOut;
    let new = db::suppressions::add(&mut tx, shop.tenant, &address, reason, None).await;
    assert!(new.unwrap());
    tx.commit().await.unwrap();
}

async fn say(stage: &Stage, shop: &Shop, channel: Channel, address: &str, said: ConsentState) {
    let mut tx = stage.tx().await;
    let new = NewConsent {
        address: &PayerAddress::parse(channel, address).unwrap(),
        state: said,
        source: "checkout",
        evidence: None,
        at: tx.now(),
    };
    let moved = db::consents::put(&mut tx, shop.tenant, &new).await;
    assert!(moved.unwrap());
    tx.commit().await.unwrap();
}

/// Nobody has to find and claim it: planning, the message and the plan after it are one commit.
#[tokio::test]
async fn a_message_that_is_due_as_it_is_planned_is_asked_for_by_whoever_plans_it() {
    let stage = Stage::new().await;
    let steps = json!([
        { "delay_seconds": 0, "action": "message", "channels": ["email", "sms"] },
        { "delay_seconds": 60, "action": "message", "channels": ["email"] },
    ]);
    let shop = stage.shop(&policy(&steps)).await;
    let (_, recovery) = stage.failed(&shop, "expired_card", &[]).await;
    stage.hear_of(recovery).await;
    let attempts = stage.attempts(shop.tenant, recovery).await;
    let [first, second] = attempts.as_slice() else {
        panic!("two steps are planned: {attempts:?}")
    };
    let stands = |it: &StoredAttempt| (it.number, it.state, it.claims);
    assert_eq!(stands(first), (1, AttemptState::Succeeded, 1));
    let asked = "Asked for a message by email and by sms";
    assert_eq!(first.outcome.as_deref(), Some(asked));
    assert_eq!(stands(second), (2, AttemptState::Scheduled, 0));
    let between = second.due_at - first.updated_at;
    assert_eq!(
        between.num_seconds(),
        60,
        "as after a step that was claimed"
    );

    let mut conn = stage.api.db.read().await.unwrap();
    let sent = db::notifications::of_recovery(&mut conn, shop.tenant, recovery).await;
    let of: Vec<_> = sent.unwrap().iter().map(|it| it.attempt).collect();
    assert_eq!(of, [first.id, first.id]);
    let stored = stage.recovery(shop.tenant, recovery).await;
    let kept = db::decisions::of_recovery(&mut conn, &stored, 10).await;
    let kept: Vec<_> = kept.unwrap().iter().map(|it| it.attempt).collect();
    assert_eq!(kept, [Some(first.id), Some(second.id)]);
    let told = stage.timeline(shop.tenant, recovery).await;
    let planned = "attempt.scheduled";
    assert_eq!(
        told[told.len() - 3..],
        [planned, "message.asked_for", planned]
    );
    assert_eq!(
        stage
            .count("outbox WHERE stream LIKE 'notifications:%'")
            .await,
        2
    );
}

#[tokio::test]
async fn a_message_that_is_due_while_a_payment_is_on_its_way_is_not_asked_for() {
    let stage = Stage::new().await;
    let shop = stage.shop(&message(&["email"])).await;
    let (payment, recovery) = stage.failed(&shop, "expired_card", &[]).await;
    let mut tx = stage.tx().await;
    let stored = stage.recovery(shop.tenant, recovery).await;
    let underway = Underway {
        provider: Provider::Stripe,
        payment: &payment.intent,
        bill: None,
        transaction: Some(stored.transaction),
        until: stage.now() + TimeDelta::hours(1),
    };
    let begun = db::underway::begin(&mut tx, shop.tenant, &underway).await;
    assert!(begun.unwrap());
    tx.commit().await.unwrap();
    stage.hear_of(recovery).await;
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Scheduled]);
    assert_eq!(stage.count("notifications").await, 0);
}

#[tokio::test]
async fn a_message_attempt_writes_a_notification_a_link_and_an_event_for_each_channel() {
    let stage = Stage::new().await;
    let shop = stage.shop(&message(&["email", "sms"])).await;
    let (_, recovery) = stage.waiting(&shop).await;
    let worker = stage.parts();
    let claimed = stage.act(&worker).await;

    let mut conn = stage.api.db.read().await.unwrap();
    let sent = db::notifications::of_recovery(&mut conn, shop.tenant, recovery).await;
    let sent = sent.unwrap();
    // Rows of one millisecond have no order among them.
    let mut channels: Vec<_> = sent.iter().map(|message| message.channel).collect();
    channels.sort_unstable();
    assert_eq!(channels, [Channel::Email, Channel::Sms]);
    let links = db::links::of_recovery(&mut conn, shop.tenant, recovery).await;
    let links = links.unwrap();
    assert_eq!(links.len(), 2);
    for link in &links {
        assert_eq!(link.attempt, Some(claimed.id));
        let token = domain::token::derive(&worker.link_key, link.id);
        let hash = domain::token::hash(&token);
        let found = db::links::by_token_hash(&mut conn, &hash).await.unwrap();
        assert_eq!(found.map(|found| found.id), Some(link.id));
    }
    drop(conn);
    for channel in ["email", "sms"] {
        let owed = format!("outbox WHERE stream = 'notifications:{channel}'");
        assert_eq!(stage.count(&owed).await, 1, "{channel}");
    }
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Succeeded]);

    // The same claim again, as of a worker that was believed dead.
    attempts::act(&worker, claimed).await;
    assert_eq!(stage.count("notifications").await, 2);
    assert_eq!(stage.count("recovery_links").await, 2);
    assert_eq!(
        stage
            .count("outbox WHERE stream LIKE 'notifications:%'")
            .await,
        2
    );
}

#[tokio::test]
async fn after_the_last_message_the_payer_has_as_long_as_the_link_lives() {
    let stage = Stage::new().await;
    let shop = stage.shop(&message(&["email"])).await;
    let (_, recovery) = stage.waiting(&shop).await;
    stage.act(&stage.parts()).await;
    let recovery = stage.recovery(shop.tenant, recovery).await;
    assert!(recovery.plan_done);
    let left = recovery.closes_at - stage.now();
    assert!(left <= TimeDelta::seconds(300), "{left}");
    assert!(left > TimeDelta::seconds(200), "{left}");
}

#[tokio::test]
async fn an_address_that_was_suppressed_meanwhile_is_not_written_to() {
    let stage = Stage::new().await;
    let shop = stage.shop(&message(&["email", "sms"])).await;
    let (_, recovery) = stage.waiting(&shop).await;
    suppress(&stage, &shop, Channel::Sms, "+447400123456").await;
    stage.act(&stage.parts()).await;
    assert_eq!(
        stage.count("notifications WHERE channel = 'email'").await,
        1
    );
    assert_eq!(stage.count("notifications").await, 1);
    assert_eq!(stage.count("recovery_links").await, 1);
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Succeeded]);
}

#[tokio::test]
async fn a_payer_who_can_be_written_to_no_more_ends_the_recovery() {
    let stage = Stage::new().await;
    let shop = stage.shop(&message(&["email"])).await;
    let (_, recovery) = stage.waiting(&shop).await;
    suppress(&stage, &shop, Channel::Email, "Payer@example.com").await;
    stage.act(&stage.parts()).await;
    assert_eq!(stage.count("notifications").await, 0);
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Cancelled]);
    let recovery = stage.recovery(shop.tenant, recovery).await;
    assert_eq!(recovery.state, RecoveryState::Exhausted);
}

#[tokio::test]
async fn a_recovery_that_ended_between_claim_and_message_is_not_written_about() {
    let stage = Stage::new().await;
    let shop = stage.shop(&message(&["email"])).await;
    let (_, recovery) = stage.waiting(&shop).await;
    let worker = stage.parts();
    let claimed = stage.claim(worker.id, stage.now() + worker.lease).await;
    let mut tx = stage.tx().await;
    let cancelled = RecoveryState::Cancelled;
    let ended = db::ending::ended(&mut tx, shop.tenant, recovery, cancelled, "not wanted");
    assert!(ended.await.unwrap());
    tx.commit().await.unwrap();
    attempts::act(&worker, claimed).await;
    assert_eq!(stage.count("notifications").await, 0);
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Cancelled]);
}

#[tokio::test]
async fn whatsapp_is_written_to_only_after_an_opt_in_and_the_timeline_says_so() {
    let stage = Stage::new().await;
    let shop = stage.shop(&message(&["email", "whatsapp"])).await;
    say(
        &stage,
        &shop,
        Channel::WhatsApp,
        "+447400123456",
        ConsentState::Granted,
    )
    .await;
    let (_, recovery) = stage.waiting(&shop).await;
    say(
        &stage,
        &shop,
        Channel::WhatsApp,
        "+447400123456",
        ConsentState::Withdrawn,
    )
    .await;
    stage.act(&stage.parts()).await;
    assert_eq!(
        stage.count("notifications WHERE channel = 'email'").await,
        1
    );
    assert_eq!(stage.count("notifications").await, 1);
    let mut conn = stage.api.db.read().await.unwrap();
    let timeline = db::timeline::of_recovery(&mut conn, shop.tenant, recovery, 100).await;
    let timeline = timeline.unwrap();
    let asked = timeline.iter().find(|it| it.kind == "message.asked_for");
    assert_eq!(
        asked.unwrap().why,
        "Asked for a message by email; not by whatsapp: the payer's consent was withdrawn"
    );
}

#[tokio::test]
async fn a_channel_without_its_opt_in_is_not_planned_for() {
    let stage = Stage::new().await;
    let shop = stage.shop(&message(&["whatsapp"])).await;
    let (_, recovery) = stage.failed(&shop, "expired_card", &[]).await;
    stage.hear_of(recovery).await;
    assert_eq!(stage.count("attempts").await, 0);
    let recovery = stage.recovery(shop.tenant, recovery).await;
    assert_eq!(recovery.state, RecoveryState::Exhausted);
}
