//! Hours of a payer's day, and the checks on them.

use serde::{Deserialize, Serialize};

use super::validate::require;
use super::{LocalTime, PolicyDocument, PolicyError};
use crate::state::Channel;

/// Some hours of a payer's day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendingWindow {
    /// The first minute.
    pub from: LocalTime,
    /// The end, not itself within.
    pub until: LocalTime,
}

/// The hours in which messages may be sent. The laws of the payer's country
/// narrow those of phones further, also where these hours are not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuietHours {
    /// Whether they are kept.
    pub enabled: bool,
    /// When text messages may be sent.
    pub sms: SendingWindow,
    /// When WhatsApp messages may be sent.
    pub whatsapp: SendingWindow,
    /// When emails may be sent; at any time when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<SendingWindow>,
}

impl QuietHours {
    /// When a channel may be used; nothing where it may be at any time.
    pub fn window(&self, channel: Channel) -> Option<SendingWindow> {
        match channel {
            _ if !self.enabled => None,
            Channel::Email => self.email,
            Channel::Sms => Some(self.sms),
            Channel::WhatsApp => Some(self.whatsapp),
        }
    }
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
            email: None,
        }
    }
}

/// The least that all channels must share, so that a round finds a time, and
/// the least that charges must have of a day.
const LEAST_MINUTES: i64 = 60;

pub(super) fn check(document: &PolicyDocument) -> Result<(), PolicyError> {
    let hours = &document.quiet_hours;
    let widest = SendingWindow::default();
    for (field, window) in [
        ("quiet_hours.sms", hours.sms),
        ("quiet_hours.whatsapp", hours.whatsapp),
    ] {
        in_order(field, window)?;
        require(
            window.from >= widest.from && window.until <= widest.until,
            field,
            || format!("must lie within {} to {}", widest.from, widest.until),
        )?;
    }
    let phones = shared(hours.sms, hours.whatsapp);
    long_enough("quiet_hours", phones, "SMS and WhatsApp must share")?;
    if let Some(email) = hours.email {
        in_order("quiet_hours.email", email)?;
        long_enough(
            "quiet_hours.email",
            shared(phones, email),
            "email must share with SMS and WhatsApp",
        )?;
    }
    let Some(best) = document.best_charge_hours else {
        return Ok(());
    };
    in_order("best_charge_hours", best)?;
    long_enough("best_charge_hours", best, "must have")
}

fn shared(one: SendingWindow, other: SendingWindow) -> SendingWindow {
    SendingWindow {
        from: one.from.max(other.from),
        until: one.until.min(other.until),
    }
}

fn in_order(field: &str, window: SendingWindow) -> Result<(), PolicyError> {
    require(window.from < window.until, field, || {
        "`from` must be before `until`".to_owned()
    })
}

fn long_enough(field: &str, window: SendingWindow, what: &str) -> Result<(), PolicyError> {
    let minutes = (window.until.time() - window.from.time()).num_minutes();
    require(minutes >= LEAST_MINUTES, field, || {
        format!("{what} at least {LEAST_MINUTES} minutes of the day")
    })
}
