//! A recovery as JSON.

use chrono::{DateTime, Utc};
use db::recoveries::StoredRecovery;
use domain::classification::{Category, Hardness};
use domain::experiment::VariantName;
use domain::id::{RecoveryId, RetryPolicyId, TransactionId};
use domain::{RecoveryState, TransactionRef};
use serde::Serialize;

/// A recovery. Amounts are whole minor units of `currency`.
#[derive(Serialize)]
pub(crate) struct RecoveryView {
    id: RecoveryId,
    transaction_id: TransactionId,
    transaction_ref: Option<TransactionRef>,
    state: RecoveryState,
    amount: i64,
    currency: &'static str,
    category: Category,
    hardness: Hardness,
    policy_id: Option<RetryPolicyId>,
    /// The key of the policy's experiment that it takes part in.
    experiment: Option<String>,
    variant: Option<VariantName>,
    /// Whether it is only watched, as the experiment's measure.
    hold_out: bool,
    planned_steps: u32,
    opened_at: DateTime<Utc>,
    closes_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
    end_reason: Option<String>,
    recovered_amount: Option<i64>,
    recovered_by: Option<String>,
    trace_id: Option<String>,
}

impl RecoveryView {
    pub(super) fn new(recovery: StoredRecovery, reference: Option<TransactionRef>) -> Self {
        let trace_id = recovery
            .traceparent
            .as_deref()
            .and_then(|parent| parent.split('-').nth(1))
            .map(str::to_owned);
        Self {
            id: recovery.id,
            transaction_id: recovery.transaction,
            transaction_ref: reference,
            state: recovery.state,
            amount: recovery.amount.minor(),
            currency: recovery.amount.currency().code(),
            category: recovery.category,
            hardness: recovery.hardness,
            policy_id: recovery.policy,
            experiment: recovery.assigned.experiment,
            variant: recovery.assigned.arm.variant,
            hold_out: recovery.assigned.arm.hold_out,
            planned_steps: recovery.planned_steps,
            opened_at: recovery.opened_at,
            closes_at: recovery.closes_at,
            closed_at: recovery.closed_at,
            end_reason: recovery.end_reason,
            recovered_amount: recovery.recovered.map(domain::Money::minor),
            recovered_by: recovery.recovered_by,
            trace_id,
        }
    }
}
