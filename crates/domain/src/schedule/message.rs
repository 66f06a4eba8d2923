//! When a message round falls, and on which channels.

use std::borrow::Cow;

use chrono::TimeDelta;

use super::hours::MessageHours;
use super::place::{Obstacle, Placed, Placing, later};
use super::preference::Preference;
use super::shift::Shifting;
use super::{Outcome, words};
use crate::policy::Move;
use crate::state::Channel;

/// How often hours and the week-end may move a round by turns.
const ROUNDS: usize = 8;

impl Placing<'_> {
    pub(super) fn message(&self, next: &Move<'_>, due: Shifting) -> Result<Placed, Obstacle> {
        let reached = self.reached(next)?;
        let untouched = due.shifts.is_empty();
        let due = self.after_the_last(due)?;
        let asked = self.facts.asked_for.is_some();
        let at_once = (next.at_once || asked) && untouched && due.shifts.is_empty();
        let hours = self.hours();
        let (awake, asleep): (Vec<Channel>, Vec<Channel>) = reached
            .iter()
            .partition(|channel| hours.allow(**channel, due.at));
        if due.at < self.closes_at && at_once && !awake.is_empty() {
            return Ok(narrowed(due, awake, &asleep, "quiet hours"));
        }
        match self.round(&reached, &due) {
            Ok(placed) => Ok(placed),
            // Better without the phones than not at all.
            Err(_) if due.at < self.closes_at && !awake.is_empty() => {
                Ok(narrowed(due, awake, &asleep, "quiet hours"))
            }
            Err(obstacle) => Err(obstacle),
        }
    }

    /// The step's channels that are enabled and reach the payer.
    fn reached(&self, next: &Move<'_>) -> Result<Vec<Channel>, Obstacle> {
        let enabled = &self.policy.document().enabled_channels;
        let usable =
            |channel: &Channel| enabled.contains(channel) && self.facts.reachable.contains(channel);
        let reached: Vec<Channel> = next.channels.iter().copied().filter(usable).collect();
        if reached.is_empty() {
            Err(Obstacle::NoChannel)
        } else {
            Ok(reached)
        }
    }

    /// Not sooner after the round before it than the policy has it.
    fn after_the_last(&self, mut due: Shifting) -> Result<Shifting, Obstacle> {
        let gap = self.policy.document().least_message_gap_seconds;
        if let Some(written) = self.facts.written_at() {
            due.not_before(
                later(written, TimeDelta::seconds(i64::from(gap)))?,
                "least_message_gap_seconds",
                "the payer was written to not long before",
            );
        }
        Ok(due)
    }

    fn hours(&self) -> MessageHours<'_> {
        MessageHours {
            policy: &self.policy.document().quiet_hours,
            pack: self.pack,
            country: self.facts.country,
            zone: self.facts.time_zone,
        }
    }

    /// A round on all channels at one time; where they share none, on those
    /// that are open when the first of them is.
    fn round(&self, reached: &[Channel], due: &Shifting) -> Result<Placed, Obstacle> {
        let all = self.settle_round(reached, due);
        if !matches!(all, Err(Obstacle::NoHour)) {
            return all;
        }
        let first = reached
            .iter()
            .filter_map(|channel| self.settle_round(&[*channel], due).ok())
            .min_by_key(|placed| placed.time.at)
            .ok_or(Obstacle::NoHour)?;
        let hours = self.hours();
        let (awake, asleep): (Vec<Channel>, Vec<Channel>) = reached
            .iter()
            .partition(|channel| hours.allow(**channel, first.time.at));
        let mut placed = narrowed(
            first.time,
            awake,
            &asleep,
            "no hour is open to all channels",
        );
        placed.remarks.extend(first.remarks);
        Ok(placed)
    }

    /// The first time at which every channel is open, rather not at a week-end.
    fn settle_round(&self, channels: &[Channel], due: &Shifting) -> Result<Placed, Obstacle> {
        let placed = |time, remarks| Placed {
            time,
            channels: channels.to_vec(),
            remarks,
        };
        let asked = self.facts.asked_for.is_some();
        if asked || !self.policy.document().weekends.avoid_messages {
            return Ok(placed(
                self.settle_message(channels, due, false)?,
                Vec::new(),
            ));
        }
        self.settle_message(channels, due, true)
            .map(|time| placed(time, Vec::new()))
            .or_else(|obstacle| {
                let time = self.settle_message(channels, due, false)?;
                let yielded = Preference::Weekday.yielded(match obstacle {
                    Obstacle::TooLate => "it would fall past the recovery's end",
                    _ => obstacle.words(),
                });
                Ok(placed(time, vec![yielded]))
            })
    }

    fn settle_message(
        &self,
        channels: &[Channel],
        due: &Shifting,
        weekday: bool,
    ) -> Result<Shifting, Obstacle> {
        let hours = self.hours();
        let mut time = due.clone();
        for _ in 0..ROUNDS {
            let (_, shift) = hours
                .first_open(channels, time.at)
                .ok_or(Obstacle::NoHour)?;
            if let Some(shift) = shift {
                time.shift(shift);
            }
            if time.at >= self.closes_at {
                return Err(Obstacle::TooLate);
            }
            let open = time.at;
            if weekday {
                Preference::Weekday.shift(self.policy, self.facts, true, &mut time);
            }
            if time.at == open {
                return Ok(time);
            }
        }
        Err(Obstacle::NoHour)
    }
}

fn narrowed(time: Shifting, awake: Vec<Channel>, asleep: &[Channel], why: &str) -> Placed {
    let remarks = if asleep.is_empty() {
        Vec::new()
    } else {
        vec![Outcome::Narrowed {
            without: asleep.to_vec(),
            rule: Cow::Borrowed("quiet_hours"),
            words: Cow::Owned(format!("without {}: {why}", words::names(asleep))),
        }]
    };
    Placed {
        time,
        channels: awake,
        remarks,
    }
}
