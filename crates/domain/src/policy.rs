//! An organization's retry policy: parsed at the edge, valid ever after.
//!
//! A [`PolicyDocument`] is what is kept as JSON and what clients see; a
//! [`RetryPolicy`] is a document whose every rule has been checked.
//!
//! Delays are whole seconds inside, so that a demonstration can wait one; the
//! older contract's fields are whole minutes.
//!
//! # Which steps are followed
//!
//! The first of these that there is: the override for the failure's category,
//! the override for the payment's rail, `steps`, and else the delays.
//!
//! # To add a field
//!
//! Give it the default that means what was before: stored documents, and the
//! policies in records of decisions, must read as what they meant.

mod calendar;
mod contract;
mod document;
mod experiment;
mod hours;
mod local_time;
mod moves;
#[cfg(test)]
mod tests;
mod validate;

pub use calendar::{InvalidMonthDay, MonthDay, PayDays, Weekends};
pub use contract::ContractFields;
pub use document::{FinalAction, PolicyDocument, StepAction, StepRule};
pub use experiment::{Experiment, Variant};
pub use hours::{QuietHours, SendingWindow};
pub use local_time::{InvalidLocalTime, LocalTime};
pub(crate) use moves::Move;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

/// A policy that can be followed: its fields are in range and agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy(PolicyDocument);

/// What is wrong with a policy: the field, as it is spelt in the document, and the fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {fault}")]
pub struct PolicyError {
    /// The field's path, such as `steps[1].delay_seconds`.
    pub field: String,
    /// What is wrong with it, in words.
    pub fault: String,
}

impl RetryPolicy {
    /// Checks a document.
    pub fn from_document(document: PolicyDocument) -> Result<Self, PolicyError> {
        validate::check(&document)?;
        Ok(Self(document))
    }

    /// Reads a document as Postgres keeps it. Fields that are left out have
    /// their defaults; unknown ones are refused.
    pub fn from_json(json: &Value) -> Result<Self, PolicyError> {
        Self::from_document(read(json)?)
    }

    /// The document as Postgres keeps it.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(&self.0).unwrap_or_default()
    }

    /// The policy that the older contract's fields describe.
    pub fn from_contract(fields: &ContractFields) -> Result<Self, PolicyError> {
        contract::to_document(fields).and_then(Self::from_document)
    }

    /// The checked document.
    pub const fn document(&self) -> &PolicyDocument {
        &self.0
    }

    /// The delay before retry `k` (from 0), without jitter: the first delay
    /// times the multiplier to the power of `k`, at most the longest delay.
    pub fn base_delay(&self, k: u32) -> TimeDelta {
        let seconds = self
            .0
            .backoff_multiplier
            .saturating_pow(k)
            .saturating_mul(self.0.initial_delay_seconds)
            .min(self.0.max_delay_seconds);
        TimeDelta::seconds(i64::from(seconds))
    }

    /// When a recovery opened at `opened_at` stops: nothing is done from then on.
    pub fn closes_at(&self, opened_at: DateTime<Utc>) -> DateTime<Utc> {
        let stop = TimeDelta::seconds(i64::from(self.0.stop_after_seconds));
        opened_at
            .checked_add_signed(stop)
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// How long a link lives that a message carries.
    pub fn link_ttl(&self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.0.link_ttl_seconds))
    }
}

/// Reads a document; a fault names the field, or `document` for the whole.
fn read(json: &Value) -> Result<PolicyDocument, PolicyError> {
    serde_path_to_error::deserialize(json).map_err(|error| {
        let path = error.path().to_string();
        PolicyError {
            field: if matches!(path.as_str(), "." | "?") {
                "document".to_owned()
            } else {
                path
            },
            fault: error.into_inner().to_string(),
        }
    })
}

impl Default for RetryPolicy {
    /// The contract's defaults, which organizations have until they choose otherwise.
    fn default() -> Self {
        Self(PolicyDocument::default())
    }
}
