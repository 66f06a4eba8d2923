//! The rules of networks, rails and laws, stated anew from their sources and
//! not by the planner's tables. Editions are named as they are in records.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Timelike, Utc, Weekday};

use crate::limits::{CardNetwork, CardTry, Rail, TryOutcome};
use crate::payer::Country;
use crate::schedule::{Facts, Step};
use crate::state::{AttemptKind, Channel};

/// The first rule that a step breaks.
pub(super) fn broken(edition: &str, facts: &Facts, step: &Step) -> Option<String> {
    // The first edition knew the networks' windows alone.
    let dated = match edition {
        "2026-11-24" => false,
        "2026-11-25" => true,
        other => panic!("state the rules of {other} here"),
    };
    let fault = match step.kind {
        AttemptKind::Charge => by_network(facts, step.due_at, dated)
            .or_else(|| by_rail(facts, step.due_at).filter(|_| dated))
            .or_else(|| by_payer(facts.rail)),
        AttemptKind::Message if dated => by_hours(facts, step),
        AttemptKind::Message => None,
    };
    fault.map(|fault| format!("{edition}: {fault}"))
}

fn since(at: DateTime<Utc>, year: i32, month: u32, day: u32) -> bool {
    at.date_naive() >= NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn by_payer(rail: Rail) -> Option<&'static str> {
    matches!(rail, Rail::UpiCollect | Rail::Netbanking | Rail::Wallet)
        .then_some("only the payer pays on this rail")
}

fn within(tried: &CardTry, due: DateTime<Utc>, length: TimeDelta) -> bool {
    tried.at + length > due
}

/// Tries of the amount that followed one, not approved, within 30 days of it.
fn reattempts(facts: &Facts, due: DateTime<Utc>) -> usize {
    let month = TimeDelta::days(30);
    let mut same: Vec<_> = facts
        .tries
        .iter()
        .filter(|tried| tried.amount == facts.amount)
        .collect();
    same.sort_by_key(|tried| tried.at);
    same.windows(2)
        .filter(|pair| {
            let follows =
                pair[0].outcome != TryOutcome::Approved && pair[0].at + month > pair[1].at;
            follows && within(pair[1], due, month)
        })
        .count()
}

fn declines(facts: &Facts, due: DateTime<Utc>, length: TimeDelta) -> usize {
    facts
        .tries
        .iter()
        .filter(|tried| tried.outcome != TryOutcome::Approved && within(tried, due, length))
        .count()
}

fn by_network(facts: &Facts, due: DateTime<Utc>, dated: bool) -> Option<&'static str> {
    if !matches!(facts.rail, Rail::Card | Rail::Unknown) {
        return None;
    }
    // A card whose network is not known may be of any.
    let may_be = |network| facts.network.is_none_or(|known| known == network);
    let like = |network| may_be(network) || (dated && may_be(CardNetwork::Other));
    let code = facts.failure.network_decline_code.as_deref().unwrap_or("");
    let advice = facts.failure.network_advice_code.as_deref().unwrap_or("");
    let never = [
        "04", "07", "12", "14", "15", "41", "43", "46", "R0", "R1", "R3",
    ];
    let visa_takes_twenty = if dated {
        since(due, 2025, 5, 19)
    } else {
        since(due, 2025, 5, 1)
    };
    let most = if visa_takes_twenty { 20 } else { 15 };
    let (day, month) = (TimeDelta::days(1), TimeDelta::days(30));
    if may_be(CardNetwork::Visa) && never.contains(&code) {
        Some("Visa's category 1")
    } else if may_be(CardNetwork::Visa) && code == "57" && since(due, 2026, 10, 25) {
        Some("Visa's category 1 since October 2026")
    } else if dated
        && may_be(CardNetwork::Mastercard)
        && ["03", "21"].contains(&advice)
        && due < facts.failure.at + month
    {
        Some("Mastercard's advice 03 or 21")
    } else if like(CardNetwork::Visa) && reattempts(facts, due) >= most {
        Some("Visa's reattempts")
    } else if like(CardNetwork::Mastercard) && declines(facts, due, day) >= 10 {
        Some("Mastercard's ten a day")
    } else if like(CardNetwork::Mastercard) && declines(facts, due, month) >= 35 {
        Some("Mastercard's thirty-five a month")
    } else if [
        CardNetwork::Amex,
        CardNetwork::Discover,
        CardNetwork::Rupay,
        CardNetwork::Other,
    ]
    .into_iter()
    .any(may_be)
        && declines(facts, due, month) >= 20
    {
        Some("twenty declines a month")
    } else {
        None
    }
}

fn by_rail(facts: &Facts, due: DateTime<Utc>) -> Option<&'static str> {
    let country = facts.card_country.or(facts.country).map(Country::as_str);
    let currency = facts.amount.currency().code();
    let in_india = country.map_or(currency == "INR", |country| country == "IN");
    let charges = facts
        .attempts
        .iter()
        .filter(|past| past.kind == AttemptKind::Charge)
        .count();
    let indian = match facts.rail {
        Rail::UpiAutopay | Rail::Emandate => true,
        Rail::Card | Rail::Unknown => in_india,
        _ => false,
    };
    let autopay = indian && matches!(facts.rail, Rail::UpiAutopay | Rail::Unknown);
    let authenticated_above = if since(due, 2022, 6, 16) {
        15_000
    } else if since(due, 2021, 1, 1) {
        5_000
    } else if since(due, 2019, 9, 1) {
        2_000
    } else {
        i64::MAX / 100
    };
    let above = currency == "INR" && facts.amount.minor() > authenticated_above * 100;
    if indian && since(due, 2019, 9, 1) && due < facts.now + TimeDelta::hours(24) {
        Some("India's notice of 24 hours")
    } else if indian && facts.rail != Rail::Emandate && above {
        Some("India's authentication")
    } else if autopay && since(due, 2025, 8, 1) && charges >= 3 {
        Some("AutoPay's three retries")
    } else if autopay && since(due, 2025, 8, 1) && !in_autopay_window(due) {
        Some("AutoPay's windows")
    } else if facts.rail == Rail::BankDebit
        && country.map_or(currency == "USD", |country| country == "US")
        && charges >= 2
    {
        Some("Nacha's two reinitiations")
    } else {
        None
    }
}

fn in_autopay_window(due: DateTime<Utc>) -> bool {
    let clock = due.with_timezone(&chrono_tz::Tz::Asia__Kolkata);
    let minute = clock.hour() * 60 + clock.minute();
    minute < 600 || (780..1_020).contains(&minute) || minute >= 1_290
}

fn by_hours(facts: &Facts, step: &Step) -> Option<&'static str> {
    let clock = step.due_at.with_timezone(&facts.time_zone);
    let weekend = matches!(clock.weekday(), Weekday::Sat | Weekday::Sun);
    let (from, until) = match (facts.country?.as_str(), weekend) {
        ("US", _) => ((8, 0), (21, 0)),
        ("AU", false) => ((7, 30), (21, 0)),
        ("IN", _) | ("AU", true) => ((9, 0), (21, 0)),
        ("CA", false) => ((9, 0), (21, 30)),
        ("CA", true) => ((10, 0), (18, 0)),
        ("FR", _) => ((8, 0), (20, 30)),
        ("AE", _) => ((7, 0), (21, 0)),
        ("BR" | "KZ", _) => ((9, 0), (22, 0)),
        ("SA", _) => ((7, 0), (22, 0)),
        ("MX", _) => ((8, 0), (20, 0)),
        _ => return None,
    };
    let time = |(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
    let open = time(from) <= clock.time() && clock.time() < time(until);
    let phone = step
        .channels
        .iter()
        .any(|channel| *channel != Channel::Email);
    // India's hours are as old as its regulations of 2011-09-27, Canada's as 2008.
    let in_force = facts
        .country
        .is_some_and(|country| country.as_str() != "IN")
        || since(step.due_at, 2011, 9, 27);
    (phone && !open && in_force).then_some("the law's hours")
}
