//! In what order things made together are read.

use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn entries_of_one_transaction_are_read_in_the_order_in_which_they_were_made() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (_, recovery) = stage.recovery(tenant, "order-1").await;
    let mut tx = stage.tx().await;
    let kinds: Vec<String> = (0..40).map(|number| format!("step.{number}")).collect();
    for kind in &kinds {
        db::timeline::add(&mut tx, tenant, recovery, kind, "", json!({}))
            .await
            .unwrap();
    }
    let entries = db::timeline::of_recovery(tx.conn(), tenant, recovery, 100).await;
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
