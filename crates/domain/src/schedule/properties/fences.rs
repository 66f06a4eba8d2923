//! A policy's fences and preferences, stated anew.

use chrono::{Datelike, NaiveDateTime, TimeDelta, Weekday};

use crate::classification::Category;
use crate::payer::Country;
use crate::policy::{PolicyDocument, SendingWindow};
use crate::schedule::simulation::Planned;
use crate::schedule::{Facts, Outcome};
use crate::state::{AttemptKind, Channel};

fn seconds(count: u32) -> TimeDelta {
    TimeDelta::seconds(i64::from(count))
}

fn taken(facts: &Facts, kind: AttemptKind) -> usize {
    facts
        .attempts
        .iter()
        .filter(|past| past.kind == kind)
        .count()
}

fn outside(window: SendingWindow, clock: NaiveDateTime) -> bool {
    clock.time() < window.from.time() || clock.time() >= window.until.time()
}

/// The first fence that a step crosses.
pub(super) fn crossed(policy: &PolicyDocument, planned: &Planned) -> Option<String> {
    let Planned { facts, step, .. } = planned;
    let category = facts.failure.category;
    let small = policy.minimum_amounts.iter().any(|least| {
        least.currency() == facts.amount.currency() && facts.amount.minor() < least.minor()
    });
    let pending = category == Category::UpiPending
        && step.due_at < facts.failure.at + seconds(policy.pending_wait_seconds);
    let most = match step.kind {
        AttemptKind::Charge => policy.most_charges,
        AttemptKind::Message => policy.most_messages,
    };
    let spent = most.is_some_and(|most| taken(facts, step.kind) >= usize::try_from(most).unwrap());
    let fault = if policy.never_act_on.contains(&category) {
        "a category that is never acted on"
    } else if small {
        "an amount too small"
    } else if pending {
        "a pending payment may still succeed"
    } else if spent {
        "no more of its kind"
    } else if step.kind == AttemptKind::Message {
        return message(policy, planned);
    } else if step.channels.is_empty() {
        return None;
    } else {
        "a charge writes to nobody"
    };
    Some(fault.to_owned())
}

fn message(policy: &PolicyDocument, planned: &Planned) -> Option<String> {
    let Planned { facts, step, .. } = planned;
    if step.channels.is_empty() {
        return Some("writes to nobody".to_owned());
    }
    let gap = seconds(policy.least_message_gap_seconds);
    let written = facts
        .attempts
        .iter()
        .filter(|past| past.kind == AttemptKind::Message);
    if written.into_iter().any(|past| step.due_at < past.at + gap) {
        return Some("too soon after the message before".to_owned());
    }
    let clock = step.due_at.with_timezone(&facts.time_zone).naive_local();
    step.channels.iter().find_map(|channel| {
        let hours = &policy.quiet_hours;
        let window = match channel {
            Channel::Email => hours.email,
            Channel::Sms => Some(hours.sms),
            Channel::WhatsApp => Some(hours.whatsapp),
        };
        let asleep = hours.enabled && window.is_some_and(|window| outside(window, clock));
        let reaches =
            facts.reachable.contains(channel) && policy.enabled_channels.contains(channel);
        (asleep || !reaches).then(|| format!("{channel} at {clock}"))
    })
}

/// Week-ends that are not on Saturday and Sunday, of the countries played.
fn weekend(policy: &PolicyDocument, country: Option<Country>, day: Weekday) -> bool {
    if let Some(days) = &policy.weekends.days {
        return days.contains(&day);
    }
    match country.map_or("", Country::as_str) {
        "IN" => day == Weekday::Sun,
        "IR" => day == Weekday::Fri,
        "SA" | "EG" => matches!(day, Weekday::Fri | Weekday::Sat),
        _ => matches!(day, Weekday::Sat | Weekday::Sun),
    }
}

/// A preference that a step goes against without a word about it.
pub(super) fn unexplained(policy: &PolicyDocument, planned: &Planned) -> Option<&'static str> {
    let Planned {
        facts,
        step,
        decision,
    } = planned;
    let yielded = |preference: &str| {
        decision.considered.iter().any(|considered| {
            matches!(&considered.outcome, Outcome::Yielded { rule, words }
                if rule == preference && step.why.contains(words.as_ref()))
        })
    };
    let clock = step.due_at.with_timezone(&facts.time_zone).naive_local();
    let charge = step.kind == AttemptKind::Charge;
    let late = charge
        && policy
            .best_charge_hours
            .is_some_and(|window| outside(window, clock));
    let resting =
        charge && policy.weekends.avoid_charges && weekend(policy, facts.country, clock.weekday());
    if late && !yielded("best_charge_hours") {
        Some("outside of the best hours")
    } else if resting && !yielded("weekends") {
        Some("at the week-end")
    } else {
        None
    }
}
