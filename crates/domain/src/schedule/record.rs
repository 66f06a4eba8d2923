//! A decision with all that it was made from.

use serde::{Deserialize, Serialize};

use super::{Decision, Facts, decide};
use crate::limits::RulePack;
use crate::policy::{PolicyDocument, PolicyError, RetryPolicy};

/// The format that is written now. It counts both a record's shape and the way
/// that a decision is made from it: whoever changes either so that a kept record
/// would read or be decided otherwise raises it, and keeps the old way for the
/// records of old.
pub const FORMAT: u32 = 1;

/// A decision, and all that it was made from: enough to derive it again,
/// without the database, years later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionRecord {
    /// How it is written and was decided: [`FORMAT`].
    pub format: u32,
    /// What it was made from.
    pub facts: Facts,
    /// The policy that was followed: the variant's, where there was one.
    pub policy: PolicyDocument,
    /// The edition of the rules that bound it.
    pub rule_pack: String,
    /// The edition of the IANA time zone database that the payer's clock was read by.
    pub time_zones: String,
    /// What was decided. Its words hold the times on the payer's clock.
    pub decision: Decision,
}

/// Why a decision cannot be derived again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// A later or unknown format.
    #[error("the record has format {0}, and this release knows formats up to {FORMAT}")]
    Format(u32),
    /// An edition of the rules that this release does not know.
    #[error("this release knows no edition {0:?} of the rules")]
    RulePack(String),
    /// A policy that is none.
    #[error("the record's policy cannot be followed")]
    Policy(#[from] PolicyError),
    /// The decision comes out otherwise, and governments have changed clocks since.
    #[error(
        "the decision was made by the time zones of {recorded}, and comes out otherwise by those of {ours}"
    )]
    TimeZones {
        /// The edition that it was made by.
        recorded: String,
        /// The edition of this release.
        ours: &'static str,
    },
}

impl DecisionRecord {
    /// Keeps a decision that was made from these.
    pub fn new(policy: &RetryPolicy, pack: RulePack, facts: Facts, decision: Decision) -> Self {
        Self {
            format: FORMAT,
            facts,
            policy: policy.document().clone(),
            rule_pack: pack.id().to_owned(),
            time_zones: chrono_tz::IANA_TZDB_VERSION.to_owned(),
            decision,
        }
    }

    /// Derives the decision anew, from the record alone and under the edition
    /// of the rules that it names.
    pub fn replay(&self) -> Result<Decision, ReplayError> {
        if self.format != FORMAT {
            return Err(ReplayError::Format(self.format));
        }
        let pack = RulePack::named(&self.rule_pack)
            .ok_or_else(|| ReplayError::RulePack(self.rule_pack.clone()))?;
        let policy = RetryPolicy::from_document(self.policy.clone())?;
        let decision = decide(&policy, pack, &self.facts);
        let ours = chrono_tz::IANA_TZDB_VERSION;
        if decision != self.decision && self.time_zones != ours {
            return Err(ReplayError::TimeZones {
                recorded: self.time_zones.clone(),
                ours,
            });
        }
        Ok(decision)
    }
}
