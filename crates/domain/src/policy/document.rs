//! The policy as it is written down.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::calendar::{PayDays, Weekends};
use super::experiment::Experiment;
use super::hours::{QuietHours, SendingWindow};
use crate::classification::Category;
use crate::limits::Rail;
use crate::money::Money;
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

named! {
    /// What the merchant's system is asked to do when a recovery ends without
    /// the money. It is carried in the event of the end; Tinko itself changes
    /// nothing at the merchant's.
    FinalAction, "final action" {
        /// Nothing.
        None = "none",
        /// Tell the merchant's people.
        NotifyMerchant = "notify_merchant",
        /// Cancel the payer's subscription.
        CancelSubscription = "cancel_subscription",
        /// Write the claim off.
        MarkUncollectible = "mark_uncollectible",
        /// Pause the service until it is paid for.
        PauseService = "pause_service",
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
    /// Explicit schedules for single categories; these win over those for rails.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<Category, Vec<StepRule>>,
    /// Explicit schedules for single rails; these win over `steps`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rail_overrides: BTreeMap<Rail, Vec<StepRule>>,
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
    /// The hours of the payer's day in which charges are rather made; any when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_charge_hours: Option<SendingWindow>,
    /// Days on which payers have money.
    pub pay_days: PayDays,
    /// What is rather not done at week-ends.
    pub weekends: Weekends,
    /// The least seconds between two message rounds of one recovery.
    pub least_message_gap_seconds: u32,
    /// Seconds after a UPI payment that is pending before the payer is written
    /// to: at peak hours it may be queued and still succeed.
    pub pending_wait_seconds: u32,
    /// The most message rounds of one recovery; `max_retries` holds besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_messages: Option<u32>,
    /// The most charges of one recovery; `max_retries` holds besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_charges: Option<u32>,
    /// Categories on which nothing is done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub never_act_on: Vec<Category>,
    /// Amounts below which nothing is done, one a currency.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub minimum_amounts: Vec<Money>,
    /// What the merchant's system is asked to do at an end without the money.
    pub final_action: FinalAction,
    /// A comparison of variants of this policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment: Option<Experiment>,
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
            rail_overrides: BTreeMap::new(),
            silent_charges: 1,
            stop_after_seconds: 14 * 24 * 60 * 60,
            link_ttl_seconds: 24 * 60 * 60,
            quiet_hours: QuietHours::default(),
            immediate_message_when_payer_present: true,
            best_charge_hours: None,
            pay_days: PayDays::default(),
            weekends: Weekends::default(),
            least_message_gap_seconds: 0,
            pending_wait_seconds: 30 * 60,
            most_messages: None,
            most_charges: None,
            never_act_on: Vec::new(),
            minimum_amounts: Vec::new(),
            final_action: FinalAction::None,
            experiment: None,
        }
    }
}
