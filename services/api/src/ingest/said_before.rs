//! Reports that add nothing: the payment is settled, or the PSP tells of a try of
//! its own whose reason comes with another event.

use db::recoveries::StoredRecovery;
use db::{DbError, Tenant, Tx, timeline};
use serde_json::json;

use super::failure::FailureReport;

/// Whether the payment was disputed, say, after its recovery had run out.
pub(super) async fn was_settled(
    tx: &mut Tx,
    tenant: Tenant,
    report: &FailureReport,
) -> Result<bool, DbError> {
    let Some((provider, objects)) = &report.objects else {
        return Ok(false);
    };
    let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
    db::paid::holds(tx.conn(), tenant, *provider, &objects).await
}

/// Tells of a try that the PSP made of its own accord. Why it failed is told by
/// the payment's own event.
pub(super) fn psp_tried(tx: &mut Tx, open: &StoredRecovery, report: &FailureReport) {
    let Some(retries) = report.psp_retries.filter(|retries| retries.made > 1) else {
        return;
    };
    let why = match retries.next_at {
        Some(next) => format!(
            "The PSP tried by itself for the {}. time, and does so again on {}",
            retries.made,
            next.format("%-d %B at %H:%M UTC")
        ),
        None => format!(
            "The PSP tried by itself for the {}. time, which was its last",
            retries.made
        ),
    };
    let detail = json!({ "tries": retries.made, "next_at": retries.next_at });
    timeline::announce(tx, open.tenant, open.id, "psp.retried", &why, detail);
}
