//! In what order things made together are read.

use chrono::TimeDelta;
use serde_json::json;

use crate::stage::{Stage, cause};

#[tokio::test]
async fn entries_of_one_transaction_are_read_in_the_order_in_which_they_were_made() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (_, recovery) = stage.recovery(tenant, "order-1").await;
    let mut tx = stage.tx().await;
    let kinds: Vec<String> = (0..40).map(|number| format!("step.{number}")).collect();
    for kind in &kinds {
        db::timeline::add(&mut tx, tenant, recovery, kind, "", json!({}));
    }
    tx.commit().await.unwrap();
    let mut conn = stage.db.read().await.unwrap();
    let entries = db::timeline::of_recovery(&mut conn, tenant, recovery, 100).await;
    let read: Vec<String> = entries
        .unwrap()
        .into_iter()
        .map(|entry| entry.kind)
        .collect();
    let own: Vec<String> = read
        .into_iter()
        .filter(|kind| kind.starts_with("step."))
        .collect();
    assert_eq!(own, kinds);
}

/// Ids of one transaction sort among themselves; those of two that began in one millisecond
/// are random to each other.
#[tokio::test]
async fn entries_of_transactions_a_microsecond_apart_are_read_in_that_order() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (_, recovery) = stage.recovery(tenant, "order-1").await;
    let mut moment = cause();
    let kinds: Vec<String> = (0..20).map(|number| format!("step.{number}")).collect();
    for kind in &kinds {
        moment.at += TimeDelta::microseconds(1);
        let mut tx = stage.db.begin(moment.clone()).await.unwrap();
        db::timeline::add(&mut tx, tenant, recovery, kind, "", json!({}));
        tx.commit().await.unwrap();
    }
    let mut conn = stage.db.read().await.unwrap();
    let entries = db::timeline::of_recovery(&mut conn, tenant, recovery, 100).await;
    let read = entries.unwrap().into_iter().map(|entry| entry.kind);
    let own: Vec<String> = read.filter(|kind| kind.starts_with("step.")).collect();
    assert_eq!(own, kinds);
}
