use super::*;

fn rupees(minor: i64) -> Money {
    money(minor, "INR")
}

/// A card of an Indian bank, charged 500 rupees without the payer.
fn indian(rail: Rail) -> ChargeCase<'static> {
    ChargeCase {
        rail,
        country: Some(country("IN")),
        amount: rupees(50_000),
        time_zone: Tz::Asia__Kolkata,
        ..case(Some(CardNetwork::Rupay), &[])
    }
}

#[test]
fn a_recurring_debit_comes_a_day_after_its_notice_at_the_earliest() {
    let debit = indian(Rail::Card);
    let told = Some((day(1), "rbi-notice"));
    assert_eq!(waits(&debit, day(0)), told);
    assert_eq!(waits(&debit, day(1) - TimeDelta::seconds(1)), told);
    assert_eq!(ask(&debit, day(1)), Ceiling::Allowed);
    let present = ChargeCase {
        recurring: false,
        ..debit
    };
    assert_eq!(ask(&present, day(0)), Ceiling::Allowed);
    let notified_through_nach = indian(Rail::Emandate);
    assert_eq!(waits(&notified_through_nach, day(0)), told);
}

#[test]
fn rupees_tell_the_country_where_it_is_not_known() {
    let unknown = ChargeCase {
        country: None,
        ..indian(Rail::Card)
    };
    assert_eq!(waits(&unknown, day(0)), Some((day(1), "rbi-notice")));
    let abroad = ChargeCase {
        country: Some(country("DE")),
        ..indian(Rail::Card)
    };
    assert_eq!(ask(&abroad, day(0)), Ceiling::Allowed);
    let dollars = ChargeCase {
        country: None,
        amount: money(50_000, "USD"),
        ..indian(Rail::Card)
    };
    assert_eq!(ask(&dollars, day(0)), Ceiling::Allowed);
}

#[test]
fn above_fifteen_thousand_rupees_the_payer_is_asked() {
    let debit = |minor| ChargeCase {
        amount: rupees(minor),
        ..indian(Rail::Card)
    };
    assert!(waits(&debit(1_500_000), day(0)).is_some());
    assert_eq!(
        forbids(&debit(1_500_001), day(0)),
        Some("rbi-authentication")
    );
    let through_nach = ChargeCase {
        rail: Rail::Emandate,
        ..debit(1_500_001)
    };
    assert_eq!(forbids(&through_nach, day(0)), None);
}

#[test]
fn the_limit_of_an_amount_is_that_of_its_day() {
    let debit = |minor, decided_at| ChargeCase {
        amount: rupees(minor),
        decided_at,
        ..indian(Rail::Card)
    };
    let raised = at("2022-06-16T00:00:00Z");
    let before = raised - TimeDelta::days(3);
    let six_thousand = debit(600_000, before);
    // It may be charged on the day on which the limit was raised.
    assert_eq!(
        waits(&six_thousand, before),
        Some((raised, "rbi-authentication"))
    );
    assert_eq!(ask(&six_thousand, raised), Ceiling::Allowed);
    let in_2020 = at("2020-06-01T00:00:00Z");
    assert_eq!(
        waits(&debit(300_000, in_2020), in_2020),
        Some((at("2021-01-01T00:00:00Z"), "rbi-authentication"))
    );
}

#[test]
fn upi_autopay_keeps_to_its_windows_on_indias_clock() {
    let debit = ChargeCase {
        decided_at: at("2026-02-01T00:00:00Z"),
        ..indian(Rail::UpiAutopay)
    };
    // India time is 05:30 ahead.
    for (asked, allowed) in [
        ("2026-03-05T09:59:59.999+05:30", None),
        (
            "2026-03-05T10:00:00+05:30",
            Some("2026-03-05T13:00:00+05:30"),
        ),
        (
            "2026-03-05T12:59:59.999+05:30",
            Some("2026-03-05T13:00:00+05:30"),
        ),
        ("2026-03-05T13:00:00+05:30", None),
        ("2026-03-05T16:59:59+05:30", None),
        (
            "2026-03-05T17:00:00+05:30",
            Some("2026-03-05T21:30:00+05:30"),
        ),
        (
            "2026-03-05T21:29:30+05:30",
            Some("2026-03-05T21:30:00+05:30"),
        ),
        ("2026-03-05T21:30:00+05:30", None),
        ("2026-03-06T00:00:00+05:30", None),
    ] {
        let expected = allowed.map(|text| (at(text), "upi-autopay-windows"));
        assert_eq!(waits(&debit, at(asked)), expected, "{asked}");
        assert_eq!(
            ask(&debit, at(asked)) == Ceiling::Allowed,
            allowed.is_none()
        );
    }
}

#[test]
fn upi_autopay_had_no_windows_before_august_2025() {
    let debit = ChargeCase {
        decided_at: at("2025-07-01T00:00:00Z"),
        ..indian(Rail::UpiAutopay)
    };
    let noon = at("2025-07-31T12:00:00+05:30");
    assert_eq!(ask(&debit, noon), Ceiling::Allowed);
    assert!(waits(&debit, noon + TimeDelta::days(1)).is_some());
}

#[test]
fn the_windows_come_after_the_notice() {
    let debit = ChargeCase {
        decided_at: at("2026-03-05T11:00:00+05:30"),
        ..indian(Rail::UpiAutopay)
    };
    assert_eq!(
        waits(&debit, debit.decided_at),
        Some((at("2026-03-06T13:00:00+05:30"), "upi-autopay-windows"))
    );
}

#[test]
fn upi_autopay_takes_three_retries() {
    let debit = |charges| ChargeCase {
        recovery_charges: charges,
        ..indian(Rail::UpiAutopay)
    };
    assert_eq!(forbids(&debit(2), day(0)), None);
    assert_eq!(forbids(&debit(3), day(0)), Some("upi-autopay-retries"));
    let room = RulePack::current().room(&debit(2), day(0));
    assert_eq!((room[0].rule, room[0].left()), ("upi-autopay-retries", 1));
}

#[test]
fn upi_without_the_payer_is_autopay_wherever_the_payer_is() {
    let recurring = ChargeCase {
        country: Some(country("DE")),
        ..indian(Rail::UpiCollect)
    };
    assert_eq!(waits(&recurring, day(0)), Some((day(1), "rbi-notice")));
    let present = ChargeCase {
        recurring: false,
        ..recurring
    };
    assert_eq!(ask(&present, day(0)), Ceiling::Allowed);
}
