//! One move placed in time, or what stands in its way.

use chrono::{DateTime, TimeDelta, Utc};
use rand::{Rng, RngExt};

use super::{History, Step, quiet, taken, words};
use crate::limits::{LegacyCeiling, Tried, earliest_charge};
use crate::policy::{Move, RetryPolicy};
use crate::state::{AttemptKind, Channel};

/// Why a move cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// No channel of the step reaches the payer.
    NoChannel,
    /// It would fall past the recovery's end.
    TooLate,
    /// A network forbids it for good.
    Forbidden(&'static str),
}

/// What every move is placed by.
pub(super) struct Placing<'a> {
    pub(super) policy: &'a RetryPolicy,
    pub(super) history: &'a History<'a>,
    pub(super) now: DateTime<Utc>,
    pub(super) closes_at: DateTime<Utc>,
    /// Steps taken and to take, as far as can be told now.
    pub(super) steps_in_all: usize,
}

impl Placing<'_> {
    pub(super) fn place(
        &self,
        next: &Move,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Step, Obstacle> {
        let due_at = self.due(next.delay, rng)?;
        match next.kind {
            AttemptKind::Charge => self.charge(due_at),
            AttemptKind::Message => self.message(next, due_at),
        }
    }

    /// The delay, some of it again as jitter, after what happened last; never in the past.
    fn due(
        &self,
        delay: TimeDelta,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<DateTime<Utc>, Obstacle> {
        let jitter = i64::from(self.policy.document().jitter_percent);
        let most = delay.num_milliseconds() / 100 * jitter;
        let extra = if most > 0 {
            rng.random_range(0..=most)
        } else {
            0
        };
        let last = taken(self.history).map(|attempt| attempt.at).max();
        let anchor = last.map_or(self.history.failed_at, |at| at.max(self.history.failed_at));
        let due = anchor
            .checked_add_signed(delay)
            .and_then(|due| due.checked_add_signed(TimeDelta::milliseconds(extra)))
            .ok_or(Obstacle::TooLate)?;
        Ok(due.max(self.now))
    }

    fn charge(&self, due_at: DateTime<Utc>) -> Result<Step, Obstacle> {
        let mut notes = Vec::new();
        let mut at = due_at;
        let cooldown = self.history.classification.cooldown.unwrap_or_default();
        let cooled = self
            .history
            .failed_at
            .checked_add_signed(cooldown)
            .ok_or(Obstacle::TooLate)?;
        if cooled > at {
            at = cooled;
            notes.push(self.moved(at, "the bank wants a pause before the next try"));
        }
        match self.ceiling(at) {
            LegacyCeiling::Allowed => {}
            LegacyCeiling::NotBefore(later) => {
                at = later;
                notes.push(self.moved(
                    at,
                    "the card network's limit of tries is reached until then",
                ));
            }
            LegacyCeiling::Never(why) => return Err(Obstacle::Forbidden(why)),
        }
        self.step(AttemptKind::Charge, at, Vec::new(), &notes)
    }

    fn ceiling(&self, at: DateTime<Utc>) -> LegacyCeiling {
        let again: Vec<_> = taken(self.history)
            .filter(|attempt| attempt.kind == AttemptKind::Charge)
            .map(|attempt| attempt.at)
            .collect();
        let tried = Tried {
            network: self.history.network,
            first: self.history.opened_at,
            again: &again,
            decline_code: None,
        };
        earliest_charge(&tried, at)
    }

    fn message(&self, next: &Move, due_at: DateTime<Utc>) -> Result<Step, Obstacle> {
        let hours = &self.policy.document().quiet_hours;
        let zone = self.history.time_zone;
        let reached = self.reached(next)?;
        let (awake, asleep): (Vec<Channel>, Vec<Channel>) = reached
            .iter()
            .partition(|channel| quiet::allows(hours, **channel, zone, due_at));
        if asleep.is_empty() {
            return self.step(AttemptKind::Message, due_at, reached, &[]);
        }
        let morning = quiet::first_allowed(hours, &reached, zone, due_at)
            .filter(|morning| *morning < self.closes_at);
        match morning {
            Some(at) if awake.is_empty() || !next.at_once => {
                let note = self.moved(at, "quiet hours");
                self.step(AttemptKind::Message, at, reached, &[note])
            }
            _ if awake.is_empty() => Err(Obstacle::TooLate),
            _ => {
                let note = format!("without {}: quiet hours", words::names(&asleep));
                self.step(AttemptKind::Message, due_at, awake, &[note])
            }
        }
    }

    /// The step's channels that are enabled and reach the payer.
    fn reached(&self, next: &Move) -> Result<Vec<Channel>, Obstacle> {
        let enabled = &self.policy.document().enabled_channels;
        let reached: Vec<Channel> = next
            .channels
            .iter()
            .copied()
            .filter(|channel| enabled.contains(channel) && self.history.reachable.contains(channel))
            .collect();
        if reached.is_empty() {
            Err(Obstacle::NoChannel)
        } else {
            Ok(reached)
        }
    }

    fn moved(&self, at: DateTime<Utc>, why: &str) -> String {
        let local = words::local_time(at, self.history.time_zone, self.now);
        format!("moved to {local}: {why}")
    }

    fn step(
        &self,
        kind: AttemptKind,
        due_at: DateTime<Utc>,
        channels: Vec<Channel>,
        notes: &[String],
    ) -> Result<Step, Obstacle> {
        if due_at >= self.closes_at {
            return Err(Obstacle::TooLate);
        }
        let position = taken(self.history).count() + 1;
        let why = words::why_step(
            self.history,
            kind,
            &channels,
            &words::Timing {
                wait: due_at - self.now,
                position,
                of: self.steps_in_all,
                notes,
            },
        );
        Ok(Step {
            number: u32::try_from(self.history.attempts.len() + 1).unwrap_or(u32::MAX),
            kind,
            due_at,
            channels,
            why,
        })
    }
}
