//! What there may be one of, there is one of, whoever comes at the same time.

use db::DbError;
use db::attempts::{Reserved, charge_under_way, claim_due, open_charge};
use domain::AttemptKind;
use uuid::Uuid;

use crate::stage::{Stage, claim, new_recovery, transaction};

#[tokio::test(flavor = "multi_thread")]
async fn of_reports_of_one_failure_that_come_at_once_one_is_the_first() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let reporting: Vec<_> = (0..8)
        .map(|_| {
            let db = stage.db.clone();
            tokio::spawn(async move {
                let mut tx = db.begin(crate::stage::cause()).await.unwrap();
                let claimed = db::failures::claim_key(&mut tx, tenant, "stripe", "ch_1")
                    .await
                    .unwrap();
                tx.commit().await.unwrap();
                claimed
            })
        })
        .collect();
    let mut first = Vec::new();
    let mut later = Vec::new();
    for one in reporting {
        match one.await.unwrap() {
            Ok(id) => first.push(id),
            Err(earlier) => later.push(earlier),
        }
    }
    assert_eq!(first.len(), 1);
    assert_eq!(later, vec![first[0]; 7]);

    let mut tx = stage.tx().await;
    let elsewhere = db::failures::claim_key(&mut tx, tenant, "razorpay", "ch_1").await;
    assert!(elsewhere.unwrap().is_ok(), "another source, another key");
}

#[tokio::test]
async fn a_report_that_was_not_committed_leaves_its_key_to_the_next() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let mut dropped = stage.tx().await;
    let claimed = db::failures::claim_key(&mut dropped, tenant, "stripe", "ch_1").await;
    assert!(claimed.unwrap().is_ok());
    drop(dropped);
    let mut tx = stage.tx().await;
    let claimed = db::failures::claim_key(&mut tx, tenant, "stripe", "ch_1").await;
    assert!(claimed.unwrap().is_ok());
}

#[tokio::test]
async fn a_second_open_recovery_of_a_transaction_is_refused_until_the_first_has_ended() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (transaction, recovery) = stage.recovery(tenant, "order-1").await;

    let mut tx = stage.tx().await;
    let second = db::recoveries::open(&mut tx, tenant, &new_recovery(transaction)).await;
    let Err(DbError::Refused { constraint, .. }) = second else {
        panic!("opened twice: {second:?}");
    };
    assert_eq!(constraint, "one_open_recovery");
    drop(tx);

    let mut tx = stage.tx().await;
    let cancelled = domain::RecoveryState::Cancelled;
    let ended = db::ending::ended(&mut tx, tenant, recovery, cancelled, "a test").await;
    assert!(ended.unwrap());
    let second = db::recoveries::open(&mut tx, tenant, &new_recovery(transaction)).await;
    assert!(second.is_ok());
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_of_one_transaction_that_come_at_once_open_one_recovery() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let opening: Vec<_> = (0..6)
        .map(|_| {
            let db = stage.db.clone();
            tokio::spawn(async move {
                let mut tx = db.begin(crate::stage::cause()).await.unwrap();
                // As every report does: the transaction's row first, which serializes them.
                let transaction = transaction(&mut tx, tenant, "order-1").await;
                let newest = db::recoveries::newest_of_transaction(&mut tx, tenant, transaction)
                    .await
                    .unwrap();
                let opened = newest.is_none();
                if opened {
                    db::recoveries::open(&mut tx, tenant, &new_recovery(transaction))
                        .await
                        .unwrap();
                }
                tx.commit().await.unwrap();
                opened
            })
        })
        .collect();
    let mut opened = 0;
    for one in opening {
        opened += i32::from(one.await.unwrap());
    }
    assert_eq!(opened, 1);
    assert_eq!(stage.count("recoveries").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_has_one_open_charge_however_many_ask_at_once() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (_, recovery) = stage.recovery(tenant, "order-1").await;
    stage.backlog(tenant, "scheduled", 8).await;
    let client = stage.database.connect().await;
    let of_one = format!("UPDATE attempts SET recovery_id = '{}'", recovery.uuid());
    client.batch_execute(&of_one).await.unwrap();
    let mut conn = stage.db.read().await.unwrap();
    let claimed = claim_due(&mut conn, &claim(1, Uuid::nil(), 8, 8)).await;
    let worker = Uuid::from_u128(1);
    let asking: Vec<_> = claimed
        .unwrap()
        .into_iter()
        .map(|attempt| {
            let db = stage.db.clone();
            tokio::spawn(async move {
                let mut tx = db.begin(crate::stage::cause()).await.unwrap();
                let reserved = open_charge(&mut tx, &attempt, worker).await.unwrap();
                tx.commit().await.unwrap();
                (reserved == Reserved::Yes).then_some(attempt)
            })
        })
        .collect();
    assert_eq!(asking.len(), 8);
    let mut holders = Vec::new();
    for one in asking {
        holders.extend(one.await.unwrap());
    }
    assert_eq!(holders.len(), 1);

    let mut tx = stage.tx().await;
    let again = open_charge(&mut tx, &holders[0], worker).await.unwrap();
    assert_eq!(again, Reserved::Yes, "its own holder may ask again");
    let other = open_charge(&mut tx, &holders[0], Uuid::from_u128(2)).await;
    assert_eq!(other.unwrap(), Reserved::NotHeld);
    let under_way = charge_under_way(tx.conn(), tenant, recovery).await;
    assert_eq!(under_way.unwrap(), Some(holders[0].id));
}

#[tokio::test]
async fn a_step_is_planned_once_though_two_plan_it() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (_, recovery) = stage.recovery(tenant, "order-1").await;
    stage
        .due_attempt(tenant, recovery, AttemptKind::Charge)
        .await;
    let mut tx = stage.tx().await;
    let due_at = tx.now();
    let copy = domain::schedule::Step {
        number: 1,
        kind: AttemptKind::Charge,
        channels: Vec::new(),
        why: "a copy".to_owned(),
        due_at,
    };
    let planned = db::attempts::schedule(&mut tx, tenant, recovery, &copy).await;
    assert_eq!(planned.unwrap(), None);
    tx.commit().await.unwrap();
    assert_eq!(stage.count("attempts").await, 1);
}
