//! Two workers over the same backlog.

use std::collections::BTreeSet;

use crate::failed_payment::charges;
use crate::stage::{PATIENCE, Stage};

const BACKLOG: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_over_one_backlog_charge_each_recovery_once() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(3)).await;
    for at in 0..BACKLOG {
        // Some take more than one charge.
        let outcomes: &[&str] = if at % 5 == 0 {
            &["insufficient_funds", "ok"]
        } else {
            &["ok"]
        };
        stage.failed(&shop, "insufficient_funds", outcomes).await;
    }
    let (one, other) = (stage.worker(), stage.worker());
    let all = i64::try_from(BACKLOG).unwrap();
    testkit::eventually(PATIENCE, async || {
        stage.count("recoveries WHERE state = 'recovered'").await == all
    })
    .await;
    one.stop().await;
    other.stop().await;

    let succeeded = stage.ledger("succeeded=true").await;
    assert_eq!(succeeded.len(), BACKLOG);
    let payments: BTreeSet<&str> = succeeded
        .iter()
        .map(|charge| charge["payment"].as_str().unwrap())
        .collect();
    assert_eq!(payments.len(), BACKLOG);
    assert_eq!(stage.count("attempts WHERE state = 'succeeded'").await, all);
    assert_eq!(stage.count("open_charges").await, 0);
}
