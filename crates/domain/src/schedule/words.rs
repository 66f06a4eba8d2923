//! A plan in words that a merchant understands.

use std::fmt::Write;

use chrono::TimeDelta;

use super::Facts;
use crate::classification::{Category, Contact};
use crate::state::{AttemptKind, Channel};

/// When a step is due, and which one it is.
pub(super) struct Timing<N> {
    pub(super) wait: TimeDelta,
    pub(super) position: usize,
    pub(super) of: usize,
    pub(super) notes: N,
}

/// `Payment declined for insufficient funds: charge 12.00 EUR again in 1 hour (step 1 of 3)`.
pub(super) fn why_step<'a>(
    facts: &Facts,
    kind: AttemptKind,
    channels: &[Channel],
    timing: Timing<impl Iterator<Item = &'a str>>,
) -> String {
    let mut why = String::with_capacity(256);
    why.push_str(what_happened(facts.failure.category));
    // Writing to a string cannot fail.
    let _ = match kind {
        AttemptKind::Charge => write!(why, ": charge {} again ", facts.amount),
        AttemptKind::Message => write!(why, ": write to the payer by {} ", names(channels)),
    };
    duration(&mut why, timing.wait);
    let _ = write!(why, " (step {} of {})", timing.position, timing.of);
    if kind == AttemptKind::Message && facts.failure.contact == Contact::Neutral {
        why.push_str("; the message does not name the reason");
    }
    for note in timing.notes {
        why.push_str("; ");
        why.push_str(note);
    }
    why
}

pub(super) const fn what_happened(category: Category) -> &'static str {
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

pub(super) const fn why_no_contact(category: Category) -> &'static str {
    match category {
        Category::Duplicate => "check which payment counts",
        Category::Configuration => "correct the settings or the request, then try anew",
        _ => "the payer withdrew their consent, so they are neither charged nor written to",
    }
}

pub(super) fn because(category: Category, reason: &str) -> String {
    format!("{}: {reason}", what_happened(category))
}

pub(super) fn names(channels: &[Channel]) -> String {
    let mut names = String::with_capacity(24);
    for channel in channels {
        if !names.is_empty() {
            names.push_str(" and ");
        }
        names.push_str(match channel {
            Channel::Email => "email",
            Channel::Sms => "SMS",
            Channel::WhatsApp => "WhatsApp",
        });
    }
    names
}

/// `now`, `in 1 second`, `in 1 hour 30 minutes`: the two largest units.
fn duration(out: &mut String, wait: TimeDelta) {
    let mut rest = wait.num_seconds();
    if rest <= 0 {
        out.push_str("now");
        return;
    }
    out.push_str("in");
    let mut parts = 0;
    for (unit, length) in [
        ("day", 86_400),
        ("hour", 3_600),
        ("minute", 60),
        ("second", 1),
    ] {
        let count = rest / length;
        rest %= length;
        if count == 0 || parts == 2 {
            continue;
        }
        parts += 1;
        let plural = if count == 1 { "" } else { "s" };
        let _ = write!(out, " {count} {unit}{plural}");
    }
}
