//! What was decided, and what was weighed on the way there.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::state::{AttemptKind, Channel};

/// One step to take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its number within the recovery, from 1: one more than the attempts so far.
    pub number: u32,
    /// What to do.
    pub kind: AttemptKind,
    /// When: never in the past, never before the last attempt.
    pub due_at: DateTime<Utc>,
    /// Where to write; none for a charge.
    pub channels: Vec<Channel>,
    /// Why, in words that a merchant understands.
    pub why: String,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Plan {
    /// Take this step.
    Act(Step),
    /// Nothing to do; the payer may still pay until then.
    Wait {
        /// When the payer's time is over.
        until: DateTime<Utc>,
        /// Why nothing is done.
        why: String,
    },
    /// Nothing can be done at all: the recovery ends as exhausted.
    GiveUp {
        /// Why.
        why: String,
    },
}

impl Plan {
    /// `act`, `wait` or `give_up`.
    pub const fn outcome(&self) -> &'static str {
        match self {
            Self::Act(_) => "act",
            Self::Wait { .. } => "wait",
            Self::GiveUp { .. } => "give_up",
        }
    }

    /// Why, in words that a merchant understands.
    pub fn why(&self) -> &str {
        match self {
            Self::Act(Step { why, .. }) | Self::Wait { why, .. } | Self::GiveUp { why } => why,
        }
    }
}

/// A decision: the plan, and every move that was weighed for it, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What comes next.
    pub plan: Plan,
    /// What was weighed. A move may be moved several times before it is taken or skipped.
    pub considered: Vec<Considered>,
    /// The plan's reason, in words that a merchant understands.
    pub words: String,
}

/// Something that was weighed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Considered {
    /// What the move would do.
    pub kind: AttemptKind,
    /// Where it would write; none for a charge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a move that was weighed. `rule` is the name of a rule of
/// [`crate::limits`], or the policy's field that asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Outcome {
    /// It is the step to take.
    Taken {
        /// When it is due.
        at: DateTime<Utc>,
    },
    /// It falls later than it would have.
    Moved {
        /// When it would have fallen.
        from: DateTime<Utc>,
        /// When it falls.
        to: DateTime<Utc>,
        /// What moved it.
        rule: Cow<'static, str>,
        /// `moved to Fri 09:00 Asia/Kolkata: quiet hours`.
        words: Cow<'static, str>,
    },
    /// It goes without some of its channels.
    Narrowed {
        /// Those.
        without: Vec<Channel>,
        /// What forbids them.
        rule: Cow<'static, str>,
        /// `without SMS: quiet hours`.
        words: Cow<'static, str>,
    },
    /// A preference of the policy was not followed.
    Yielded {
        /// The preference.
        rule: Cow<'static, str>,
        /// `no pay-day is waited for: …`.
        words: Cow<'static, str>,
    },
    /// It is not made.
    Skipped {
        /// What forbids it.
        rule: Cow<'static, str>,
        /// Why, in words that a merchant understands.
        words: Cow<'static, str>,
    },
}

impl Outcome {
    /// What is said of it beside the step.
    pub(super) fn words(&self) -> Option<&str> {
        match self {
            Self::Taken { .. } => None,
            Self::Moved { words, .. }
            | Self::Narrowed { words, .. }
            | Self::Yielded { words, .. }
            | Self::Skipped { words, .. } => Some(words),
        }
    }
}
