//! A whole retry policy in JSON: a stand-in for `domain::policy::PolicyDocument`, as those
//! of [`words`](super::words) are. Its bounds are those of `domain::policy`'s checks.

#![expect(missing_docs, reason = "they stand for documented types")]

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::openapi::schema::AdditionalProperties;
use utoipa::openapi::{Components, ObjectBuilder, OneOfBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::words::{Category, Channel, FinalAction, Rail, StepAction};

/// A whole policy. What is left out has its default; an answer shows all that is not
/// absent.
#[derive(ToSchema)]
#[schema(example = json!({
    "name": "Patient", "max_retries": 4, "enabled_channels": ["email", "sms"],
}))]
pub struct PolicyDocument {
    #[schema(
        min_length = 1,
        max_length = 128,
        default = "Default",
        nullable = false
    )]
    pub name: Option<String>,
    /// The most charges and message rounds of one recovery together.
    #[schema(minimum = 0, maximum = 20, default = 3, nullable = false)]
    pub max_retries: Option<u32>,
    /// Seconds before the first retry.
    #[schema(minimum = 0, maximum = 2_592_000, default = 3_600, nullable = false)]
    pub initial_delay_seconds: Option<u32>,
    /// What each further delay is multiplied by.
    #[schema(minimum = 1, maximum = 5, default = 2, nullable = false)]
    pub backoff_multiplier: Option<u32>,
    /// The longest delay, in seconds.
    #[schema(minimum = 0, maximum = 2_592_000, default = 86_400, nullable = false)]
    pub max_delay_seconds: Option<u32>,
    /// The channels that may be written on.
    #[schema(nullable = false)]
    pub enabled_channels: Option<Vec<Channel>>,
    /// How much later a step may fall, in hundredths of its delay.
    #[schema(minimum = 0, maximum = 50, default = 10, nullable = false)]
    pub jitter_percent: Option<u32>,
    /// An explicit schedule instead of the delays.
    #[schema(min_items = 1)]
    pub steps: Option<Vec<StepRule>>,
    /// Explicit schedules for single categories; these win over those for rails.
    #[schema(nullable = false)]
    pub overrides: Option<BTreeMap<Category, Vec<StepRule>>>,
    /// Explicit schedules for single rails; these win over `steps`.
    #[schema(nullable = false)]
    pub rail_overrides: Option<BTreeMap<Rail, Vec<StepRule>>>,
    /// Charges tried before the payer is written to, where no schedule is explicit.
    #[schema(minimum = 0, maximum = 20, default = 1, nullable = false)]
    pub silent_charges: Option<u8>,
    /// Seconds after a recovery opened when it stops.
    #[schema(
        minimum = 1,
        maximum = 5_184_000,
        default = 1_209_600,
        nullable = false
    )]
    pub stop_after_seconds: Option<u32>,
    /// Seconds that a link in a message lives.
    #[schema(minimum = 1, maximum = 2_592_000, default = 86_400, nullable = false)]
    pub link_ttl_seconds: Option<u32>,
    #[schema(nullable = false)]
    pub quiet_hours: Option<QuietHours>,
    /// Whether a payer who was present at the failure is written to at once.
    #[schema(default = true, nullable = false)]
    pub immediate_message_when_payer_present: Option<bool>,
    /// The hours of the payer's day in which charges are rather made; any when absent.
    pub best_charge_hours: Option<SendingWindow>,
    #[schema(nullable = false)]
    pub pay_days: Option<PayDays>,
    #[schema(nullable = false)]
    pub weekends: Option<Weekends>,
    /// The least seconds between two message rounds of one recovery.
    #[schema(minimum = 0, maximum = 2_592_000, default = 0, nullable = false)]
    pub least_message_gap_seconds: Option<u32>,
    /// Seconds after a UPI payment that is pending before the payer is written to.
    #[schema(minimum = 0, maximum = 432_000, default = 1_800, nullable = false)]
    pub pending_wait_seconds: Option<u32>,
    /// The most message rounds of one recovery; `max_retries` holds besides.
    #[schema(minimum = 0, maximum = 20)]
    pub most_messages: Option<u32>,
    /// The most charges of one recovery; `max_retries` holds besides.
    #[schema(minimum = 0, maximum = 20)]
    pub most_charges: Option<u32>,
    /// Categories on which nothing is done.
    #[schema(nullable = false)]
    pub never_act_on: Option<Vec<Category>>,
    /// Amounts below which nothing is done, one a currency.
    #[schema(nullable = false)]
    pub minimum_amounts: Option<Vec<LeastAmount>>,
    #[schema(nullable = false)]
    pub final_action: Option<FinalAction>,
    /// A comparison of variants of this policy.
    pub experiment: Option<Experiment>,
}

/// One step of an explicit schedule.
#[derive(ToSchema)]
pub struct StepRule {
    /// Seconds after the step before it, or after the failure.
    #[schema(minimum = 0, maximum = 2_592_000)]
    pub delay_seconds: u32,
    pub action: StepAction,
    /// The channels to write on, some of `enabled_channels`; all of them when absent.
    #[schema(min_items = 1)]
    pub channels: Option<Vec<Channel>>,
}

/// Some hours of a payer's day.
#[derive(ToSchema)]
pub struct SendingWindow {
    /// The first minute; before `until`.
    pub from: LocalTime,
    /// The end, not itself within.
    pub until: LocalTime,
}

/// The hours in which messages may be sent. The laws of the payer's country narrow those
/// of phones further, also where these hours are not kept.
#[derive(ToSchema)]
pub struct QuietHours {
    /// Whether they are kept.
    #[schema(nullable = false)]
    pub enabled: Option<bool>,
    #[schema(nullable = false)]
    pub sms: Option<SendingWindow>,
    #[schema(nullable = false)]
    pub whatsapp: Option<SendingWindow>,
    /// At any time when absent.
    pub email: Option<SendingWindow>,
}

/// Days on which payers have money: a charge waits for the next one.
#[derive(ToSchema)]
pub struct PayDays {
    /// Whether charges wait for them.
    #[schema(default = false, nullable = false)]
    pub enabled: Option<bool>,
    /// The failures for which they do.
    #[schema(nullable = false)]
    pub categories: Option<Vec<Category>>,
    /// Absent with `weekdays`: as is usual in the payer's country.
    pub month_days: Option<Vec<MonthDay>>,
    pub weekdays: Option<Vec<Weekday>>,
    /// How many days a charge waits at most; with no pay-day in them it does not.
    #[schema(minimum = 1, maximum = 31, default = 7, nullable = false)]
    pub within_days: Option<u32>,
}

/// What is rather not done at week-ends.
#[derive(ToSchema)]
pub struct Weekends {
    /// Charges wait for the next working day.
    #[schema(default = false, nullable = false)]
    pub avoid_charges: Option<bool>,
    /// Messages do, but for those to a payer who was just there.
    #[schema(default = false, nullable = false)]
    pub avoid_messages: Option<bool>,
    /// Those of the payer's country when absent.
    pub days: Option<Vec<Weekday>>,
}

/// An amount in minor units of its currency.
#[derive(ToSchema)]
pub struct LeastAmount {
    #[schema(minimum = 1, maximum = 999_999_999_999_i64)]
    pub minor: i64,
    #[schema(min_length = 3, max_length = 3, example = "INR")]
    pub currency: String,
}

/// A comparison of variants of a policy, and of acting with not acting.
#[derive(ToSchema)]
#[schema(as = PolicyExperiment)]
pub struct Experiment {
    /// Transactions are dealt by it: another key deals anew.
    #[schema(min_length = 1, max_length = 64, example = "gentler-start")]
    pub key: String,
    /// The share that is watched and never acted on, in basis points.
    #[schema(minimum = 0, maximum = 10_000, default = 0, nullable = false)]
    pub hold_out: Option<u32>,
    /// What they and the hold-out leave follows the policy as it stands.
    #[schema(max_items = 16, nullable = false)]
    pub variants: Option<Vec<Variant>>,
}

/// One variant of an experiment.
#[derive(ToSchema)]
#[schema(as = PolicyVariant)]
pub struct Variant {
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "gentle")]
    pub name: String,
    /// Its share, in basis points.
    #[schema(minimum = 0, maximum = 10_000)]
    pub weight: u32,
    /// The fields that it changes, merged over the policy (RFC 7396); all but `name`
    /// and `experiment`.
    #[schema(value_type = Option<Object>, nullable = false)]
    pub changes: Option<serde_json::Value>,
}

/// A time of day on the payer's clock.
pub enum LocalTime {}
impl PartialSchema for LocalTime {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^([01][0-9]|2[0-3]):[0-5][0-9]$"))
            .examples([json!("09:30")])
            .into()
    }
}
impl ToSchema for LocalTime {}

/// A day of every month; a number that a month has not is its last day.
pub enum MonthDay {}
impl PartialSchema for MonthDay {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(31));
        let last = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(["last"]));
        OneOfBuilder::new().item(number).item(last).into()
    }
}
impl ToSchema for MonthDay {}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: [$($text:literal),*];)*) => {$(
        $(#[$doc])*
        pub enum $name {}
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some([$($text),*]))
                    .into()
            }
        }
        impl ToSchema for $name {}
    )*};
}

texts! {
    /// A day of the week.
    Weekday: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
}

/// What has no fields but its own: a name that is spelt wrong is refused.
const CLOSED: &[&str] = &[
    "PolicyDocument",
    "StepRule",
    "SendingWindow",
    "QuietHours",
    "PayDays",
    "Weekends",
    "PolicyExperiment",
    "PolicyVariant",
];

/// Says of the schemas that have no other fields that they have none; `utoipa` reads that
/// from serde's attributes alone, which stand-ins have none of.
pub(super) fn close(components: &mut Components) {
    for name in CLOSED {
        if let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(*name) {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
    }
}
