//! What makes a policy one that can be followed.

use std::collections::BTreeSet;

use super::document::{PolicyDocument, SendingWindow, StepAction, StepRule};
use super::{LocalTime, PolicyError};
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
/// The least that both phone channels must share, so that a round finds a time.
const LEAST_SHARED_MINUTES: i64 = 60;

pub(super) fn check(document: &PolicyDocument) -> Result<(), PolicyError> {
    let name = document.name.trim().chars().count();
    require((1..=128).contains(&name), "name", || {
        "must have 1 to 128 characters".to_owned()
    })?;
    range("max_retries", document.max_retries, 0, MOST_RETRIES)?;
    range(
        "initial_delay_seconds",
        document.initial_delay_seconds,
        0,
        LONGEST_DELAY,
    )?;
    range("backoff_multiplier", document.backoff_multiplier, 1, 5)?;
    range(
        "max_delay_seconds",
        document.max_delay_seconds,
        0,
        LONGEST_DELAY,
    )?;
    range("jitter_percent", document.jitter_percent, 0, 50)?;
    range(
        "silent_charges",
        u32::from(document.silent_charges),
        0,
        MOST_RETRIES,
    )?;
    range(
        "stop_after_seconds",
        document.stop_after_seconds,
        1,
        LONGEST_STOP,
    )?;
    range(
        "link_ttl_seconds",
        document.link_ttl_seconds,
        1,
        LONGEST_LINK,
    )?;
    check_channels("enabled_channels", &document.enabled_channels)?;
    check_quiet_hours(document)?;
    if let Some(steps) = &document.steps {
        check_steps("steps", steps, document)?;
    }
    for (category, steps) in &document.overrides {
        check_steps(&format!("overrides.{category}"), steps, document)?;
    }
    Ok(())
}

fn check_channels(field: &str, channels: &[Channel]) -> Result<(), PolicyError> {
    let distinct: BTreeSet<_> = channels.iter().collect();
    require(distinct.len() == channels.len(), field, || {
        "names a channel twice".to_owned()
    })
}

fn check_quiet_hours(document: &PolicyDocument) -> Result<(), PolicyError> {
    let hours = &document.quiet_hours;
    for (field, window) in [
        ("quiet_hours.sms", hours.sms),
        ("quiet_hours.whatsapp", hours.whatsapp),
    ] {
        require(window.from < window.until, field, || {
            "`from` must be before `until`".to_owned()
        })?;
        let widest = SendingWindow::default();
        require(
            window.from >= widest.from && window.until <= widest.until,
            field,
            || format!("must lie within {} to {}", widest.from, widest.until),
        )?;
    }
    let from = hours.sms.from.max(hours.whatsapp.from);
    let until = hours.sms.until.min(hours.whatsapp.until);
    require(
        minutes(from, until) >= LEAST_SHARED_MINUTES,
        "quiet_hours",
        || {
            format!(
                "SMS and WhatsApp must share at least {LEAST_SHARED_MINUTES} minutes of the day"
            )
        },
    )
}

fn minutes(from: LocalTime, until: LocalTime) -> i64 {
    (until.time() - from.time()).num_minutes()
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

fn range(field: &str, value: u32, least: u32, most: u32) -> Result<(), PolicyError> {
    require((least..=most).contains(&value), field, || {
        format!("must be from {least} to {most}, not {value}")
    })
}

fn require(holds: bool, field: &str, fault: impl FnOnce() -> String) -> Result<(), PolicyError> {
    if holds {
        Ok(())
    } else {
        Err(PolicyError {
            field: field.to_owned(),
            fault: fault(),
        })
    }
}
