//! What a recovery's timeline is told of reports, however they come in.

use db::recoveries::Assigned;
use db::timeline::NewEntry;
use db::transactions::StoredTransaction;
use domain::classification::{Category, Hardness};
use domain::id::{FailureEventId, RecoveryId};
use serde_json::json;

use super::FailureReport;

/// It opened.
pub(super) fn opened(
    recovery: RecoveryId,
    failure: FailureEventId,
    transaction: &StoredTransaction,
    assigned: &Assigned,
    report: &FailureReport,
) -> NewEntry {
    let classification = &report.classification;
    NewEntry {
        recovery,
        kind: "recovery.opened".into(),
        why: format!("The payment failed: {}", classification.meaning),
        detail: json!({
            "recovery_id": recovery,
            "transaction_id": transaction.id,
            "transaction_ref": transaction.transaction_ref,
            "amount": transaction.amount.minor(),
            "currency": transaction.amount.currency().code(),
            "failure_event_id": failure,
            "source": report.source,
            "category": classification.category,
            "hardness": classification.hardness,
            "decided_by": classification.decided_by,
            "experiment": assigned.experiment,
            "variant": assigned.variant(),
            "hold_out": assigned.arm.hold_out,
        }),
    }
}

/// The open recovery took it in, and counts as this from then on.
pub(super) fn joined(
    recovery: RecoveryId,
    failure: FailureEventId,
    (category, hardness): (Category, Hardness),
    report: &FailureReport,
) -> NewEntry {
    NewEntry {
        recovery,
        kind: "failure.recorded".into(),
        why: format!("Failed again: {}", report.classification.meaning),
        detail: json!({
            "failure_event_id": failure,
            "category": category,
            "hardness": hardness,
            "decided_by": report.classification.decided_by,
        }),
    }
}

/// It came after the recovery had ended.
pub(super) fn late(recovery: RecoveryId, failure: FailureEventId) -> NewEntry {
    NewEntry {
        recovery,
        kind: "failure.late".into(),
        why: "A late failure report changes nothing: the recovery has ended".to_owned(),
        detail: json!({ "failure_event_id": failure }),
    }
}
