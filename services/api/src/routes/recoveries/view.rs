//! A recovery as JSON.

use chrono::{DateTime, Utc};
use db::recoveries::Listed;
use domain::classification::{Category, Hardness};
use domain::experiment::VariantName;
use domain::id::{RecoveryId, RetryPolicyId, TransactionId};
use domain::state::Provider;
use domain::{RecoveryState, TransactionRef};
use serde::Serialize;
use utoipa::ToSchema;

use crate::openapi::words;

/// A recovery. Amounts are whole minor units of `currency`.
#[derive(Serialize, ToSchema)]
#[schema(as = Recovery)]
pub(crate) struct RecoveryView {
    #[schema(value_type = words::RecoveryId)]
    id: RecoveryId,
    #[schema(value_type = words::TransactionId)]
    transaction_id: TransactionId,
    /// The merchant's name for what is owed.
    #[schema(value_type = String, min_length = 1, max_length = 64)]
    transaction_ref: TransactionRef,
    /// `open`, `recovered`, `exhausted`, `cancelled` or `expired`.
    #[schema(value_type = words::RecoveryState)]
    state: RecoveryState,
    /// What is owed.
    #[schema(minimum = 1)]
    amount: i64,
    #[schema(example = "INR")]
    currency: &'static str,
    /// Why the payment failed.
    #[schema(value_type = words::Category)]
    category: Category,
    /// `soft` or `hard`: whether the same means may do later.
    #[schema(value_type = words::Hardness)]
    hardness: Hardness,
    /// At which PSP it was tried, if Tinko is connected to it.
    #[schema(value_type = Option<words::Provider>)]
    psp: Option<Provider>,
    #[schema(value_type = Option<words::RetryPolicyId>)]
    policy_id: Option<RetryPolicyId>,
    /// The key of the policy's experiment that it takes part in.
    experiment: Option<String>,
    #[schema(value_type = Option<String>)]
    variant: Option<VariantName>,
    /// Whether it is only watched, as the experiment's measure.
    hold_out: bool,
    /// How many steps were planned so far.
    planned_steps: u32,
    /// When its next step is due, if one is planned.
    next_retry_at: Option<DateTime<Utc>>,
    /// Since when it is paused: neither charged nor written about.
    paused_at: Option<DateTime<Utc>>,
    opened_at: DateTime<Utc>,
    /// When the payer's time to pay is over.
    closes_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
    /// Why it ended, in words.
    end_reason: Option<String>,
    recovered_amount: Option<i64>,
    /// `charge`, `link` or `elsewhere`.
    recovered_by: Option<String>,
    trace_id: Option<String>,
}

impl RecoveryView {
    pub(crate) fn new(listed: Listed) -> Self {
        let recovery = listed.recovery;
        let trace_id = recovery
            .traceparent
            .as_deref()
            .and_then(|parent| parent.split('-').nth(1))
            .map(str::to_owned);
        Self {
            id: recovery.id,
            transaction_id: recovery.transaction,
            transaction_ref: listed.reference,
            state: recovery.state,
            amount: recovery.amount.minor(),
            currency: recovery.amount.currency().code(),
            category: recovery.category,
            hardness: recovery.hardness,
            psp: listed.provider,
            policy_id: recovery.policy,
            experiment: recovery.assigned.experiment,
            variant: recovery.assigned.arm.variant,
            hold_out: recovery.assigned.arm.hold_out,
            planned_steps: recovery.planned_steps,
            next_retry_at: listed.next_action_at,
            paused_at: recovery.paused_at,
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
