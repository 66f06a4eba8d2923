//! Comparisons and what they found, as JSON.

use chrono::{DateTime, Utc};
use db::recon::{StoredResult, StoredRun};
use domain::TransactionRef;
use domain::id::{ReconResultId, ReconRunId, RecoveryId, TransactionId};
use domain::reconciliation::{AskedBy, Change, RunState, Verdict};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::openapi::words;

/// A comparison: `checked`, `ok` and `mismatches` as the older contract has them.
/// While it is `running` the counts are those so far.
#[derive(Serialize, ToSchema)]
#[schema(as = Comparison)]
pub(crate) struct RunView {
    #[schema(value_type = words::ReconRunId)]
    run_id: ReconRunId,
    #[schema(value_type = words::RunState)]
    state: RunState,
    #[schema(value_type = words::AskedBy)]
    asked_by: AskedBy,
    days: u16,
    checked: u64,
    ok: u64,
    mismatches: u64,
    unknown: u64,
    recovered: u64,
    cancelled: u64,
    began_at: DateTime<Utc>,
    #[schema(required)]
    ended_at: Option<DateTime<Utc>>,
}

impl RunView {
    pub(super) fn new(run: &StoredRun) -> Self {
        Self {
            run_id: run.id,
            state: run.state,
            asked_by: run.asked_by,
            days: run.days,
            checked: run.checked,
            ok: run.ok,
            mismatches: run.mismatches,
            unknown: run.unknown,
            recovered: run.recovered,
            cancelled: run.cancelled,
            began_at: run.began_at,
            ended_at: run.ended_at,
        }
    }
}

/// One recovery of which the two did not say the same.
#[derive(Serialize, ToSchema)]
#[schema(as = ComparisonResult)]
pub(super) struct ResultView {
    #[schema(value_type = words::ReconResultId)]
    id: ReconResultId,
    #[schema(value_type = words::RecoveryId)]
    recovery_id: RecoveryId,
    #[schema(value_type = words::TransactionId)]
    transaction_id: TransactionId,
    #[schema(value_type = Option<String>, required)]
    transaction_ref: Option<TransactionRef>,
    #[schema(value_type = words::Verdict)]
    verdict: Verdict,
    #[schema(value_type = Vec<Object>)]
    differences: Value,
    #[schema(value_type = words::Change)]
    change: Change,
    why: String,
    #[schema(required)]
    provider: Option<String>,
    #[schema(required)]
    payment_ref: Option<String>,
    found_at: DateTime<Utc>,
}

impl ResultView {
    pub(super) fn new(result: StoredResult, reference: Option<TransactionRef>) -> Self {
        Self {
            id: result.id,
            recovery_id: result.recovery,
            transaction_id: result.transaction,
            transaction_ref: reference,
            verdict: result.verdict,
            differences: result.differences,
            change: result.change,
            why: result.why,
            provider: result.provider,
            payment_ref: result.payment_ref,
            found_at: result.found_at,
        }
    }
}
