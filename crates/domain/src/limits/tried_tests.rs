use super::*;
use proptest::prelude::*;

fn day(n: i64) -> DateTime<Utc> {
    "2026-03-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::days(n)
}

fn tried(network: CardNetwork, again: &[DateTime<Utc>]) -> Tried<'_> {
    Tried {
        network: Some(network),
        first: day(0),
        again,
        decline_code: None,
    }
}

#[test]
fn visa_takes_twenty_reattempts_in_thirty_days_and_no_more() {
    let charges: Vec<_> = (1..=20).map(day).collect();
    let nineteen = tried(CardNetwork::Visa, &charges[..19]);
    assert_eq!(earliest_charge(&nineteen, day(20)), LegacyCeiling::Allowed);
    let twenty = tried(CardNetwork::Visa, &charges);
    assert_eq!(
        earliest_charge(&twenty, day(21)),
        LegacyCeiling::NotBefore(day(31))
    );
    assert_eq!(earliest_charge(&twenty, day(31)), LegacyCeiling::Allowed);
}

#[test]
fn visa_took_fifteen_before_may_2025() {
    let at = |n| "2025-03-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::days(n);
    let charges: Vec<_> = (1..=15).map(at).collect();
    let tried = Tried {
        network: Some(CardNetwork::Visa),
        first: at(0),
        again: &charges,
        decline_code: None,
    };
    assert_eq!(
        earliest_charge(&tried, at(16)),
        LegacyCeiling::NotBefore(at(31))
    );
}

#[test]
fn mastercard_takes_ten_declines_a_day_the_first_among_them() {
    let minutes: Vec<_> = (1..=9).map(|n| day(0) + TimeDelta::minutes(n)).collect();
    let full = tried(CardNetwork::Mastercard, &minutes);
    assert_eq!(
        earliest_charge(&full, minutes[8]),
        LegacyCeiling::NotBefore(day(1))
    );
    let room = tried(CardNetwork::Mastercard, &minutes[..8]);
    assert_eq!(earliest_charge(&room, minutes[8]), LegacyCeiling::Allowed);
}

#[test]
fn visa_category_one_is_never_charged_again_from_its_day_on() {
    let with = |code| Tried {
        decline_code: Some(code),
        ..tried(CardNetwork::Visa, &[])
    };
    assert!(matches!(
        earliest_charge(&with("r1"), day(1)),
        LegacyCeiling::Never(_)
    ));
    assert_eq!(earliest_charge(&with("57"), day(1)), LegacyCeiling::Allowed);
    let after = "2026-10-25T00:00:00Z".parse().unwrap();
    assert!(matches!(
        earliest_charge(&with("57"), after),
        LegacyCeiling::Never(_)
    ));
    let elsewhere = Tried {
        network: Some(CardNetwork::Amex),
        ..with("R1")
    };
    assert_eq!(earliest_charge(&elsewhere, day(1)), LegacyCeiling::Allowed);
}

#[test]
fn names_of_networks_are_read_as_psps_write_them() {
    assert_eq!(CardNetwork::from_psp("MasterCard"), CardNetwork::Mastercard);
    assert_eq!(CardNetwork::from_psp("American Express"), CardNetwork::Amex);
    assert_eq!(CardNetwork::from_psp("RuPay"), CardNetwork::Rupay);
    assert_eq!(CardNetwork::from_psp("eftpos_au"), CardNetwork::Other);
}

proptest! {
    #[test]
    fn no_window_ever_holds_more_than_it_may(
        hours in prop::collection::vec(0i64..1_000, 0..60),
        network in prop::option::of(prop::sample::select(CardNetwork::ALL)),
    ) {
        // Charges that the ceilings let through, one after another.
        let mut made: Vec<DateTime<Utc>> = Vec::new();
        let mut clock = day(0);
        for step in hours {
            clock += TimeDelta::hours(step % 40);
            let so_far = Tried { network, first: day(0), again: &made, decline_code: None };
            clock = match earliest_charge(&so_far, clock) {
                LegacyCeiling::NotBefore(later) => later,
                _ => clock,
            };
            made.push(clock);
        }
        for end in &made {
            let within = |days| made.iter().filter(|at| *at <= end && **at > *end - TimeDelta::days(days)).count();
            let first = |days| usize::from(day(0) > *end - TimeDelta::days(days));
            if matches!(network, None | Some(CardNetwork::Visa)) {
                prop_assert!(within(30) <= 20);
            }
            if matches!(network, None | Some(CardNetwork::Mastercard)) {
                prop_assert!(within(1) + first(1) <= 10);
                prop_assert!(within(30) + first(30) <= 35);
            }
        }
    }
}

proptest! {
    #[test]
    fn the_first_edition_of_the_dated_rules_answers_as_it_did_before_there_were_any(
        hours in prop::collection::vec(0i64..700, 0..45),
        asked in 0i64..1_500,
        network in prop::option::of(prop::sample::select(CardNetwork::ALL)),
        code in prop::sample::select(vec![None, Some("57"), Some("r1")]),
    ) {
        use crate::limits::{CardTry, Ceiling, ChargeCase, Rail, RulePack, TriedBy, TryOutcome};
        let mut again: Vec<_> = hours.iter().map(|hour| day(0) + TimeDelta::minutes(hour * 60 + 1)).collect();
        again.sort_unstable();
        let amount = crate::Money::new(500, crate::Currency::parse("EUR").unwrap()).unwrap();
        let tries: Vec<_> = std::iter::once(day(0)).chain(again.iter().copied())
            .map(|at| CardTry { at, by: TriedBy::Us, outcome: TryOutcome::Declined, amount })
            .collect();
        let case = ChargeCase {
            rail: Rail::Card, network, country: None, amount, recurring: true, decided_at: day(0),
            tries: &tries, last_decline_code: code, last_advice_code: None, failed_at: day(0),
            recovery_charges: 0, time_zone: chrono_tz::Tz::UTC,
        };
        let time = day(0) + TimeDelta::hours(asked);
        let old = Tried { network, first: day(0), again: &again, decline_code: code };
        let pack = RulePack::named("2026-11-24").unwrap();
        match (earliest_charge(&old, time), pack.earliest_charge(&case, time)) {
            (LegacyCeiling::NotBefore(a), Ceiling::NotBefore { at, .. }) => prop_assert_eq!(a, at),
            (LegacyCeiling::Allowed, Ceiling::Allowed)
            | (LegacyCeiling::Never(_), Ceiling::Never { .. }) => {}
            // Of a network that is not known the new rules ask Visa's codes too.
            (_, Ceiling::Never { .. }) if network.is_none() => {}
            (old, new) => prop_assert!(false, "{:?} but {:?}", old, new),
        }
    }
}
