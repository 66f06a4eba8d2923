//! A move that falls later than it would have, and why.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::{Facts, Outcome, clock};

/// One shift in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shift {
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
    /// The name of the rule, or of the policy's field.
    pub(super) rule: &'static str,
    pub(super) why: &'static str,
    /// What the rule says, where `why` does not.
    pub(super) more: Option<&'static str>,
}

impl Shift {
    pub(super) fn outcome(&self, facts: &Facts) -> Outcome {
        let mut words = String::with_capacity(96);
        words.push_str("moved to ");
        clock::words(&mut words, self.to, facts.time_zone, facts.now);
        words.push_str(": ");
        words.push_str(self.why);
        if let Some(more) = self.more {
            words.push_str(": ");
            words.push_str(more);
        }
        Outcome::Moved {
            from: self.from,
            to: self.to,
            rule: Cow::Borrowed(self.rule),
            words: Cow::Owned(words),
        }
    }
}

/// A time that is being looked for, with the shifts on the way.
#[derive(Debug, Clone)]
pub(super) struct Shifting {
    pub(super) at: DateTime<Utc>,
    pub(super) shifts: Vec<Shift>,
}

impl Shifting {
    pub(super) const fn from(at: DateTime<Utc>) -> Self {
        Self {
            at,
            shifts: Vec::new(),
        }
    }

    /// Not before `to`.
    pub(super) fn not_before(&mut self, to: DateTime<Utc>, rule: &'static str, why: &'static str) {
        if to > self.at {
            self.shift(Shift {
                from: self.at,
                to,
                rule,
                why,
                more: None,
            });
        }
    }

    pub(super) fn shift(&mut self, shift: Shift) {
        self.at = shift.to;
        self.shifts.push(shift);
    }
}
