//! What makes a policy one that can be followed.

use std::collections::BTreeSet;

use super::document::{PolicyDocument, StepAction, StepRule};
use super::{PolicyError, calendar, experiment, hours};
use crate::state::Channel;

/// The most steps whatever the policy: Visa's ceiling of reattempts in 30 days,
/// see [`crate::limits`].
const MOST_RETRIES: u32 = 20;
const DAY: u32 = 24 * 60 * 60;
/// The longest a recovery may run: past it the failed sale is history.
const LONGEST_STOP: u32 = 60 * DAY;
/// The longest that a link may live, as the table of links demands too.
const LONGEST_LINK: u32 = 30 * DAY;
const LONGEST_DELAY: u32 = 30 * DAY;
/// Five days: within them a UPI payment to a merchant is confirmed or reversed
/// (RBI, Harmonisation of Turn Around Time, 2019-09-20: T+5).
const LONGEST_PENDING: u32 = 5 * DAY;

pub(super) fn check(document: &PolicyDocument) -> Result<(), PolicyError> {
    let name = document.name.trim().chars().count();
    require((1..=128).contains(&name), "name", || {
        "must have 1 to 128 characters".to_owned()
    })?;
    check_numbers(document)?;
    check_channels("enabled_channels", &document.enabled_channels)?;
    hours::check(document)?;
    calendar::check(document)?;
    check_stops(document)?;
    if let Some(steps) = &document.steps {
        check_steps("steps", steps, document)?;
    }
    for (category, steps) in &document.overrides {
        check_steps(&format!("overrides.{category}"), steps, document)?;
    }
    for (rail, steps) in &document.rail_overrides {
        check_steps(&format!("rail_overrides.{rail}"), steps, document)?;
    }
    experiment::check(document)
}

#[rustfmt::skip]
fn check_numbers(document: &PolicyDocument) -> Result<(), PolicyError> {
    range("max_retries", document.max_retries, 0, MOST_RETRIES)?;
    range("initial_delay_seconds", document.initial_delay_seconds, 0, LONGEST_DELAY)?;
    range("backoff_multiplier", document.backoff_multiplier, 1, 5)?;
    range("max_delay_seconds", document.max_delay_seconds, 0, LONGEST_DELAY)?;
    range("jitter_percent", document.jitter_percent, 0, 50)?;
    range("silent_charges", u32::from(document.silent_charges), 0, MOST_RETRIES)?;
    range("stop_after_seconds", document.stop_after_seconds, 1, LONGEST_STOP)?;
    range("link_ttl_seconds", document.link_ttl_seconds, 1, LONGEST_LINK)?;
    range("least_message_gap_seconds", document.least_message_gap_seconds, 0, LONGEST_DELAY)?;
    range("pending_wait_seconds", document.pending_wait_seconds, 0, LONGEST_PENDING)?;
    range("most_messages", document.most_messages.unwrap_or(0), 0, MOST_RETRIES)?;
    range("most_charges", document.most_charges.unwrap_or(0), 0, MOST_RETRIES)
}

fn check_stops(document: &PolicyDocument) -> Result<(), PolicyError> {
    calendar::distinct("never_act_on", &document.never_act_on)?;
    let currencies: Vec<_> = document
        .minimum_amounts
        .iter()
        .map(|amount| amount.currency())
        .collect();
    calendar::distinct("minimum_amounts", &currencies)
}

fn check_channels(field: &str, channels: &[Channel]) -> Result<(), PolicyError> {
    let distinct: BTreeSet<_> = channels.iter().collect();
    require(distinct.len() == channels.len(), field, || {
        "names a channel twice".to_owned()
    })
}

fn check_steps(
    field: &str,
    steps: &[StepRule],
    document: &PolicyDocument,
) -> Result<(), PolicyError> {
    require(!steps.is_empty(), field, || "has no step".to_owned())?;
    let mut taken = 0u32;
    for (index, step) in steps.iter().enumerate() {
        let path = |name: &str| format!("{field}[{index}].{name}");
        range(&path("delay_seconds"), step.delay_seconds, 0, LONGEST_DELAY)?;
        taken += if step.action == StepAction::ChargeAndMessage {
            2
        } else {
            1
        };
        let Some(channels) = &step.channels else {
            continue;
        };
        check_channels(&path("channels"), channels)?;
        require(
            step.action != StepAction::Charge && !channels.is_empty(),
            &path("channels"),
            || "belongs to a step that writes, and names at least one channel".to_owned(),
        )?;
        require(
            channels
                .iter()
                .all(|channel| document.enabled_channels.contains(channel)),
            &path("channels"),
            || "names a channel that is not in enabled_channels".to_owned(),
        )?;
    }
    require(taken <= document.max_retries, field, || {
        format!(
            "takes {taken} charges and message rounds, more than max_retries ({})",
            document.max_retries
        )
    })
}

pub(super) fn range(field: &str, value: u32, least: u32, most: u32) -> Result<(), PolicyError> {
    require((least..=most).contains(&value), field, || {
        format!("must be from {least} to {most}, not {value}")
    })
}

pub(super) fn require(
    holds: bool,
    field: &str,
    fault: impl FnOnce() -> String,
) -> Result<(), PolicyError> {
    if holds {
        Ok(())
    } else {
        Err(PolicyError {
            field: field.to_owned(),
            fault: fault(),
        })
    }
}
