//! The fields that clients of the older system send and read.

use serde::{Deserialize, Serialize};

use super::{PolicyDocument, PolicyError, RetryPolicy};

/// The older contract's policy, delays in minutes. Numbers are wide here, so
/// that one out of range is answered with the field's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContractFields {
    /// 1 to 128 characters.
    pub name: String,
    /// 0 to 10.
    pub max_retries: i64,
    /// 1 to 1440.
    pub initial_delay_minutes: i64,
    /// 1 to 5.
    pub backoff_multiplier: i64,
    /// 60 to 10080.
    pub max_delay_minutes: i64,
    /// Names of channels.
    pub enabled_channels: Vec<String>,
}

impl Default for ContractFields {
    fn default() -> Self {
        RetryPolicy::default().to_contract()
    }
}

impl RetryPolicy {
    /// The policy in the older contract's fields: whole minutes, seconds past
    /// them rounded up; what the contract cannot say is left out.
    pub fn to_contract(&self) -> ContractFields {
        let document = self.document();
        let minutes = |seconds: u32| i64::from(seconds.div_ceil(60));
        ContractFields {
            name: document.name.clone(),
            max_retries: i64::from(document.max_retries),
            initial_delay_minutes: minutes(document.initial_delay_seconds),
            backoff_multiplier: i64::from(document.backoff_multiplier),
            max_delay_minutes: minutes(document.max_delay_seconds),
            enabled_channels: document
                .enabled_channels
                .iter()
                .map(ToString::to_string)
                .collect(),
        }
    }
}

pub(super) fn to_document(fields: &ContractFields) -> Result<PolicyDocument, PolicyError> {
    let mut enabled_channels = Vec::new();
    for (index, name) in fields.enabled_channels.iter().enumerate() {
        enabled_channels.push(name.to_ascii_lowercase().parse().map_err(|_| PolicyError {
            field: format!("enabled_channels[{index}]"),
            fault: format!("{name:?} is not one of email, sms, whatsapp"),
        })?);
    }
    Ok(PolicyDocument {
        name: fields.name.clone(),
        max_retries: within("max_retries", fields.max_retries, 0, 10)?,
        initial_delay_seconds: 60
            * within(
                "initial_delay_minutes",
                fields.initial_delay_minutes,
                1,
                1_440,
            )?,
        backoff_multiplier: within("backoff_multiplier", fields.backoff_multiplier, 1, 5)?,
        max_delay_seconds: 60 * within("max_delay_minutes", fields.max_delay_minutes, 60, 10_080)?,
        enabled_channels,
        ..PolicyDocument::default()
    })
}

fn within(field: &str, value: i64, least: u32, most: u32) -> Result<u32, PolicyError> {
    u32::try_from(value)
        .ok()
        .filter(|value| (least..=most).contains(value))
        .ok_or_else(|| PolicyError {
            field: field.to_owned(),
            fault: format!("must be from {least} to {most}, not {value}"),
        })
}
