//! Stand-ins for types of crates that know no framework: what they look like in JSON.
//!
//! Nothing is ever of these types; they are named in `#[schema(value_type = …)]`.
//! Ids and words are taken from `crates/domain` itself. The shapes below are held
//! against the real ones by every answer that a test gets.

#![expect(missing_docs, reason = "they stand for documented types")]

use std::borrow::Cow;

use domain::id::Kind;
use serde::Deserialize;
use serde_json::json;
use utoipa::openapi::{ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

pub use super::policy::PolicyDocument;

fn id_schema(prefix: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(format!("^{prefix}_[0-9a-f]{{32}}$")))
        .examples([json!(format!("{prefix}_0199c0de5eed7000a000000000000001"))])
        .into()
}

/// What the older contract calls an attempt.
pub enum AttemptOrLinkId {}
impl PartialSchema for AttemptOrLinkId {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .item(Ref::from_schema_name("AttemptId"))
            .item(Ref::from_schema_name("RecoveryLinkId"))
            .into()
    }
}
impl ToSchema for AttemptOrLinkId {}

macro_rules! ids {
    ($($name:ident = $kind:ident,)*) => {$(
        pub enum $name {}
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                id_schema(domain::id::$kind::PREFIX)
            }
        }
        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )*
        /// Each kind of id by its name: parameters refer to them, and bring none along.
        pub(super) fn ids() -> Vec<(String, RefOr<Schema>)> {
            let both = ("AttemptOrLinkId".to_owned(), AttemptOrLinkId::schema());
            vec![$((stringify!($name).to_owned(), $name::schema())),*, both]
        }
    };
}

macro_rules! names {
    ($($name:ident = $type:path,)*) => {$(
        pub enum $name {}
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let words = <$type>::ALL.iter().map(|word| word.as_str());
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some(words))
                    .into()
            }
        }
        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )*};
}

ids! {
    ApiKeyId = ApiKey,
    AttemptId = Attempt,
    AuditEntryId = AuditEntry,
    CheckoutId = Checkout,
    ConnectionId = Connection,
    ConsentId = Consent,
    ContactChangeId = ContactChange,
    DecisionId = Decision,
    FailureEventId = FailureEvent,
    MessageTemplateId = MessageTemplate,
    NotificationId = Notification,
    OrganizationId = Organization,
    OutboxId = Outbox,
    PspEventId = PspEvent,
    ReconResultId = ReconResult,
    ReconRunId = ReconRun,
    RecoveryId = Recovery,
    RecoveryLinkId = RecoveryLink,
    ReportedTryId = ReportedTry,
    RetryPolicyId = RetryPolicy,
    SuppressionId = Suppression,
    TimelineEntryId = TimelineEntry,
    TransactionId = Transaction,
    UnknownCodeId = UnknownCode,
    UserCodeId = UserCode,
    UserId = User,
    UserSessionId = UserSession,
    PartnerEventId = PartnerEvent,
    WebhookEndpointId = WebhookEndpoint,
    WebhookDeliveryId = WebhookDelivery,
    WebhookTryId = WebhookTry,
}

names! {
    AlternativeMeans = domain::classification::AlternativeMeans,
    AskedBy = domain::reconciliation::AskedBy,
    AttemptKind = domain::AttemptKind,
    AttemptState = domain::AttemptState,
    CardNetwork = domain::CardNetwork,
    Category = domain::classification::Category,
    Change = domain::reconciliation::Change,
    Channel = domain::Channel,
    ConnectionCheck = domain::ConnectionCheck,
    ConsentState = domain::ConsentState,
    Contact = domain::classification::Contact,
    Course = domain::classification::Course,
    DeliveryCause = domain::DeliveryCause,
    DeliveryState = domain::DeliveryState,
    FailureSource = domain::classification::FailureSource,
    FinalAction = domain::policy::FinalAction,
    Hardness = domain::classification::Hardness,
    KeyMode = domain::KeyMode,
    LinkState = domain::LinkState,
    NotificationState = domain::NotificationState,
    Provider = domain::Provider,
    Rail = domain::limits::Rail,
    RecoveryState = domain::RecoveryState,
    Role = domain::Role,
    RunState = domain::reconciliation::RunState,
    Signal = domain::classification::Signal,
    SignatureKind = domain::SignatureKind,
    StepAction = domain::policy::StepAction,
    SuppressionReason = domain::SuppressionReason,
    Verdict = domain::reconciliation::Verdict,
}

/// The older contract's answer to a classification.
#[derive(ToSchema)]
pub struct ContractClassification {
    /// One of `issuer_decline`, `funds`, `auth_timeout`, `network`, `upi_pending`, `unknown`.
    pub category: String,
    /// What to do, in words.
    pub recommendation: String,
    /// Other means, the best first.
    pub alt: Vec<AlternativeMeans>,
    /// Seconds to wait before trying again.
    #[schema(nullable = false)]
    pub cooldown_seconds: Option<u32>,
    /// Whether the same means may succeed later.
    pub hardness: Hardness,
}

/// Where a row of a table of codes is from.
#[derive(ToSchema)]
#[schema(as = CodeSource)]
pub struct Source {
    /// The page or document.
    pub title: String,
    /// Its address; empty for general knowledge.
    pub url: String,
    /// The day it was read or written down, `YYYY-MM-DD`.
    pub read: String,
}

/// A policy in the older contract's fields.
#[derive(ToSchema)]
pub struct PolicyFields {
    #[schema(min_length = 1, max_length = 128)]
    pub name: String,
    pub max_retries: i64,
    pub initial_delay_minutes: i64,
    pub backoff_multiplier: i64,
    pub max_delay_minutes: i64,
    pub enabled_channels: Vec<Channel>,
}

/// A policy, in the older contract's fields or whole under `document`.
#[derive(ToSchema)]
pub struct PolicyToMake {
    #[schema(
        min_length = 1,
        max_length = 128,
        nullable = false,
        example = "Patient"
    )]
    pub name: Option<String>,
    /// The most tries of one recovery.
    #[schema(minimum = 1, maximum = 10, default = 3, nullable = false)]
    pub max_retries: Option<i64>,
    #[schema(minimum = 1, maximum = 1_440, default = 60, nullable = false)]
    pub initial_delay_minutes: Option<i64>,
    /// What each further delay is multiplied by.
    #[schema(minimum = 1, maximum = 5, default = 2, nullable = false)]
    pub backoff_multiplier: Option<i64>,
    #[schema(minimum = 60, maximum = 10_080, default = 1_440, nullable = false)]
    pub max_delay_minutes: Option<i64>,
    #[schema(nullable = false)]
    pub enabled_channels: Option<Vec<Channel>>,
    /// Another name for `enabled_channels`.
    #[schema(nullable = false)]
    pub channels: Option<Vec<Channel>>,
    /// Everything that a policy can say; the other fields are not read then.
    #[schema(nullable = false)]
    pub document: Option<PolicyDocument>,
}

/// An email in words of the organization's own.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailTemplate {
    /// One line.
    #[schema(example = "{{ amount }} is still open")]
    pub subject: String,
    /// For programs that show no HTML.
    #[schema(example = "Pay here: {{ link }}")]
    pub text: String,
    /// A whole HTML document; made from the text where there is none.
    pub html: Option<String>,
}

/// A text message in words of the organization's own.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SmsTemplate {
    #[schema(example = "{{ merchant }}: {{ link }}")]
    pub text: String,
    /// A number or header that the organization has registered at the provider.
    pub sender: Option<String>,
    /// Where India's operators have it registered.
    pub dlt: Option<Dlt>,
}

/// A registration with India's distributed ledger for commercial messages.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dlt {
    /// The template's id there: 19 digits.
    pub template_id: String,
    /// The organization's id there: 19 digits.
    pub entity_id: String,
}

/// An approved template at Meta, and what fills it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatsAppTemplate {
    /// Its name at Meta.
    pub name: String,
    /// The language under which Meta has approved it, as `en` or `pt_BR`.
    pub language_code: String,
    /// What fills `{{1}}`, `{{2}}` … of its body.
    pub parameters: Vec<String>,
}

/// The content of a template, under its channel's name.
#[derive(ToSchema)]
pub struct TemplateContent {
    #[schema(nullable = false)]
    pub email: Option<EmailTemplate>,
    #[schema(nullable = false)]
    pub sms: Option<SmsTemplate>,
    #[schema(nullable = false)]
    pub whatsapp: Option<WhatsAppTemplate>,
}

/// What a text message takes.
#[derive(ToSchema)]
pub struct Segments {
    /// `GSM-7` or `UCS-2`.
    pub encoding: String,
    pub characters: usize,
    pub units: usize,
    pub segments: usize,
}

/// Something that a template can use.
#[derive(ToSchema)]
pub struct Named {
    pub name: String,
    pub meaning: String,
    /// Whether it may be empty.
    pub optional: bool,
    pub example: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[schema(as = RuleEffect)]
pub enum Effect {
    Moved,
    Narrowed,
    Skipped,
}
