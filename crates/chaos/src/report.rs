//! The table at a run's end.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use crate::journal::Happening;
use crate::oracle::{Evidence, Violation};
use crate::partner::Partner;
use crate::sink::Sink;

/// How long things took.
#[derive(Debug, Clone, Default)]
pub struct Timing {
    /// Until all that was owed before a FLUSHALL had had its effect.
    pub flushed: Vec<Duration>,
    /// From the end of all payers until nothing was owed.
    pub calm: Duration,
}

/// Most violations that are told one by one; the run's folder has the rest.
const SHOWN: usize = 60;

type Counts = BTreeMap<String, usize>;

/// What a run did and found.
#[derive(Debug, Clone)]
pub struct Report {
    tables: Vec<(&'static str, Counts)>,
    timing: Timing,
    /// What was not kept.
    pub violations: Vec<Violation>,
}

impl Report {
    /// Counts a run's evidence.
    pub fn new(
        evidence: &Evidence<'_>,
        partner: &Partner,
        sink: &Sink,
        timing: Timing,
        violations: Vec<Violation>,
    ) -> Self {
        let facts = evidence.facts;
        let recoveries = facts.recoveries.values().flatten();
        let ends = recoveries.map(|it| match &it.by {
            Some(by) => format!("{} by {by}", it.state),
            None => it.state.clone(),
        });
        let charges = facts.charges.iter().map(|charge| {
            let end = if charge.succeeded {
                "succeeded"
            } else {
                "declined"
            };
            format!("{end}, by the {}", charge.initiator)
        });
        let rows = facts.notifications.values().flatten();
        let partner: Counts = copies(partner.taken().into_values().map(|taken| taken.copies));
        let sink: Counts = copies(sink.events().into_values().map(|arrived| arrived.copies));
        let tables = vec![
            ("faults", count(faults(evidence))),
            (
                "cases begun",
                count(evidence.cases.values().map(|it| it.story.name().to_owned())),
            ),
            ("reports accepted", count(accepted(evidence))),
            ("recoveries", count(ends)),
            ("charges at the PSPs", count(charges)),
            (
                "messages that came",
                count(facts.mails.iter().map(|it| it.channel.clone())),
            ),
            (
                "messages in Postgres",
                count(rows.map(|it| format!("{} {}", it.channel, it.state))),
            ),
            ("partner webhooks", partner),
            ("events at the sink", sink),
        ];
        Self {
            tables,
            timing,
            violations,
        }
    }
}

fn count(names: impl Iterator<Item = String>) -> Counts {
    let mut counts = Counts::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

fn copies(copies: impl Iterator<Item = usize>) -> Counts {
    let mut counts = Counts::new();
    for copies in copies {
        *counts.entry("events".to_owned()).or_default() += 1;
        *counts.entry("copies of them".to_owned()).or_default() += copies.saturating_sub(1);
    }
    counts
}

/// The first two words of each fault's name say its kind and its target.
fn faults(evidence: &Evidence<'_>) -> impl Iterator<Item = String> {
    evidence
        .entries
        .iter()
        .filter_map(|entry| match &entry.happening {
            Happening::Fault { what, .. } => {
                let words: Vec<&str> = what.split_whitespace().collect();
                let is_rule = matches!(words.first(), Some(&("provider" | "webhooks")));
                Some(words[..if is_rule { 1 } else { words.len().min(3) }].join(" "))
            }
            _ => None,
        })
}

fn accepted(evidence: &Evidence<'_>) -> impl Iterator<Item = String> {
    let told = evidence
        .entries
        .iter()
        .filter_map(|entry| match &entry.happening {
            Happening::Accepted { door, .. } => Some(format!("{door:?}").to_lowercase()),
            _ => None,
        });
    let events = evidence
        .cases
        .values()
        .filter_map(|case| case.event.as_ref());
    let taken = &evidence.facts.taken_events;
    let taken = events.filter(|event| taken.get(*event).copied().unwrap_or_default());
    told.chain(taken.map(|_| "webhook".to_owned()))
}

/// How busy the machine was: one whose processors are wanted by ten times as many processes as it
/// has is too slow for the time-outs of all of them, and the run says little.
fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split(' ').take(3).collect();
    format!("load average {} on {processors} processors", load.join(" "))
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (name, counts) in &self.tables {
            writeln!(f, "{name}: {}", counts.values().sum::<usize>())?;
            for (what, count) in counts {
                writeln!(f, "  {count:>6}  {what}")?;
            }
        }
        for took in &self.timing.flushed {
            writeln!(f, "a FLUSHALL was felt for {:.1} s", took.as_secs_f64())?;
        }
        writeln!(f, "calm after {:.0} s", self.timing.calm.as_secs_f64())?;
        writeln!(f, "{}", machine())?;
        for (promise, count) in &count(self.violations.iter().map(|it| it.promise.to_owned())) {
            writeln!(f, "BROKEN {count} times: {promise}")?;
        }
        for violation in self.violations.iter().take(SHOWN) {
            writeln!(f, "VIOLATION {violation}")?;
        }
        Ok(())
    }
}
