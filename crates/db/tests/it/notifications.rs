//! No message starts on its way once there is no reason for it.

use chrono::TimeDelta;
use db::notifications::{self, HandOver, Letter, NewMessage};
use db::recoveries::RecoveredBy;
use db::{Tenant, ending};
use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use domain::id::{NotificationId, RecoveryId, RecoveryLink};
use domain::{AttemptKind, Bar, Channel, NotificationState, PayerAddress, SuppressionReason};
use uuid::Uuid;

use crate::stage::{Stage, amount, now};

pub(crate) async fn queued(
    stage: &Stage,
    tenant: Tenant,
    reference: &str,
) -> (RecoveryId, NotificationId) {
    let (_, recovery) = stage.recovery(tenant, reference).await;
    let attempt = stage
        .due_attempt(tenant, recovery, AttemptKind::Message)
        .await;
    let mut tx = stage.tx().await;
    let link = tx.new_id::<RecoveryLink>();
    let mut hash = [0u8; 32];
    hash[..16].copy_from_slice(link.uuid().as_bytes());
    let expires_at = tx.now() + TimeDelta::hours(1);
    let asked = NewMessage {
        recovery,
        attempt,
        link,
        token_hash: hash,
        expires_at,
        channel: Channel::Email,
        address: "payer@example.com".to_owned(),
    };
    let id = notifications::ask(&mut tx, tenant, asked);
    tx.commit().await.unwrap();
    (recovery, id)
}

pub(crate) async fn letter(stage: &Stage, tenant: Tenant, id: NotificationId) -> Letter {
    let mut conn = stage.db.read().await.unwrap();
    let letter = notifications::letter(&mut conn, tenant, id).await;
    letter.unwrap().expect("the message is there")
}

pub(crate) async fn begin(stage: &Stage, letter: &Letter, worker: u128) -> bool {
    let mut conn = stage.db.read().await.unwrap();
    let now = now();
    let lease = now + TimeDelta::minutes(1);
    let worker = Uuid::from_u128(worker);
    notifications::begin_hand_over(&mut conn, letter, worker, now, lease)
        .await
        .unwrap()
}

/// Planning it takes many times what reading it does.
#[tokio::test]
async fn a_letter_is_not_planned_anew_for_each_message() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (_, id) = queued(&stage, tenant, "order-1").await;
    let mut conn = stage.db.read().await.unwrap();
    for _ in 0..10 {
        let letter = notifications::letter(&mut conn, tenant, id).await;
        assert_eq!(letter.unwrap().unwrap().id, id);
    }
    let plans: Plans = diesel::sql_query(
        "SELECT custom_plans, generic_plans FROM pg_prepared_statements
         WHERE statement LIKE 'SELECT n.id,%why_unreachable%'",
    )
    .get_result(&mut conn)
    .await
    .unwrap();
    // Postgres tries five before it compares.
    assert_eq!((plans.custom_plans, plans.generic_plans), (5, 5));
}

#[derive(QueryableByName)]
struct Plans {
    #[diesel(sql_type = BigInt)]
    custom_plans: i64,
    #[diesel(sql_type = BigInt)]
    generic_plans: i64,
}

#[tokio::test]
async fn of_two_that_would_hand_a_message_over_one_may() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (_, id) = queued(&stage, tenant, "order-1").await;
    let read = letter(&stage, tenant, id).await;
    assert_eq!(read.about.transaction_ref, "order-1");
    let (one, other) = tokio::join!(begin(&stage, &read, 1), begin(&stage, &read, 2));
    assert_ne!(one, other);
}

#[tokio::test]
async fn a_message_does_not_start_once_its_recovery_is_recovered() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (recovery, id) = queued(&stage, tenant, "order-1").await;
    // Read while it was open, as a notifier does just before.
    let read = letter(&stage, tenant, id).await;
    let mut tx = stage.tx().await;
    let by = RecoveredBy::Elsewhere;
    assert!(
        ending::recovered(&mut tx, tenant, recovery, amount(), by, None, "paid")
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    assert!(!begin(&stage, &read, 1).await);
    let now = letter(&stage, tenant, id).await;
    assert_eq!(now.state, NotificationState::Withdrawn);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_commits_while_a_hand_over_starts_is_seen() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (recovery, id) = queued(&stage, tenant, "order-1").await;
    let read = letter(&stage, tenant, id).await;
    let mut paying = stage.tx().await;
    db::recoveries::lock(&mut paying, tenant, recovery)
        .await
        .unwrap();
    let db = stage.db.clone();
    let handing_over = tokio::spawn(async move {
        let mut conn = db.read().await.unwrap();
        let now = now();
        let lease = now + TimeDelta::minutes(1);
        notifications::begin_hand_over(&mut conn, &read, Uuid::from_u128(1), now, lease)
            .await
            .unwrap()
    });
    testkit::eventually(crate::stage::PATIENCE, async || {
        stage.count("pg_locks WHERE NOT granted").await > 0
    })
    .await;
    let by = RecoveredBy::Link;
    ending::recovered(&mut paying, tenant, recovery, amount(), by, None, "paid")
        .await
        .unwrap();
    paying.commit().await.unwrap();
    assert!(!handing_over.await.unwrap());
}

#[tokio::test]
async fn a_hand_over_is_ended_by_who_began_it_and_taken_over_only_after_its_lease() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (_, id) = queued(&stage, tenant, "order-1").await;
    let read = letter(&stage, tenant, id).await;
    assert!(begin(&stage, &read, 1).await);
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let at = now();
    let mut conn = stage.db.read().await.unwrap();
    let lease = at + TimeDelta::minutes(9);
    let early = notifications::take_over(&mut conn, &read, two, at, lease).await;
    assert!(!early.unwrap());
    let later = at + TimeDelta::minutes(2);
    let late = notifications::take_over(&mut conn, &read, two, later, lease).await;
    assert!(late.unwrap());
    drop(conn);

    let mut tx = stage.tx().await;
    let result = HandOver {
        provider: Some("smtp"),
        ..HandOver::default()
    };
    let sent = NotificationState::Sent;
    for (worker, ends) in [(one, false), (two, true), (two, false)] {
        let ended = notifications::finish(&mut tx, &read, worker, sent, &result).await;
        assert_eq!(ended.unwrap(), ends);
    }
}

#[tokio::test]
async fn a_message_does_not_start_once_its_payer_must_not_be_written_to() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (_, id) = queued(&stage, tenant, "order-1").await;
    // Read while nothing kept it, as a notifier does just before.
    let read = letter(&stage, tenant, id).await;
    assert_eq!(read.barred, None);
    let mut tx = stage.tx().await;
    let address = PayerAddress::parse(Channel::Email, "payer@example.com").unwrap();
    let reason = SuppressionReason::OptedOut;
    db::suppressions::add(&mut tx, tenant, &address, reason, None)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(!begin(&stage, &read, 1).await);
    let now = letter(&stage, tenant, id).await;
    assert_eq!(now.state, NotificationState::Queued);
    assert_eq!(now.barred, Some(Bar::Suppressed(reason)));
}
