//! One move placed in time, or what stands in its way.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};

use super::shift::Shifting;
use super::{Considered, Facts, Outcome, Step, jitter, words};
use crate::classification::Category;
use crate::limits::{CardTry, Rule, RulePack};
use crate::policy::{Move, RetryPolicy};
use crate::state::{AttemptKind, Channel};

/// Why a move cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// No channel of the step reaches the payer.
    NoChannel,
    /// Its channels are never open.
    NoHour,
    /// It would fall past the recovery's end.
    TooLate,
    /// A rule forbids it for good.
    Forbidden(&'static Rule),
    /// The policy allows no more of its kind.
    Spent(AttemptKind),
}

/// What every move is placed by.
pub(super) struct Placing<'a> {
    pub(super) policy: &'a RetryPolicy,
    pub(super) pack: RulePack,
    pub(super) facts: &'a Facts,
    pub(super) closes_at: DateTime<Utc>,
    pub(super) tries: Cow<'a, [CardTry]>,
    /// Steps taken.
    pub(super) taken: usize,
    /// Steps taken and to take, as far as can be told now.
    pub(super) steps_in_all: usize,
}

/// A move that has found its time.
pub(super) struct Placed {
    pub(super) time: Shifting,
    pub(super) channels: Vec<Channel>,
    /// What else is to be said of it.
    pub(super) remarks: Vec<Outcome>,
}

impl Placing<'_> {
    /// Places a move; what was weighed on the way is added to `considered`.
    pub(super) fn place(
        &self,
        next: &Move<'_>,
        considered: &mut Vec<Considered>,
    ) -> Result<Step, Obstacle> {
        let placed = self.due(next).and_then(|due| match next.kind {
            AttemptKind::Charge => self.charge(due),
            AttemptKind::Message => self.message(next, due),
        });
        match placed {
            Ok(placed) => Ok(self.step(next.kind, placed, considered)),
            Err(obstacle) => {
                considered.push(Considered {
                    kind: next.kind,
                    channels: next.channels.to_vec(),
                    outcome: obstacle.outcome(),
                });
                Err(obstacle)
            }
        }
    }

    /// The number that the next step will have.
    fn number(&self) -> u32 {
        u32::try_from(self.facts.attempts.len() + 1).unwrap_or(u32::MAX)
    }

    /// The delay, some of it again as jitter, after what happened last, or when
    /// somebody asked for it; never in the past, nor while a pending payment may still succeed.
    fn due(&self, next: &Move<'_>) -> Result<Shifting, Obstacle> {
        self.spent(next.kind)?;
        let document = self.policy.document();
        let failed_at = self.facts.failure.at;
        let jitter_percent = i32::try_from(document.jitter_percent).unwrap_or(0);
        let most = next.delay / 100 * jitter_percent;
        let extra = jitter::jitter(self.facts.seed, self.number(), most);
        let last = self.facts.taken().map(|attempt| attempt.at).max();
        let anchor = last.map_or(failed_at, |at| at.max(failed_at));
        let due = match self.facts.asked_for {
            Some(asked) => asked.max(anchor),
            None => later(anchor, next.delay + extra)?,
        };
        let mut time = Shifting::from(due.max(self.facts.now));
        if self.facts.failure.category == Category::UpiPending {
            let wait = TimeDelta::seconds(i64::from(document.pending_wait_seconds));
            time.not_before(
                later(failed_at, wait)?,
                "pending_wait_seconds",
                "the UPI payment is pending and may still succeed",
            );
        }
        Ok(time)
    }

    fn spent(&self, kind: AttemptKind) -> Result<(), Obstacle> {
        let document = self.policy.document();
        let most = match kind {
            AttemptKind::Charge => document.most_charges,
            AttemptKind::Message => document.most_messages,
        };
        let taken = self.facts.taken_of(kind).count();
        match most.and_then(|most| usize::try_from(most).ok()) {
            Some(most) if taken >= most => Err(Obstacle::Spent(kind)),
            _ => Ok(()),
        }
    }

    fn step(&self, kind: AttemptKind, placed: Placed, considered: &mut Vec<Considered>) -> Step {
        let from = considered.len();
        let shifts = placed.time.shifts.iter();
        let outcomes = shifts
            .map(|shift| shift.outcome(self.facts))
            .chain(placed.remarks);
        considered.extend(outcomes.map(|outcome| Considered {
            kind,
            channels: placed.channels.clone(),
            outcome,
        }));
        let notes = considered.get(from..).unwrap_or_default();
        let due_at = placed.time.at;
        let timing = words::Timing {
            wait: due_at - self.facts.now,
            position: self.taken + 1,
            of: self.steps_in_all,
            notes: notes.iter().filter_map(|note| note.outcome.words()),
        };
        let why = words::why_step(self.facts, kind, &placed.channels, timing);
        considered.push(Considered {
            kind,
            channels: placed.channels.clone(),
            outcome: Outcome::Taken { at: due_at },
        });
        Step {
            number: self.number(),
            kind,
            due_at,
            channels: placed.channels,
            why,
        }
    }
}

/// `at` plus `by`; what lies past the end of time lies past the recovery's.
pub(super) fn later(at: DateTime<Utc>, by: TimeDelta) -> Result<DateTime<Utc>, Obstacle> {
    at.checked_add_signed(by).ok_or(Obstacle::TooLate)
}

impl Obstacle {
    /// In words that a merchant understands.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::NoChannel => "no enabled channel reaches the payer",
            Self::NoHour => "no hour is open to its channels",
            Self::TooLate => "the next step would fall past the recovery's end",
            Self::Forbidden(rule) => rule.words,
            Self::Spent(AttemptKind::Charge) => "the policy allows no more charges",
            Self::Spent(AttemptKind::Message) => "the policy allows no more messages",
        }
    }

    const fn rule(self) -> &'static str {
        match self {
            Self::NoChannel => "enabled_channels",
            Self::NoHour => "quiet_hours",
            Self::TooLate => "stop_after_seconds",
            Self::Forbidden(rule) => rule.id,
            Self::Spent(AttemptKind::Charge) => "most_charges",
            Self::Spent(AttemptKind::Message) => "most_messages",
        }
    }

    const fn outcome(self) -> Outcome {
        Outcome::Skipped {
            rule: Cow::Borrowed(self.rule()),
            words: Cow::Borrowed(self.words()),
        }
    }
}
