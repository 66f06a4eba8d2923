//! What is told of each arm.

use std::collections::BTreeMap;

use db::rollups::Measure;
use domain::analytics::statistics::{Share, money_lift};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::tally::Tally;
use super::Shown;

/// The arm of recoveries that are watched only.
pub(super) const HOLD_OUT: &str = "hold_out";
/// The word in the sums of the policy as it stands, which has no name.
pub(super) const AS_IT_STANDS: &str = "";

/// An arm, and how many of its recoveries were won back.
#[derive(Serialize, ToSchema)]
pub(super) struct ArmView {
    /// The variant's name, `hold_out`, or null for the policy as it stands.
    #[schema(example = "patient")]
    arm: Option<String>,
    /// Its share of the dealing, in basis points.
    #[schema(minimum = 0, maximum = 10_000)]
    weight: u32,
    /// Recoveries that opened in the window.
    opened: u64,
    /// Of them: won back.
    recovered: u64,
    /// Recovered of opened, from 0 to 1; null if none opened.
    recovery_rate: Option<f64>,
    /// The lower end of its interval of 95 % (Wilson).
    rate_low: Option<f64>,
    /// Its upper end.
    rate_high: Option<f64>,
    /// By how much the rate is above that of the arm it is compared with; null for
    /// that arm itself, and while one of them is empty.
    lift: Option<f64>,
    /// The lower end of its interval of 95 % (Newcombe).
    lift_low: Option<f64>,
    /// Its upper end.
    lift_high: Option<f64>,
    /// Whether the interval leaves nought out.
    is_clear: Option<bool>,
}

/// The money of an arm in one currency.
#[derive(Serialize, ToSchema)]
pub(super) struct MoneyView {
    /// The variant's name, `hold_out`, or null for the policy as it stands.
    arm: Option<String>,
    /// ISO 4217.
    #[schema(example = "INR")]
    currency: &'static str,
    /// Recoveries that opened.
    opened: i64,
    /// What they were owed, in minor units.
    opened_minor: i64,
    /// What came in for them, in minor units.
    recovered_minor: i64,
    /// What of it is beyond the average, for each recovery, of the arm it is
    /// compared with; null for that arm itself, and where it has none in this currency.
    lift_minor: Option<i64>,
}

/// The tallies of every currency together: their numbers alone mean something.
pub(super) fn together(tallies: &BTreeMap<&'static str, Tally>) -> Tally {
    let mut all = Tally::default();
    for tally in tallies.values() {
        all.add_numbers(tally);
    }
    all
}

fn name(arm: &str) -> Option<String> {
    (arm != AS_IT_STANDS).then(|| arm.to_owned())
}

impl Shown {
    /// The hold-out, if there is one; else the policy as it stands.
    pub(super) fn compared_with(&self) -> &'static str {
        if self.arms.contains_key(HOLD_OUT) {
            HOLD_OUT
        } else {
            "as_it_stands"
        }
    }

    fn reference(&self) -> &'static str {
        if self.arms.contains_key(HOLD_OUT) {
            HOLD_OUT
        } else {
            AS_IT_STANDS
        }
    }

    pub(super) fn arms(&self) -> Vec<ArmView> {
        let reference = self.reference();
        let share = |arm: &str| together(&self.arms.get(arm)?.1).won();
        let other = share(reference);
        let view = |(arm, (weight, _)): (&String, &(u32, _))| {
            let share = share(arm);
            let interval = share.map(Share::interval);
            let pair = share.zip(other).filter(|_| arm != reference);
            let lift = pair.map(|(share, other)| share.above(other));
            ArmView {
                arm: name(arm),
                weight: *weight,
                opened: share.map_or(0, Share::of),
                recovered: share.map_or(0, Share::got),
                recovery_rate: share.map(Share::rate),
                rate_low: interval.map(|interval| interval.low),
                rate_high: interval.map(|interval| interval.high),
                lift: lift.map(|lift| lift.estimate),
                lift_low: lift.map(|lift| lift.interval.low),
                lift_high: lift.map(|lift| lift.interval.high),
                is_clear: lift.map(|lift| lift.is_clear()),
            }
        };
        self.arms.iter().map(view).collect()
    }

    pub(super) fn money(&self) -> Vec<MoneyView> {
        let reference = self.reference();
        let mut views = Vec::new();
        for (arm, (_, tallies)) in &self.arms {
            for (currency, tally) in tallies {
                let other = self
                    .arms
                    .get(reference)
                    .and_then(|(_, it)| it.get(currency));
                let other = other.filter(|_| arm != reference);
                views.push(MoneyView {
                    arm: name(arm),
                    currency,
                    opened: tally.number(Measure::Opened),
                    opened_minor: tally.minor(Measure::Opened),
                    recovered_minor: tally.minor(Measure::Won),
                    lift_minor: other.and_then(|other| money_lift(brought(tally), brought(other))),
                });
            }
        }
        views
    }
}

/// What came in, and of how many recoveries.
fn brought(tally: &Tally) -> (i64, u64) {
    let opened = u64::try_from(tally.number(Measure::Opened)).unwrap_or(0);
    (tally.minor(Measure::Won), opened)
}
