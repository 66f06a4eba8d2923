//! Stand-ins for the types of `crates/domain`, which knows no framework: what they
//! look like in JSON.

use std::borrow::Cow;

use domain::id::Kind;
use serde_json::json;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

fn id_schema(prefix: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(format!("^{prefix}_[0-9a-f]{{32}}$")))
        .examples([json!(format!("{prefix}_0199c0de5eed7000a000000000000001"))])
        .into()
}

macro_rules! ids {
    ($($name:ident = $kind:ident,)*) => {$(
        pub(crate) enum $name {}
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
    )*};
}

macro_rules! names {
    ($($name:ident = $type:path,)*) => {$(
        pub(crate) enum $name {}
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
    ConnectionId = Connection,
    ConsentId = Consent,
    ContactChangeId = ContactChange,
    DecisionId = Decision,
    FailureEventId = FailureEvent,
    MessageTemplateId = MessageTemplate,
    NotificationId = Notification,
    OrganizationId = Organization,
    ReconResultId = ReconResult,
    ReconRunId = ReconRun,
    RecoveryId = Recovery,
    RecoveryLinkId = RecoveryLink,
    RetryPolicyId = RetryPolicy,
    SuppressionId = Suppression,
    TimelineEntryId = TimelineEntry,
    TransactionId = Transaction,
    UserId = User,
    UserSessionId = UserSession,
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
    ConsentState = domain::ConsentState,
    Contact = domain::classification::Contact,
    Course = domain::classification::Course,
    FailureSource = domain::classification::FailureSource,
    Hardness = domain::classification::Hardness,
    NotificationState = domain::NotificationState,
    Rail = domain::limits::Rail,
    RecoveryState = domain::RecoveryState,
    Role = domain::Role,
    RunState = domain::reconciliation::RunState,
    Signal = domain::classification::Signal,
    SuppressionReason = domain::SuppressionReason,
    Verdict = domain::reconciliation::Verdict,
}
