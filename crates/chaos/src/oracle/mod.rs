//! The oracle: what must hold when calm has returned, and what does not.
//!
//! It reads what was accepted from the journal, what the system believes from Postgres by SQL of
//! its own (decision 0028), and what truly happened from the sandbox's ledger and inboxes, the
//! partners' receiver and the sink's consumer. It shares no code with what it judges.

mod calm;
mod charges;
mod ends;
mod events;
mod facts;
mod messages;
mod rollups;

use std::collections::BTreeMap;

pub use calm::settle;
pub use facts::{Charge, Facts, Mail, Payments, Recovery, gather};

use crate::faults::Step;
use crate::ground::Ground;
use crate::journal::{Entry, Happening};
use crate::load::Case;
use crate::sink::Sink;

/// What a rolling upgrade promises to everybody outside.
pub(crate) const FAILED: &str = "no request fails while replicas are replaced";

/// Nothing is owed any more. Most other promises can only be judged once it is kept.
pub const CALM: &str = "everything comes to its end";
/// Promises that are broken for good where they are broken, before calm has returned too.
pub const BEYOND_REPAIR: [&str; 5] = [
    "one successful charge at most",
    "an attempt makes one charge at most",
    "no charge after the end",
    "no message twice",
    "no message after the end",
];

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Which promise, in a few words.
    pub promise: &'static str,
    /// What is wrong, with the ids to look for.
    pub what: String,
}

impl Violation {
    /// Of this promise.
    pub fn new(promise: &'static str, what: impl Into<String>) -> Self {
        Self {
            promise,
            what: what.into(),
        }
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.promise, self.what)
    }
}

/// Everything that is held against each other.
pub struct Evidence<'a> {
    /// What there is.
    pub facts: &'a Facts,
    /// What was begun, by reference.
    pub cases: BTreeMap<&'a str, &'a Case>,
    /// What was seen and done.
    pub entries: &'a [Entry],
    /// When cancellations were answered, by reference.
    cancelled: BTreeMap<&'a str, i64>,
    /// Sorted by when they began.
    held_up: Vec<HeldUp>,
}

impl<'a> Evidence<'a> {
    /// From a run's books.
    pub fn new(facts: &'a Facts, cases: &'a [Case], entries: &'a [Entry]) -> Self {
        Self {
            facts,
            cases: cases
                .iter()
                .map(|case| (case.reference.as_str(), case))
                .collect(),
            entries,
            cancelled: cancelled(entries),
            held_up: held_up(entries),
        }
    }

    /// When a recovery that was closed at `closed_at` had ended for everybody: a cancellation has
    /// when it was answered, which a busy machine may keep waiting since its time was noted.
    fn end_of(&self, reference: &str, closed_at: i64) -> i64 {
        let answered = self.cancelled.get(reference).copied();
        answered.map_or(closed_at, |answered| answered.max(closed_at))
    }

    /// Whether a step that was under way at `end` may still have been so at `at`: it takes what any
    /// step may take, and as long again after each fault that held it up.
    fn may_be_under_way(&self, step: Step, end: i64, at: i64) -> bool {
        let until = self
            .held_up
            .iter()
            .filter(|held| held.steps.contains(&step))
            .fold(end.saturating_add(SLACK), |until, held| {
                if held.from <= until && until <= held.to {
                    held.to.saturating_add(SLACK)
                } else {
                    until
                }
            });
        at <= until
    }
}

/// A stretch of time in which some steps may have been held up, in milliseconds since 1970.
#[derive(Debug, Clone)]
struct HeldUp {
    steps: Vec<Step>,
    from: i64,
    to: i64,
}

/// How long a step that was begun may take by itself, in milliseconds: the time-outs for PSPs and
/// providers, and a second.
const SLACK: i64 = 5_000;

fn cancelled(entries: &[Entry]) -> BTreeMap<&str, i64> {
    let mut cancelled = BTreeMap::new();
    for entry in entries {
        if let Happening::Cancelled { reference } = &entry.happening {
            // Asked for again, it is as it was.
            cancelled.entry(reference.as_str()).or_insert(entry.at);
        }
    }
    cancelled
}

/// When steps may have been held up, and which.
fn held_up(entries: &[Entry]) -> Vec<HeldUp> {
    let mut begun: BTreeMap<&str, (HeldUp, i64)> = BTreeMap::new();
    let mut ended = Vec::new();
    for entry in entries {
        match &entry.happening {
            Happening::Fault {
                what,
                holds_up,
                outlasts_ms,
            } if !holds_up.is_empty() => {
                let held = HeldUp {
                    steps: holds_up.clone(),
                    from: entry.at,
                    to: i64::MAX,
                };
                begun.insert(what, (held, *outlasts_ms));
            }
            Happening::Undone { what } => {
                let held = begun.remove(what.as_str());
                ended.extend(held.map(|(held, outlasts_ms)| HeldUp {
                    to: entry.at.saturating_add(outlasts_ms),
                    ..held
                }));
            }
            _ => {}
        }
    }
    ended.extend(begun.into_values().map(|(held, _)| held));
    ended.sort_by_key(|held| held.from);
    ended
}

/// All that is wrong.
pub async fn judge(
    ground: &Ground,
    sink: &Sink,
    evidence: &Evidence<'_>,
) -> anyhow::Result<Vec<Violation>> {
    let mut found = Vec::new();
    found.extend(driver(evidence.entries));
    found.extend(ends::judge(evidence));
    found.extend(charges::judge(evidence));
    found.extend(messages::judge(evidence));
    found.extend(events::judge(evidence, &ground.partner, sink));
    found.extend(rollups::judge(ground).await?);
    found.sort();
    found.dedup();
    Ok(found)
}

/// What is wrong already, whatever may still come.
pub fn beyond_repair(evidence: &Evidence<'_>) -> Vec<Violation> {
    let mut found = charges::judge(evidence);
    found.extend(messages::judge(evidence));
    found.retain(|it| BEYOND_REPAIR.contains(&it.promise));
    found
}

/// What the driver itself found.
fn driver(entries: &[Entry]) -> impl Iterator<Item = Violation> {
    entries.iter().filter_map(|entry| match &entry.happening {
        Happening::AnsweredOtherwise { reference, answers } => Some(Violation::new(
            "the same request has the same answer",
            format!("{reference}: {answers}"),
        )),
        Happening::GivenUp { what, why } => Some(Violation::new(
            "every request is answered in the end",
            format!("{what}: {why}"),
        )),
        Happening::FaultFailed { what, why } => Some(Violation::new(
            "every fault is made and undone",
            format!("{what}: {why}"),
        )),
        Happening::Failed { what, why } => Some(Violation::new(FAILED, format!("{what}: {why}"))),
        Happening::Replaced {
            replica,
            ended_after_ms,
            in_order: false,
        } => Some(Violation::new(
            "a replica that is replaced ends in order, within its grace",
            format!("{replica}: not so after {ended_after_ms} ms"),
        )),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
