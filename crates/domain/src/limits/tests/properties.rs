use chrono::Timelike;
use proptest::prelude::*;

use super::*;

/// One try of a card's life: minutes after the one before it, by whom, of what.
#[derive(Debug, Clone)]
struct Turn {
    minutes: i64,
    by: TriedBy,
    outcome: TryOutcome,
    amount: i64,
}

fn any_turn() -> impl Strategy<Value = Turn> {
    (
        0i64..3_000,
        prop::sample::select(TriedBy::ALL),
        // Mostly declines: a full window is what is looked for.
        prop::sample::select(vec![
            TryOutcome::Declined,
            TryOutcome::Declined,
            TryOutcome::Declined,
            TryOutcome::Open,
            TryOutcome::Approved,
        ]),
        prop::sample::select(vec![1_000i64, 1_000, 1_000, 2_500]),
    )
        .prop_map(|(minutes, by, outcome, amount)| Turn {
            minutes,
            by,
            outcome,
            amount,
        })
}

/// A case of its own, not a view of one, so that it can be made at random.
#[derive(Debug, Clone)]
struct Owned {
    case: ChargeCase<'static>,
    tries: Vec<CardTry>,
}

impl Owned {
    fn view(&self) -> ChargeCase<'_> {
        ChargeCase {
            tries: &self.tries,
            ..self.case
        }
    }
}

fn any_case() -> impl Strategy<Value = Owned> {
    let about = (
        prop::sample::select(Rail::ALL),
        prop::option::of(prop::sample::select(CardNetwork::ALL)),
        prop::sample::select(vec![None, Some("IN"), Some("US"), Some("DE")]),
        prop::sample::select(vec![
            ("INR", 50_000i64),
            ("INR", 700_000),
            ("INR", 1_600_000),
            ("USD", 1_000),
            ("EUR", 1_000),
        ]),
        any::<bool>(),
    );
    let signals = (
        prop::sample::select(vec![None, Some("51"), Some("57"), Some("R1"), Some("05")]),
        prop::sample::select(vec![None, Some("03"), Some("21"), Some("24")]),
        0u32..5,
        prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
    );
    // From 2019 to 2027, so that rules begin and end on the way.
    let times = (
        1_560_000_000i64..1_820_000_000,
        0i64..90,
        prop::collection::vec(any_turn(), 0..45),
    );
    (about, signals, times).prop_map(|(about, signals, times)| {
        let (rail, network, place, (currency, minor), recurring) = about;
        let (last_decline_code, last_advice_code, recovery_charges, time_zone) = signals;
        let (start, decided_after, turns) = times;
        let start = DateTime::from_timestamp(start, 0).unwrap();
        let amount = money(minor, currency);
        let mut clock = start;
        let tries = turns
            .into_iter()
            .map(|turn| {
                clock += TimeDelta::minutes(turn.minutes);
                CardTry {
                    at: clock,
                    by: turn.by,
                    outcome: turn.outcome,
                    amount,
                }
            })
            .collect();
        let case = ChargeCase {
            rail,
            network,
            country: place.map(country),
            amount,
            recurring,
            decided_at: start + TimeDelta::days(decided_after),
            tries: &[],
            last_decline_code,
            last_advice_code,
            failed_at: start,
            recovery_charges,
            time_zone,
        };
        Owned { case, tries }
    })
}

/// When the charge may be made; nothing if never. It is never in the past.
fn earliest(pack: RulePack, case: &ChargeCase<'_>, asked: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match pack.earliest_charge(case, asked) {
        Ceiling::Allowed => Some(asked),
        Ceiling::NotBefore { at, .. } => Some(at),
        Ceiling::Never { .. } => None,
    }
}

/// Tries in the stretch of `hours` that ends at `end`, counted anew.
fn within(tries: &[CardTry], end: DateTime<Utc>, hours: i64) -> impl Iterator<Item = &CardTry> {
    tries
        .iter()
        .filter(move |tried| tried.at > end - TimeDelta::hours(hours) && tried.at <= end)
}

/// Declines of a card in a month, other than the first of a series of one amount.
fn reattempts(tries: &[CardTry], end: DateTime<Utc>, amount: Money) -> usize {
    let same: Vec<CardTry> = tries
        .iter()
        .copied()
        .filter(|tried| tried.amount == amount)
        .collect();
    (1..same.len())
        .filter(|index| {
            let (before, after) = (same[index - 1], same[*index]);
            before.outcome != TryOutcome::Approved
                && after.at - before.at < TimeDelta::days(30)
                && after.at > end - TimeDelta::days(30)
                && after.at <= end
        })
        .count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_charge_that_is_let_through_overfills_a_window(
        turns in prop::collection::vec(any_turn(), 0..90),
        network in prop::option::of(prop::sample::select(CardNetwork::ALL)),
        pace in prop::sample::select(vec![1i64, 10, 100]),
        pack in prop::sample::select(RulePack::all()),
    ) {
        let mut made: Vec<CardTry> = Vec::new();
        let mut clock = day(0);
        for turn in turns {
            clock += TimeDelta::minutes(turn.minutes / pace);
            let amount = euros(turn.amount);
            if turn.by == TriedBy::Us {
                let asked = ChargeCase { amount, ..case(network, &made) };
                clock = earliest(pack, &asked, clock).unwrap();
            }
            made.push(CardTry { at: clock, by: turn.by, outcome: turn.outcome, amount });
            if turn.by != TriedBy::Us {
                continue; // The payer and the PSP ask nobody.
            }
            // The charge counts from the moment at which it is made.
            made.last_mut().unwrap().outcome = TryOutcome::Open;
            let declined = |hours| within(&made, clock, hours)
                .filter(|tried| tried.outcome != TryOutcome::Approved).count();
            let like = |wanted| network.is_none_or(|network| network == wanted);
            if like(CardNetwork::Visa) {
                let mut count = reattempts(&made, clock, amount);
                // A charge after an approval or a pause is the first of a series.
                if reattempts(&made[..made.len() - 1], clock, amount) == count { count += 1; }
                prop_assert!(count <= 20, "{} reattempts", count);
            }
            if like(CardNetwork::Mastercard) {
                prop_assert!(declined(24) <= 10 && declined(30 * 24) <= 35);
            }
            if !matches!(network, Some(CardNetwork::Visa | CardNetwork::Mastercard)) {
                prop_assert!(declined(30 * 24) <= 20);
            }
            made.last_mut().unwrap().outcome = turn.outcome;
        }
    }

    #[test]
    fn the_answer_is_the_first_time_that_is_allowed(
        owned in any_case(),
        minutes in -200_000i64..200_000,
        later in 0i64..100_000,
        thousandths in 0i32..1_000,
        pack in prop::sample::select(RulePack::all()),
    ) {
        let case = owned.view();
        let asked = case.decided_at + TimeDelta::minutes(minutes);
        let first = earliest(pack, &case, asked);
        // Asked later, it is not earlier.
        let second = earliest(pack, &case, asked + TimeDelta::minutes(later));
        match (first, second) {
            (Some(first), Some(second)) => prop_assert!(first <= second),
            (None, second) => prop_assert_eq!(second, None),
            (Some(_), None) => {}
        }
        let Some(first) = first else { return Ok(()); };
        prop_assert!(first >= asked);
        // Asked at that time, it is allowed.
        prop_assert_eq!(pack.earliest_charge(&case, first), Ceiling::Allowed);
        // No time between is allowed.
        let between = asked + (first - asked) / 1_000 * thousandths;
        if between < first {
            prop_assert_eq!(earliest(pack, &case, between), Some(first));
        }
    }

    #[test]
    fn a_debit_over_upi_is_made_in_a_window_of_indias_clock(
        owned in any_case(),
        seconds in 1_754_100_000i64..1_900_000_000,
        offset in 0i64..3_000,
    ) {
        let asked = DateTime::from_timestamp(seconds, 7).unwrap();
        let case = ChargeCase {
            rail: Rail::UpiAutopay,
            decided_at: asked - TimeDelta::minutes(offset),
            recovery_charges: 0,
            amount: money(50_000, "INR"),
            ..owned.view()
        };
        let due = earliest(RulePack::current(), &case, asked).unwrap();
        let clock = due.with_timezone(&Tz::Asia__Kolkata).time();
        let minute = clock.hour() * 60 + clock.minute();
        prop_assert!(!(600..780).contains(&minute) && !(1_020..1_290).contains(&minute), "{}", clock);
        prop_assert!(due >= case.decided_at + TimeDelta::hours(24));
        // The longest wait for a window is from 17:00 to 21:30.
        prop_assert!(due - asked <= TimeDelta::hours(24) + TimeDelta::minutes(270));
    }

    #[test]
    fn clocks_that_change_and_leap_days_change_nothing(
        owned in any_case(),
        zone in prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
        // From January 2027 to January 2029: summer times and a leap day.
        seconds in 1_798_761_600i64..1_861_920_000,
    ) {
        let asked = DateTime::from_timestamp(seconds, 0).unwrap();
        let case = owned.view();
        let elsewhere = ChargeCase { time_zone: zone, ..case };
        let pack = RulePack::current();
        prop_assert_eq!(pack.earliest_charge(&case, asked), pack.earliest_charge(&elsewhere, asked));
        // A full window is free exactly its hours after its oldest try.
        let tries = declines((0..10).map(|n| asked + TimeDelta::minutes(n)));
        let full = super::case(Some(CardNetwork::Mastercard), &tries);
        prop_assert_eq!(
            earliest(pack, &full, asked + TimeDelta::hours(1)),
            Some(asked + TimeDelta::hours(24))
        );
    }

    #[test]
    fn the_order_of_the_tries_changes_nothing(owned in any_case(), turn in 0usize..45, hours in 0i64..2_000) {
        let asked = owned.case.failed_at + TimeDelta::hours(hours);
        let mut turned = owned.clone();
        let count = turned.tries.len();
        turned.tries.rotate_left(if count == 0 { 0 } else { turn % count });
        // Tries of one moment have no order; they are left out.
        prop_assume!(owned.tries.windows(2).all(|pair| pair[0].at < pair[1].at));
        let pack = RulePack::current();
        prop_assert_eq!(pack.earliest_charge(&owned.view(), asked), pack.earliest_charge(&turned.view(), asked));
        prop_assert_eq!(pack.room(&owned.view(), asked), pack.room(&turned.view(), asked));
    }

    #[test]
    fn a_window_without_room_is_one_that_stands_in_the_way(owned in any_case(), hours in 0i64..2_000) {
        let case = owned.view();
        let asked = case.failed_at + TimeDelta::hours(hours);
        let pack = RulePack::current();
        let full = pack.room(&case, asked).into_iter().any(|room| room.left() == 0);
        if full {
            prop_assert_ne!(pack.earliest_charge(&case, asked), Ceiling::Allowed);
        }
    }

    #[test]
    fn times_at_the_end_of_the_calendar_are_answered(owned in any_case(), beginning: bool) {
        let asked = if beginning { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
        let case = ChargeCase { decided_at: asked, failed_at: asked, ..owned.view() };
        prop_assert!(earliest(RulePack::current(), &case, asked).is_none_or(|at| at >= asked));
    }
}
