use super::*;

#[test]
fn visa_takes_a_first_try_and_twenty_reattempts_in_thirty_days() {
    let tries = declines((0..=20).map(day));
    let twenty = case(Some(CardNetwork::Visa), &tries[..20]);
    assert_eq!(ask(&twenty, day(20)), Ceiling::Allowed);
    // The first of the twenty reattempts was on day 1.
    let full = case(Some(CardNetwork::Visa), &tries);
    assert_eq!(waits(&full, day(21)), Some((day(31), "visa-reattempts")));
    assert_eq!(
        waits(&full, day(31) - TimeDelta::milliseconds(1)),
        Some((day(31), "visa-reattempts"))
    );
    assert_eq!(ask(&full, day(31)), Ceiling::Allowed);
}

#[test]
fn visa_took_fifteen_until_the_day_on_which_it_took_twenty() {
    let start = at("2025-05-01T00:00:00Z");
    let tries = declines((0..=15).map(|n| start + TimeDelta::hours(n)));
    let full = case(Some(CardNetwork::Visa), &tries);
    let changes = at("2025-05-19T00:00:00Z");
    assert_eq!(
        waits(&full, start + TimeDelta::days(1)),
        Some((changes, "visa-reattempts"))
    );
    assert_eq!(ask(&full, changes), Ceiling::Allowed);
}

#[test]
fn visa_counts_by_amount_and_mastercard_by_card() {
    let mut tries = declines((0..=20).map(|n| day(0) + TimeDelta::hours(n)));
    let later = day(2);
    let visa = case(Some(CardNetwork::Visa), &tries);
    let other_amount = ChargeCase {
        amount: euros(1_001),
        ..visa
    };
    assert!(waits(&visa, later).is_some());
    assert_eq!(ask(&other_amount, later), Ceiling::Allowed);

    tries.truncate(10);
    let mastercard = case(Some(CardNetwork::Mastercard), &tries);
    let other_amount = ChargeCase {
        amount: euros(1_001),
        ..mastercard
    };
    let soon = day(0) + TimeDelta::hours(10);
    let full = Some((day(1), "mastercard-declines-a-day"));
    assert_eq!(waits(&mastercard, soon), full);
    assert_eq!(waits(&other_amount, soon), full);
}

#[test]
fn what_follows_an_approval_is_no_reattempt() {
    let mut tries = declines((0..=20).map(|n| day(0) + TimeDelta::hours(n)));
    tries[10].outcome = TryOutcome::Approved;
    let visa = case(Some(CardNetwork::Visa), &tries);
    assert_eq!(ask(&visa, day(2)), Ceiling::Allowed);
}

#[test]
fn mastercard_takes_ten_declines_a_day_and_thirty_five_a_month() {
    let minutes = declines((0..10).map(|n| day(0) + TimeDelta::minutes(n)));
    let nine = case(Some(CardNetwork::Mastercard), &minutes[..9]);
    assert_eq!(ask(&nine, day(0) + TimeDelta::hours(1)), Ceiling::Allowed);
    let ten = case(Some(CardNetwork::Mastercard), &minutes);
    assert_eq!(
        waits(&ten, day(0) + TimeDelta::hours(1)),
        Some((day(1), "mastercard-declines-a-day"))
    );

    let spread = declines((0..35).map(|n| day(0) + TimeDelta::hours(12 * n)));
    let room = case(Some(CardNetwork::Mastercard), &spread[..34]);
    assert_eq!(ask(&room, day(20)), Ceiling::Allowed);
    let full = case(Some(CardNetwork::Mastercard), &spread);
    assert_eq!(
        waits(&full, day(20)),
        Some((day(30), "mastercard-declines-a-month"))
    );
}

#[test]
fn an_open_try_counts_and_an_approved_one_does_not() {
    let mut tries = declines((0..10).map(|n| day(0) + TimeDelta::minutes(n)));
    tries[9].outcome = TryOutcome::Open;
    let soon = day(0) + TimeDelta::hours(1);
    assert!(waits(&case(Some(CardNetwork::Mastercard), &tries), soon).is_some());
    tries[9].outcome = TryOutcome::Approved;
    assert_eq!(
        ask(&case(Some(CardNetwork::Mastercard), &tries), soon),
        Ceiling::Allowed
    );
}

#[test]
fn everybodys_tries_count_in_whatever_order_they_are_told() {
    let mut tries = declines((0..10).map(|n| day(0) + TimeDelta::minutes(n)));
    for (number, tried) in tries.iter_mut().enumerate() {
        tried.by = TriedBy::ALL[number % TriedBy::ALL.len()];
    }
    tries.reverse();
    tries.swap(2, 7);
    let ten = case(Some(CardNetwork::Mastercard), &tries);
    assert_eq!(
        waits(&ten, day(0) + TimeDelta::hours(1)),
        Some((day(1), "mastercard-declines-a-day"))
    );
}

#[test]
fn networks_without_a_published_limit_get_twenty_a_month() {
    for network in [CardNetwork::Amex, CardNetwork::Discover, CardNetwork::Rupay] {
        let tries = declines((0..20).map(day));
        let room = case(Some(network), &tries[..19]);
        assert_eq!(ask(&room, day(20)), Ceiling::Allowed, "{network}");
        let full = case(Some(network), &tries);
        assert_eq!(waits(&full, day(20)).unwrap().0, day(30), "{network}");
    }
}

#[test]
fn a_network_that_is_not_known_is_held_to_the_strictest() {
    // Ten in a day is Mastercard's, twenty in a month is that of the others.
    let fast = declines((0..10).map(|n| day(0) + TimeDelta::minutes(n)));
    let slow = declines((0..20).map(day));
    for network in [None, Some(CardNetwork::Other)] {
        assert_eq!(
            waits(&case(network, &fast), day(0) + TimeDelta::hours(1)),
            Some((day(1), "mastercard-declines-a-day"))
        );
        assert_eq!(waits(&case(network, &slow), day(20)).unwrap().0, day(30));
    }
    let revoked = ChargeCase {
        last_decline_code: Some("R1"),
        ..case(None, &[])
    };
    assert_eq!(forbids(&revoked, day(1)), Some("visa-category-1"));
}

#[test]
fn visa_category_one_is_never_charged_again_from_its_day_on() {
    let with = |network, code| ChargeCase {
        last_decline_code: Some(code),
        ..case(Some(network), &[])
    };
    let revoked = with(CardNetwork::Visa, " r1 ");
    assert_eq!(forbids(&revoked, day(1)), Some("visa-category-1"));
    let not_permitted = with(CardNetwork::Visa, "57");
    let since = at("2026-10-25T00:00:00Z");
    let before = since - TimeDelta::milliseconds(1);
    assert_eq!(ask(&not_permitted, before), Ceiling::Allowed);
    assert_eq!(forbids(&not_permitted, since), Some("visa-category-1-57"));
    assert_eq!(
        ask(&with(CardNetwork::Amex, "R1"), day(1)),
        Ceiling::Allowed
    );
}

#[test]
fn a_rule_that_takes_effect_during_a_wait_is_kept() {
    let asked = at("2026-10-24T12:00:00Z");
    let not_permitted = ChargeCase {
        last_decline_code: Some("57"),
        country: Some(country("IN")),
        decided_at: asked,
        ..case(Some(CardNetwork::Visa), &[])
    };
    // India's notice moves the charge to the day on which Visa forbids it.
    assert_eq!(forbids(&not_permitted, asked), Some("visa-category-1-57"));
    let a_day_earlier = ChargeCase {
        decided_at: asked - TimeDelta::days(1),
        ..not_permitted
    };
    assert_eq!(
        waits(&a_day_earlier, a_day_earlier.decided_at),
        Some((asked, "rbi-notice"))
    );
}

#[test]
fn mastercards_advice_is_waited_out_for_thirty_days() {
    for code in ["03", "21"] {
        let advised = ChargeCase {
            last_advice_code: Some(code),
            failed_at: day(2),
            ..case(Some(CardNetwork::Mastercard), &[])
        };
        let over = Some((day(32), "mastercard-advice-03-21"));
        assert_eq!(waits(&advised, day(2)), over);
        assert_eq!(waits(&advised, day(32) - TimeDelta::seconds(1)), over);
        assert_eq!(ask(&advised, day(32)), Ceiling::Allowed);
        let elsewhere = ChargeCase {
            network: Some(CardNetwork::Visa),
            ..advised
        };
        assert_eq!(ask(&elsewhere, day(2)), Ceiling::Allowed);
    }
    let later = ChargeCase {
        last_advice_code: Some("24"),
        ..case(Some(CardNetwork::Mastercard), &[])
    };
    assert_eq!(ask(&later, day(0)), Ceiling::Allowed);
}

#[test]
fn networks_rule_cards_alone() {
    let tries = declines((0..40).map(|n| day(0) + TimeDelta::minutes(n)));
    let transfer = ChargeCase {
        rail: Rail::Wallet,
        last_decline_code: Some("R1"),
        ..case(None, &tries)
    };
    assert_eq!(ask(&transfer, day(1)), Ceiling::Allowed);
}

#[test]
fn a_returned_ach_debit_is_made_again_twice() {
    let debit = |charges, country, amount| ChargeCase {
        rail: Rail::BankDebit,
        recovery_charges: charges,
        country,
        amount,
        ..case(None, &[])
    };
    let dollars = money(1_000, "USD");
    assert_eq!(
        ask(&debit(1, Some(country("US")), dollars), day(0)),
        Ceiling::Allowed
    );
    let full = debit(2, Some(country("US")), dollars);
    assert_eq!(forbids(&full, day(0)), Some("ach-reinitiations"));
    assert!(forbids(&debit(2, None, dollars), day(0)).is_some());
    assert_eq!(ask(&debit(2, None, euros(5)), day(0)), Ceiling::Allowed);
    assert_eq!(
        ask(&debit(2, Some(country("DE")), dollars), day(0)),
        Ceiling::Allowed
    );
}

#[test]
fn the_room_of_a_card_says_what_is_used_and_when_there_is_more() {
    let tries = declines((0..10).map(|n| day(0) + TimeDelta::minutes(n)));
    let mastercard = case(Some(CardNetwork::Mastercard), &tries);
    let room = RulePack::current().room(&mastercard, day(0) + TimeDelta::hours(1));
    let told: Vec<_> = room
        .iter()
        .map(|room| (room.rule, room.used, room.left(), room.free_at))
        .collect();
    assert_eq!(
        told,
        [
            ("mastercard-declines-a-day", 10, 0, Some(day(1))),
            ("mastercard-declines-a-month", 10, 25, None),
        ]
    );
    let next_day = RulePack::current().room(&mastercard, day(1));
    assert_eq!((next_day[0].used, next_day[0].free_at), (9, None));
}
