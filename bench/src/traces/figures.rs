//! Rounds, and what is said of them.

use super::Measured;
use super::collector::Mode;
use crate::rate::{Rate, Ratio, median};
use crate::report::{Report, Table};

/// By how much two rounds of the same may differ at least: a few rounds may happen to be alike.
const NOISE: Ratio = Ratio::wanted(0.9);

/// The measurements of each mode, by round.
#[derive(Debug)]
pub(super) struct Figures {
    events: u64,
    of: Vec<(Mode, Vec<Measured>)>,
}

impl Figures {
    pub(super) fn new(events: u64) -> Self {
        Self {
            events,
            of: Mode::ALL.map(|mode| (mode, Vec::new())).into(),
        }
    }

    pub(super) fn add(&mut self, mode: Mode, measured: Measured) {
        for (of, rounds) in &mut self.of {
            if *of == mode {
                rounds.push(measured);
            }
        }
    }

    fn rounds(&self, mode: Mode) -> &[Measured] {
        let found = self.of.iter().find(|(of, _)| *of == mode);
        found.map_or(&[], |(_, rounds)| rounds)
    }

    /// From the slowest to the fastest.
    fn rates(&self, mode: Mode) -> Vec<Rate> {
        let mut rates: Vec<Rate> = self.rounds(mode).iter().map(|it| it.rate).collect();
        rates.sort_by(Rate::total_cmp);
        rates
    }

    /// The median, over the rounds, of a mode's rate to another's in the same round.
    fn ratio(&self, mode: Mode, to: Mode) -> Ratio {
        let pairs = self.rounds(mode).iter().zip(self.rounds(to));
        let mut ratios: Vec<Ratio> = pairs.map(|(a, b)| a.rate.ratio_to(b.rate)).collect();
        ratios.sort_by(Ratio::total_cmp);
        ratios[ratios.len() / 2]
    }

    pub(super) fn report(&self, server: &str) -> Report {
        let rounds = self.rounds(Mode::Off).len();
        let mut report = Report::new("traces")
            .table(self.table(server, rounds))
            .figure("events", self.events)
            .figure("rounds", rounds);
        for mode in Mode::ALL {
            report = report.figure(mode.key(), median(self.rates(mode)));
        }
        let alive = self.rates(Mode::Alive);
        let noise = alive[0].ratio_to(alive[alive.len() - 1]);
        report = report
            .figure("alive_to_off", self.ratio(Mode::Alive, Mode::Off))
            .figure("dead_to_alive", self.ratio(Mode::Dead, Mode::Alive))
            .figure("silent_to_alive", self.ratio(Mode::Silent, Mode::Alive))
            .figure("noise", noise);
        let least = if noise < NOISE { noise } else { NOISE };
        for mode in [Mode::Dead, Mode::Silent] {
            let ratio = self.ratio(mode, Mode::Alive);
            if ratio < least {
                report = report.complaint(format!(
                    "with {}, the rate is {ratio} of that with a living one, whose own rounds are within {least}",
                    mode.name(),
                ));
            }
        }
        report
    }

    fn table(&self, server: &str, rounds: usize) -> Table {
        let title = format!(
            "traces: {} failures to accepted emails, {rounds} rounds; {server}",
            self.events
        );
        let columns = [
            "exporting to",
            "median/s",
            "slowest",
            "fastest",
            "to alive",
            "exported",
            "failed",
            "dropped",
            "MiB held",
        ];
        let mut table = Table::new(title, &columns);
        for mode in Mode::ALL {
            let rates = self.rates(mode);
            // Each round's counts are of new processes; the last stands for all.
            let spans = self.rounds(mode).last().map(|it| it.spans);
            let spans = spans.unwrap_or_default();
            table.row([
                mode.name().to_owned(),
                median(rates.clone()).to_string(),
                rates[0].to_string(),
                rates[rates.len() - 1].to_string(),
                self.ratio(mode, Mode::Alive).to_string(),
                spans.exported.to_string(),
                spans.failed.to_string(),
                spans.dropped.to_string(),
                (spans.resident_kib / 1024).to_string(),
            ]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::super::Spans;
    use super::*;

    fn figures(rounds: &[[f64; 4]]) -> Figures {
        let mut figures = Figures::new(100);
        for round in rounds {
            for (mode, rate) in Mode::ALL.into_iter().zip(round) {
                let measured = Measured {
                    rate: Rate::measured(*rate),
                    spans: Spans::default(),
                };
                figures.add(mode, measured);
            }
        }
        figures
    }

    #[test]
    fn ratios_are_those_within_a_round() {
        // A machine that is slower from round to round.
        let figures = figures(&[
            [110.0, 100.0, 100.0, 90.0],
            [55.0, 50.0, 50.0, 45.0],
            [11.0, 10.0, 10.0, 9.0],
        ]);
        let ratio = |mode| figures.ratio(mode, Mode::Alive).to_string();
        assert_eq!(ratio(Mode::Dead), "1.00");
        assert_eq!(ratio(Mode::Silent), "0.90");
        assert!(figures.report("here").complaints().is_empty());
    }

    #[test]
    fn a_dead_collector_that_costs_more_than_noise_is_complained_of() {
        let figures = figures(&[[110.0, 100.0, 50.0, 95.0], [110.0, 90.0, 50.0, 95.0]]);
        let report = figures.report("here");
        let complaints = report.complaints();
        assert_eq!(complaints.len(), 1);
        assert!(
            complaints[0].starts_with("with collector dead, the rate is 0.56 of"),
            "{complaints:?}"
        );
    }
}
