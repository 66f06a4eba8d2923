//! Windows at their edges.

use super::*;

fn visa(tries: &[CardTry]) -> ChargeCase<'_> {
    case(Some(CardNetwork::Visa), tries)
}

fn used(case: &ChargeCase<'_>, time: DateTime<Utc>) -> u32 {
    RulePack::current().room(case, time)[0].used
}

#[test]
fn a_try_thirty_days_after_the_one_before_begins_a_new_series() {
    let a_month = day(30);
    for (second, reattempts) in [
        (a_month - TimeDelta::milliseconds(1), 1),
        (a_month, 0),
        (a_month + TimeDelta::milliseconds(1), 0),
    ] {
        let tries = declines([day(0), second]);
        assert_eq!(used(&visa(&tries), second), reattempts, "{second}");
    }
}

#[test]
fn after_a_pause_the_tries_that_follow_each_other_count_still() {
    // The first of the new series, after 40 days, is no reattempt; the twenty after it are.
    let tries = declines(std::iter::once(day(-40)).chain((0..=20).map(day)));
    assert_eq!(used(&visa(&tries), day(20)), 20);
    assert_eq!(
        waits(&visa(&tries), day(21)),
        Some((day(31), "visa-reattempts"))
    );
}

#[test]
fn the_first_try_of_a_series_is_no_reattempt() {
    let tries = declines([day(0), day(1), day(40), day(41), day(42)]);
    assert_eq!(used(&visa(&tries[..2]), day(2)), 1);
    assert_eq!(used(&visa(&tries[..3]), day(40)), 0);
    assert_eq!(used(&visa(&tries), day(42)), 2);
}

#[test]
fn a_try_leaves_a_window_exactly_at_its_end() {
    let tries = declines([day(0), day(0) + TimeDelta::hours(1)]);
    let mastercard = case(Some(CardNetwork::Mastercard), &tries);
    assert_eq!(used(&mastercard, day(1) - TimeDelta::milliseconds(1)), 2);
    assert_eq!(used(&mastercard, day(1)), 1);
    assert_eq!(used(&mastercard, day(1) + TimeDelta::hours(1)), 0);
}

#[test]
fn a_card_without_tries_has_all_its_room() {
    for network in CardNetwork::ALL {
        let fresh = case(Some(*network), &[]);
        assert_eq!(ask(&fresh, day(0)), Ceiling::Allowed, "{network}");
        for room in RulePack::current().room(&fresh, day(0)) {
            assert_eq!((room.used, room.free_at), (0, None), "{}", room.rule);
            assert_eq!(room.left(), room.most);
        }
    }
}

#[test]
fn room_is_told_of_the_rules_of_the_day_and_the_edition() {
    let tries = declines([day(0)]);
    let most = |pack: RulePack, time: &str| {
        pack.room(&visa(&tries), at(time))
            .iter()
            .map(|room| (room.rule, room.most))
            .collect::<Vec<_>>()
    };
    let [first, second] = RulePack::all() else {
        panic!("tell here what the new edition says of Visa");
    };
    let (fifteen, twenty) = (vec![("visa-reattempts", 15)], vec![("visa-reattempts", 20)]);
    // The day was taken for the 1st, and put right later.
    for (pack, changes, before) in [
        (*first, "2025-05-01T00:00:00Z", "2025-04-30T23:59:59Z"),
        (*second, "2025-05-19T00:00:00Z", "2025-05-18T23:59:59Z"),
    ] {
        assert_eq!(most(pack, before), fifteen, "{}", pack.id());
        assert_eq!(most(pack, changes), twenty, "{}", pack.id());
    }
}

#[test]
fn the_room_of_a_mandate_is_counted_in_charges() {
    let debit = ChargeCase {
        rail: Rail::BankDebit,
        country: Some(country("US")),
        amount: money(1_000, "USD"),
        recovery_charges: 1,
        ..case(None, &[])
    };
    assert_eq!(
        RulePack::current().room(&debit, day(0)),
        [Room {
            rule: "ach-reinitiations",
            used: 1,
            most: 2,
            free_at: None
        }]
    );
    let before_the_rule = at("2002-03-21T23:59:59Z");
    assert!(RulePack::current().room(&debit, before_the_rule).is_empty());
}
