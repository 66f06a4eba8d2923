//! A plan in words that a merchant understands.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::History;
use super::place::Obstacle;
use crate::classification::{Category, Contact};
use crate::state::{AttemptKind, Channel};

/// When a step is due, and which one it is.
pub(super) struct Timing<'a> {
    pub(super) wait: TimeDelta,
    pub(super) position: usize,
    pub(super) of: usize,
    pub(super) notes: &'a [String],
}

/// `Payment declined for insufficient funds: charge 12.00 EUR again in 1 hour (step 1 of 3)`.
pub(super) fn why_step(
    history: &History<'_>,
    kind: AttemptKind,
    channels: &[Channel],
    timing: &Timing<'_>,
) -> String {
    let deed = match kind {
        AttemptKind::Charge => format!("charge {} again", history.amount),
        AttemptKind::Message => format!("write to the payer by {}", names(channels)),
    };
    let neutral =
        kind == AttemptKind::Message && history.classification.contact == Contact::Neutral;
    let mut why = format!(
        "{}: {deed} {} (step {} of {})",
        what_happened(history.classification.category),
        duration(timing.wait),
        timing.position,
        timing.of
    );
    if neutral {
        why.push_str("; the message does not name the reason");
    }
    for note in timing.notes {
        why.push_str("; ");
        why.push_str(note);
    }
    why
}

const fn what_happened(category: Category) -> &'static str {
    match category {
        Category::InsufficientFunds => "Payment declined for insufficient funds",
        Category::IssuerDecline => "Payment declined by the issuer",
        Category::DoNotRetry => "Payment declined for good",
        Category::ExpiredCard => "Payment declined, the card has expired",
        Category::InvalidDetails => "Payment declined for wrong details",
        Category::AuthenticationRequired => "Payment needs the payer's confirmation",
        Category::LimitExceeded => "Payment declined, a limit was reached",
        Category::ProcessingError => "Payment failed at the bank or gateway",
        Category::Network => "Payment failed on the way to the gateway",
        Category::UpiPending => "UPI payment is pending",
        Category::UpiDeclined => "UPI payment declined",
        Category::Duplicate => "Payment was made before",
        Category::Configuration => "Payment refused by the merchant's settings at the gateway",
        Category::Unknown => "Payment failed for an unknown reason",
    }
}

pub(super) fn why_no_contact(category: Category) -> String {
    let reason = match category {
        Category::Duplicate => "check which payment counts",
        Category::Configuration => "correct the settings or the request, then try anew",
        _ => "the payer withdrew their consent, so they are neither charged nor written to",
    };
    format!("{}: {reason}", what_happened(category))
}

pub(super) fn why_no_step(category: Category, obstacles: &[Obstacle]) -> String {
    let mut why = format!("{}: ", what_happened(category));
    why.push_str(match obstacles.last() {
        None => "every step of the policy was taken",
        Some(Obstacle::NoChannel) => "no enabled channel reaches the payer",
        Some(Obstacle::TooLate) => "the next step would fall past the recovery's end",
        Some(Obstacle::Forbidden(reason)) => reason,
    });
    why
}

/// `Fri 09:00 Asia/Kolkata`, with the date when it is not within the week.
pub(super) fn local_time(at: DateTime<Utc>, zone: Tz, now: DateTime<Utc>) -> String {
    let form = if at - now < TimeDelta::days(6) {
        "%a %H:%M"
    } else {
        "%a %-d %b %H:%M"
    };
    format!("{} {zone}", at.with_timezone(&zone).format(form))
}

pub(super) fn names(channels: &[Channel]) -> String {
    let names: Vec<&str> = channels
        .iter()
        .map(|channel| match channel {
            Channel::Email => "email",
            Channel::Sms => "SMS",
            Channel::WhatsApp => "WhatsApp",
        })
        .collect();
    names.join(" and ")
}

/// `now`, `in 1 second`, `in 1 hour 30 minutes`: the two largest units.
fn duration(wait: TimeDelta) -> String {
    let seconds = wait.num_seconds();
    if seconds <= 0 {
        return "now".to_owned();
    }
    let mut parts = Vec::new();
    let mut rest = seconds;
    for (unit, length) in [
        ("day", 86_400),
        ("hour", 3_600),
        ("minute", 60),
        ("second", 1),
    ] {
        let count = rest / length;
        rest %= length;
        match count {
            0 => {}
            1 => parts.push(format!("1 {unit}")),
            _ => parts.push(format!("{count} {unit}s")),
        }
    }
    parts.truncate(2);
    format!("in {}", parts.join(" "))
}
