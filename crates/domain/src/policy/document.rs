//! The policy as it is written down.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::LocalTime;
use crate::classification::Category;
use crate::state::{Channel, named};

named! {
    /// What a step of an explicit schedule does.
    StepAction, "step action" {
        /// Charge the saved means.
        Charge = "charge",
        /// Write to the payer.
        Message = "message",
        /// Charge; when that is declined, write to the payer at once. Where
        /// nothing can be charged, just write.
        ChargeAndMessage = "charge_and_message",
    }
}

/// One step of an explicit schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepRule {
    /// Seconds after the step before it, or after the failure.
    pub delay_seconds: u32,
    /// What to do.
    pub action: StepAction,
    /// The channels to write on; all enabled ones when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<Channel>>,
}

/// The hours of a payer's day in which a channel may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendingWindow {
    /// The first minute.
    pub from: LocalTime,
    /// The end, not itself within.
    pub until: LocalTime,
}

/// The hours in which phones stay silent. Email may be sent at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuietHours {
    /// Whether they are kept.
    pub enabled: bool,
    /// When text messages may be sent.
    pub sms: SendingWindow,
    /// When WhatsApp messages may be sent.
    pub whatsapp: SendingWindow,
}

/// A retry policy, as Postgres keeps it and as clients write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyDocument {
    /// Its name, 1 to 128 characters.
    pub name: String,
    /// The most charges and message rounds of one recovery together, 0 to 20.
    pub max_retries: u32,
    /// Seconds before the first retry.
    pub initial_delay_seconds: u32,
    /// What each further delay is multiplied by, 1 to 5.
    pub backoff_multiplier: u32,
    /// The longest delay, in seconds.
    pub max_delay_seconds: u32,
    /// The channels that may be written on.
    pub enabled_channels: Vec<Channel>,
    /// How much later a step may fall, in hundredths of its delay, 0 to 50: so
    /// that a batch that failed at midnight is not retried as one herd. A step
    /// never falls earlier than its delay says.
    pub jitter_percent: u32,
    /// An explicit schedule instead of the delays above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<StepRule>>,
    /// Explicit schedules for single categories; these win over `steps`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<Category, Vec<StepRule>>,
    /// Charges tried before the payer is written to, where no schedule is explicit.
    pub silent_charges: u8,
    /// Seconds after a recovery opened when it stops: 14 days by default.
    pub stop_after_seconds: u32,
    /// Seconds that a link in a message lives: 24 hours by default.
    pub link_ttl_seconds: u32,
    /// The hours in which phones stay silent.
    pub quiet_hours: QuietHours,
    /// Whether a payer who was present at the failure is written to at once.
    pub immediate_message_when_payer_present: bool,
}

impl Default for SendingWindow {
    /// 08:00 to 21:00 at the recipient: the hours that the US bars solicitations
    /// outside of (47 CFR 64.1200(c)(1)), kept here for every message.
    fn default() -> Self {
        Self {
            from: LocalTime::full_hour(8),
            until: LocalTime::full_hour(21),
        }
    }
}

impl Default for QuietHours {
    fn default() -> Self {
        Self {
            enabled: true,
            sms: SendingWindow::default(),
            whatsapp: SendingWindow::default(),
        }
    }
}

impl Default for PolicyDocument {
    fn default() -> Self {
        Self {
            name: "Default".to_owned(),
            max_retries: 3,
            initial_delay_seconds: 60 * 60,
            backoff_multiplier: 2,
            max_delay_seconds: 24 * 60 * 60,
            enabled_channels: vec![Channel::Email],
            jitter_percent: 10,
            steps: None,
            overrides: BTreeMap::new(),
            silent_charges: 1,
            stop_after_seconds: 14 * 24 * 60 * 60,
            link_ttl_seconds: 24 * 60 * 60,
            quiet_hours: QuietHours::default(),
            immediate_message_when_payer_present: true,
        }
    }
}
