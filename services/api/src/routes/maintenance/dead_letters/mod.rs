//! Dead letters: what a consumer gave up, looked at and mended by operators.

pub(crate) mod discard;
pub(crate) mod list;
pub(crate) mod replay;
pub(crate) mod replay_many;
pub(crate) mod show;

use backbone::dead_letters::Shown;
use chrono::{DateTime, Utc};
use db::dead_letters::Mender;
use domain::id::{OrganizationId, OutboxId, RecoveryId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::openapi::words;
use crate::problem::{FieldFault, Problem};

/// Longest name of an operator, in characters.
const LONGEST_NAME: usize = 100;
/// Longest reason, in characters.
const LONGEST_WHY: usize = 1_000;

/// An event that a consumer gave up. Its effect is still owed.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetter)]
pub(crate) struct DeadLetterView {
    #[schema(value_type = words::OutboxId)]
    id: OutboxId,
    /// The stream that it belongs on.
    #[schema(example = "failures")]
    stream: String,
    #[schema(value_type = words::OrganizationId)]
    organization_id: OrganizationId,
    /// The recovery that it is about; null where it is about none, or does not read.
    #[schema(value_type = Option<words::RecoveryId>, required)]
    recovery_id: Option<RecoveryId>,
    /// When its cause committed.
    created_at: DateTime<Utc>,
    /// When it was given up.
    dead_at: DateTime<Utc>,
    /// Why it was given up.
    #[schema(example = "stored retry_policies.document does not read")]
    reason: String,
    /// The trace in which its cause and its deliveries are.
    #[schema(required)]
    trace_id: Option<String>,
    /// What it asks for; null where its bytes do not read.
    #[schema(value_type = Option<Object>, required)]
    payload: Option<Value>,
    /// Why its bytes do not read; null where they do.
    #[schema(required)]
    unreadable: Option<String>,
}

impl From<Shown> for DeadLetterView {
    fn from(shown: Shown) -> Self {
        Self {
            id: shown.id,
            stream: shown.stream,
            organization_id: shown.organization_id,
            recovery_id: shown.recovery_id,
            created_at: shown.created_at,
            dead_at: shown.dead_at,
            reason: shown.reason,
            trace_id: shown.trace_id,
            payload: shown.payload,
            unreadable: shown.unreadable,
        }
    }
}

/// Who mends, and why: both are in the organization's audit log.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeadLetterRemedy)]
pub(crate) struct Remedy {
    /// Who you are: the operator token is one for all.
    #[schema(min_length = 1, max_length = 100, example = "asha")]
    by: String,
    /// Why this is right.
    #[schema(min_length = 1, max_length = 1_000, example = "mended in 1.4.2")]
    why: String,
}

impl Remedy {
    fn faults(&self) -> Vec<FieldFault> {
        mender_faults(&self.by, &self.why)
    }

    fn read(&self) -> Result<Mender<'_>, Problem> {
        let faults = self.faults();
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        Ok(mender(&self.by, &self.why))
    }
}

fn mender<'a>(by: &'a str, why: &'a str) -> Mender<'a> {
    Mender {
        by: by.trim(),
        why: why.trim(),
    }
}

fn mender_faults(by: &str, why: &str) -> Vec<FieldFault> {
    [("by", by, LONGEST_NAME), ("why", why, LONGEST_WHY)]
        .into_iter()
        .filter(|(_, text, longest)| !(1..=*longest).contains(&text.trim().chars().count()))
        .map(|(field, _, longest)| {
            FieldFault::new(field, format!("must have 1 to {longest} characters"))
        })
        .collect()
}

/// What was done with one.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetterMended)]
pub(crate) struct MendedView {
    /// Always true.
    ok: bool,
    #[schema(value_type = words::OutboxId)]
    id: OutboxId,
}

/// The answer for the one that was asked for, unless somebody else was first.
fn mended(taken: &[OutboxId]) -> Result<MendedView, Problem> {
    let id = taken.first().copied();
    let id = id.ok_or_else(|| Problem::not_found("dead letter"))?;
    Ok(MendedView { ok: true, id })
}
