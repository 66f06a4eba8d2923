//! The daily comparison of every organization that has a PSP.

use db::DbError;

use crate::Worker;

/// Most comparisons begun in one transaction.
const BATCH: i64 = 100;

/// Begins the comparisons whose organization's time of the day has come, going
/// `days` back; answers how many. Another replica that does the same at the same
/// time begins none of them again.
pub async fn schedule(worker: &Worker, days: u16) -> Result<usize, DbError> {
    let now = worker.backbone.clock.now();
    let mut conn = worker.backbone.db.read().await?;
    let due = db::recon::due_daily(&mut conn, now, BATCH).await?;
    drop(conn);
    if due.is_empty() {
        return Ok(0);
    }
    let mut tx = worker.backbone.db.begin(worker.backbone.cause()).await?;
    let mut begun = 0;
    for (tenant, slot) in due {
        let new = db::recon::begin(&mut tx, tenant, days, Some(slot)).await?;
        begun += usize::from(new.is_some());
    }
    tx.commit().await?;
    Ok(begun)
}
