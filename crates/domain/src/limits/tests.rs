//! The rules at their edges, and what holds of all of them.

mod editions;
mod india;
mod messages;
mod names;
mod networks;
mod properties;
mod windows;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::*;
use crate::money::{Currency, Money};
use crate::payer::Country;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(n: i64) -> DateTime<Utc> {
    at("2026-03-01T00:00:00Z") + TimeDelta::days(n)
}

fn money(minor: i64, currency: &str) -> Money {
    Money::new(minor, Currency::parse(currency).unwrap()).unwrap()
}

fn euros(minor: i64) -> Money {
    money(minor, "EUR")
}

fn country(code: &str) -> Country {
    Country::parse(code).unwrap()
}

fn declined(at: DateTime<Utc>) -> CardTry {
    CardTry {
        at,
        by: TriedBy::Us,
        outcome: TryOutcome::Declined,
        amount: euros(1_000),
    }
}

/// A declined try at each of these times.
fn declines(times: impl IntoIterator<Item = DateTime<Utc>>) -> Vec<CardTry> {
    times.into_iter().map(declined).collect()
}

/// A charge of 10 EUR on a German card, without the payer.
fn case(network: Option<CardNetwork>, tries: &[CardTry]) -> ChargeCase<'_> {
    ChargeCase {
        rail: Rail::Card,
        network,
        country: Some(country("DE")),
        amount: euros(1_000),
        recurring: true,
        decided_at: day(0),
        tries,
        last_decline_code: None,
        last_advice_code: None,
        failed_at: day(0),
        recovery_charges: 0,
        time_zone: Tz::Europe__Berlin,
    }
}

fn ask(case: &ChargeCase<'_>, at: DateTime<Utc>) -> Ceiling {
    RulePack::current().earliest_charge(case, at)
}

/// The time until which a charge has to wait, with the rule's name.
fn waits(case: &ChargeCase<'_>, time: DateTime<Utc>) -> Option<(DateTime<Utc>, &'static str)> {
    match ask(case, time) {
        Ceiling::NotBefore { at, rule } => Some((at, rule.id)),
        Ceiling::Allowed | Ceiling::Never { .. } => None,
    }
}

fn forbids(case: &ChargeCase<'_>, time: DateTime<Utc>) -> Option<&'static str> {
    match ask(case, time) {
        Ceiling::Never { rule } => Some(rule.id),
        Ceiling::Allowed | Ceiling::NotBefore { .. } => None,
    }
}
