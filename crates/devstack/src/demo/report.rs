//! What was seen, as tables for a person.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use chrono::{DateTime, Utc};
use domain::{Currency, Money};

use super::DemoError;

/// All that was played.
#[derive(Debug)]
pub struct Report {
    /// Each case.
    pub cases: Vec<CaseReport>,
}

/// One case.
#[derive(Debug)]
pub struct CaseReport {
    /// What it is about.
    pub title: &'static str,
    /// How it ended, or why it did not end as it must.
    pub result: Result<Seen, DemoError>,
}

/// What Tinko says of one recovery.
#[derive(Debug)]
pub struct Seen {
    /// Its id.
    pub recovery: String,
    /// Its state at the end.
    pub state: String,
    /// What was won back.
    pub recovered: Option<Money>,
    /// What happened, oldest first.
    pub timeline: Vec<Happening>,
}

/// One row of the timeline.
#[derive(Debug)]
pub struct Happening {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub kind: String,
    /// Who.
    pub actor: String,
    /// Why.
    pub why: String,
    /// Under which trace.
    pub trace_id: String,
}

impl CaseReport {
    pub(super) fn of(title: &'static str, result: Result<Seen, DemoError>) -> Self {
        Self { title, result }
    }
}

impl Report {
    /// Whether every case ended as it must.
    pub fn all_as_expected(&self) -> bool {
        self.cases.iter().all(|case| case.result.is_ok())
    }

    /// What was won back, by currency: money is never added across currencies.
    pub fn recovered(&self) -> BTreeMap<&'static str, Money> {
        let mut sums: BTreeMap<&'static str, Money> = BTreeMap::new();
        for money in self
            .cases
            .iter()
            .filter_map(|case| case.result.as_ref().ok()?.recovered)
        {
            let code = money.currency().code();
            let sum = match sums.get(code) {
                Some(so_far) => so_far.checked_add(money).unwrap_or(*so_far),
                None => money,
            };
            sums.insert(code, sum);
        }
        sums
    }

    /// The last line: `demo: 5 of 5 cases as expected, recovered 69.00 EUR, 1898.50 INR`.
    pub fn summary(&self) -> String {
        let good = self.cases.iter().filter(|case| case.result.is_ok()).count();
        let sums: Vec<String> = self.recovered().values().map(Money::to_string).collect();
        let sums = if sums.is_empty() {
            "nothing".to_owned()
        } else {
            sums.join(", ")
        };
        format!(
            "demo: {good} of {} cases as expected, recovered {sums}",
            self.cases.len()
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, case) in self.cases.iter().enumerate() {
            writeln!(f, "\n{}. {}", number + 1, case.title)?;
            match &case.result {
                Ok(seen) => f.write_str(&table(seen))?,
                Err(error) => writeln!(f, "   NOT AS EXPECTED: {}", sentence(error))?,
            }
        }
        writeln!(f)
    }
}

fn sentence(error: &DemoError) -> String {
    let mut sentence = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let _ = write!(sentence, ": {cause}");
        source = cause.source();
    }
    sentence
}

fn table(seen: &Seen) -> String {
    let start = seen.timeline.first().map(|first| first.at);
    let kinds = width(seen.timeline.iter().map(|row| row.kind.len()));
    let actors = width(seen.timeline.iter().map(|row| row.actor.len()));
    let mut text = format!(
        "   {}: {}{}\n",
        seen.recovery,
        seen.state,
        seen.recovered
            .map(|money| format!(", {money}"))
            .unwrap_or_default(),
    );
    for row in &seen.timeline {
        let after = start.map_or(0, |start| (row.at - start).num_milliseconds());
        let _ = writeln!(
            text,
            "   {:>3}.{:03} s  {:kinds$}  {:actors$}  {}  {}",
            after / 1_000,
            after % 1_000,
            row.kind,
            row.actor,
            row.trace_id,
            row.why,
        );
    }
    text
}

fn width(lengths: impl Iterator<Item = usize>) -> usize {
    lengths.max().unwrap_or_default()
}

/// Money as the API writes it: minor units and a code.
pub(super) fn money(minor: i64, code: &str) -> Result<Money, DemoError> {
    Currency::parse(code)
        .map_err(|error| DemoError::Answer(error.to_string()))
        .and_then(|currency| {
            Money::new(minor, currency).map_err(|error| DemoError::Answer(error.to_string()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(money: Option<Money>) -> CaseReport {
        CaseReport::of(
            "a case",
            Ok(Seen {
                recovery: "rec_1".to_owned(),
                state: "recovered".to_owned(),
                recovered: money,
                timeline: Vec::new(),
            }),
        )
    }

    #[test]
    fn money_is_summed_by_currency() {
        let report = Report {
            cases: vec![
                case(money(100, "EUR").ok()),
                case(money(250, "EUR").ok()),
                case(money(99, "INR").ok()),
                case(None),
            ],
        };
        assert_eq!(
            report.summary(),
            "demo: 4 of 4 cases as expected, recovered 3.50 EUR, 0.99 INR"
        );
    }

    #[test]
    fn a_case_that_went_wrong_is_counted_and_says_why() {
        let wrong = CaseReport::of(
            "a case",
            Err(DemoError::Answer("it stayed open".to_owned())),
        );
        let report = Report {
            cases: vec![case(None), wrong],
        };
        assert!(!report.all_as_expected());
        assert!(report.summary().starts_with("demo: 1 of 2 cases"));
        assert!(
            report
                .to_string()
                .contains("NOT AS EXPECTED: it stayed open")
        );
    }
}
