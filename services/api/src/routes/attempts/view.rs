//! An attempt as JSON.

use chrono::{DateTime, Utc};
use db::attempts::StoredAttempt;
use domain::classification::{Category, Hardness};
use domain::id::{AttemptId, RecoveryId};
use domain::{AttemptKind, AttemptState, Channel};
use serde::Serialize;
use utoipa::ToSchema;

use crate::openapi::words;

/// One step of a recovery.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(crate) struct AttemptView {
    /// The attempt.
    #[schema(value_type = words::AttemptId)]
    id: AttemptId,
    /// What it is a step of.
    #[schema(value_type = words::RecoveryId)]
    recovery_id: RecoveryId,
    /// Which step.
    #[schema(minimum = 1)]
    number: u32,
    /// What it does.
    #[schema(value_type = words::AttemptKind)]
    kind: AttemptKind,
    /// Where it stands.
    #[schema(value_type = words::AttemptState)]
    state: AttemptState,
    /// On which channels it writes.
    #[schema(value_type = Vec<words::Channel>)]
    channels: Vec<Channel>,
    /// Why it was planned so, in words.
    why: String,
    /// When it is or was due.
    due_at: DateTime<Utc>,
    /// When it was planned.
    created_at: DateTime<Utc>,
    /// When it last moved.
    updated_at: DateTime<Utc>,
    /// The charge at the PSP.
    #[schema(required)]
    charge_ref: Option<String>,
    /// Why a charge was declined.
    #[schema(value_type = Option<words::Category>, required)]
    category: Option<Category>,
    /// Whether the same means may do later.
    #[schema(value_type = Option<words::Hardness>, required)]
    hardness: Option<Hardness>,
    /// The PSP's code for the outcome.
    #[schema(required)]
    outcome_code: Option<String>,
    /// The outcome in words.
    #[schema(required)]
    outcome: Option<String>,
}

impl AttemptView {
    pub(crate) fn new(attempt: StoredAttempt) -> Self {
        Self {
            id: attempt.id,
            recovery_id: attempt.recovery,
            number: attempt.number,
            kind: attempt.kind,
            state: attempt.state,
            channels: attempt.channels,
            why: attempt.why,
            due_at: attempt.due_at,
            created_at: attempt.created_at,
            updated_at: attempt.updated_at,
            charge_ref: attempt.charge_ref,
            category: attempt.category,
            hardness: attempt.hardness,
            outcome_code: attempt.outcome_code,
            outcome: attempt.outcome,
        }
    }
}
