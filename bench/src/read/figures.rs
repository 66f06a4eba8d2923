//! What the latencies come to.
//!
//! A quantile of a route is the median of its rounds' quantiles: a round that the machine spoilt
//! moves it little.

use std::time::Duration;

use anyhow::Context as _;
use hdrhistogram::Histogram;

use super::routes::{Kind, ME, Route};
use super::{Exported, Options};
use crate::rate::{Rate, millis};
use crate::report::{Report, Table};

/// What a read may cost, in hundredths of what it is compared with.
const TOO_MUCH: u64 = 300;

/// A route's latencies in microseconds, round by round.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) route: Route,
    pub(super) rounds: Vec<Histogram<u64>>,
}

impl Measured {
    pub(super) const fn nothing(route: Route) -> Self {
        Self {
            route,
            rounds: Vec::new(),
        }
    }

    fn at(&self, quantile: f64) -> u64 {
        let mut rounds: Vec<u64> = self
            .rounds
            .iter()
            .map(|latencies| latencies.value_at_quantile(quantile))
            .collect();
        rounds.sort_unstable();
        rounds.get(rounds.len() / 2).copied().unwrap_or_default()
    }

    fn p50(&self) -> u64 {
        self.at(0.5)
    }

    fn p99(&self) -> u64 {
        self.at(0.99)
    }
}

/// The worst of a kind, in hundredths.
#[derive(Debug, Default)]
struct Worst(u64);

impl Worst {
    fn meet(&mut self, ratio: u64) -> String {
        self.0 = self.0.max(ratio);
        shown(ratio)
    }
}

pub(super) fn report(
    server: &str,
    options: Options,
    took: Duration,
    measured: &[Measured],
    exported: &Exported,
) -> anyhow::Result<Report> {
    let me = measured.iter().find(|it| it.route.kind == Kind::Me);
    let me = me.with_context(|| format!("{ME} was not asked"))?;
    let title = format!(
        "read: {} transactions of one organization (written in {} s), {} requests a second in turn over {} \
         connections, open loop, {} rounds; {server}",
        options.transactions,
        took.as_secs(),
        options.rate,
        options.connections,
        options.rounds,
    );
    let (analytics, worst_analytics) = against_me(title, Kind::Analytics, me, measured);
    let (lists, worst_list) = lists(measured);
    let title = "other reads, against /v1/me".to_owned();
    let (others, worst_other) = against_me(title, Kind::Other, me, measured);
    let export = Rate::of(exported.lines, exported.took);
    let mut report = Report::new("read")
        .table(analytics)
        .table(lists)
        .table(others)
        .table(of_export(exported))
        .figure("transactions", options.transactions)
        .figure("seed_s", took.as_secs())
        .figure("me_p50_ms", millis(me.p50()))
        .figure("me_p99_ms", millis(me.p99()))
        .figure("worst_analytics_ratio", shown(worst_analytics.0))
        .figure("worst_list_ratio", shown(worst_list.0))
        .figure("worst_other_ratio", shown(worst_other.0))
        .figure("export_rows_per_s", export)
        .figure("export_rss_kib", exported.memory.1);
    for (worst, what) in [
        (
            worst_analytics,
            "p99 of a read of analytics to that of /v1/me",
        ),
        (worst_list, "p99 of a list's last page to that of its first"),
    ] {
        if worst.0 >= TOO_MUCH {
            report = report.complaint(format!("{what} is {}", shown(worst.0)));
        }
    }
    Ok(report)
}

fn against_me(title: String, kind: Kind, me: &Measured, measured: &[Measured]) -> (Table, Worst) {
    let mut table = Table::new(title, &["", "p50 ms", "p99 ms", "p50 to me", "p99 to me"]);
    let mut worst = Worst::default();
    let of_kind = measured.iter().filter(|it| it.route.kind == kind);
    for one in std::iter::once(me).chain(of_kind) {
        table.row([
            one.route.name.clone(),
            millis(one.p50()),
            millis(one.p99()),
            shown(ratio(one.p50(), me.p50())),
            worst.meet(ratio(one.p99(), me.p99())),
        ]);
    }
    (table, worst)
}

/// The last page of each against its first.
fn lists(measured: &[Measured]) -> (Table, Worst) {
    let title = "lists: the first page, and one near the end";
    let columns = [
        "",
        "first p50",
        "p99 ms",
        "last p50",
        "p99 ms",
        "p50 to first",
        "p99 to first",
    ];
    let mut table = Table::new(title, &columns);
    let mut worst = Worst::default();
    for pair in measured.windows(2) {
        let [first, last] = pair else { continue };
        if last.route.kind != Kind::Last {
            continue;
        }
        table.row([
            first.route.name.clone(),
            millis(first.p50()),
            millis(first.p99()),
            millis(last.p50()),
            millis(last.p99()),
            shown(ratio(last.p50(), first.p50())),
            worst.meet(ratio(last.p99(), first.p99())),
        ]);
    }
    (table, worst)
}

fn of_export(exported: &Exported) -> Table {
    let columns = [
        "",
        "rows",
        "MiB",
        "s",
        "rows/s",
        "RSS before",
        "RSS most, KiB",
    ];
    let mut table = Table::new("the export of a year", &columns);
    table.row([
        "/v1/exports/recoveries.csv".to_owned(),
        exported.lines.to_string(),
        (exported.bytes >> 20).to_string(),
        exported.took.as_secs().to_string(),
        Rate::of(exported.lines, exported.took).to_string(),
        exported.memory.0.to_string(),
        exported.memory.1.to_string(),
    ]);
    table
}

/// How many times the `other` this is, in hundredths.
fn ratio(micros: u64, other: u64) -> u64 {
    (micros * 100 + other / 2) / other.max(1)
}

fn shown(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_has_two_places() {
        assert_eq!(shown(ratio(3_000, 1_500)), "2.00");
        assert_eq!(shown(ratio(1_000, 3_000)), "0.33");
        assert_eq!(shown(ratio(5, 0)), "5.00");
    }

    #[test]
    fn one_spoilt_round_moves_no_quantile() {
        let route = Route {
            kind: Kind::Me,
            name: ME.to_owned(),
            path: ME.to_owned(),
        };
        let mut measured = Measured::nothing(route);
        for micros in [900, 60_000, 1_000] {
            let mut round = Histogram::new_with_max(60_000_000, 3).unwrap();
            round.record(micros).unwrap();
            measured.rounds.push(round);
        }
        assert_eq!(measured.p99(), 1_000);
    }
}
