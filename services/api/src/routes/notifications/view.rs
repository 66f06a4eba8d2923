//! A message as JSON.

use chrono::{DateTime, Utc};
use db::notifications::{StoredNotification, WrittenWith};
use domain::id::{AttemptId, MessageTemplateId, NotificationId, RecoveryId, RecoveryLinkId};
use domain::{Channel, NotificationState};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::openapi::words;
use crate::routes::address_page;

/// One message on one channel.
#[derive(Serialize, ToSchema)]
#[schema(as = Notification)]
pub(crate) struct NotificationView {
    /// The message.
    #[schema(value_type = words::NotificationId)]
    pub(super) id: NotificationId,
    /// What it is about.
    #[schema(value_type = words::RecoveryId)]
    recovery_id: RecoveryId,
    /// The attempt that asked for it.
    #[schema(value_type = words::AttemptId)]
    attempt_id: AttemptId,
    /// The link in it.
    #[schema(value_type = words::RecoveryLinkId)]
    link_id: RecoveryLinkId,
    /// By which way.
    #[schema(value_type = words::Channel)]
    channel: Channel,
    /// To whom; masked for all but administrators.
    #[schema(example = "a***@example.com")]
    address: String,
    /// Where it stands.
    #[schema(value_type = words::NotificationState)]
    state: NotificationState,
    /// Hand-overs tried.
    tries: u32,
    /// The language that it was written in, as a BCP 47 tag.
    #[schema(example = "en")]
    language: Option<String>,
    /// The merchant's template that it was written with; null for Tinko's own words.
    template: Option<TemplateUsed>,
    /// Who carries it.
    #[schema(example = "twilio")]
    provider: Option<String>,
    /// The provider's id of it.
    provider_message_id: Option<String>,
    /// What went wrong.
    error: Option<String>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When it last moved.
    updated_at: DateTime<Utc>,
    /// When the provider took it.
    sent_at: Option<DateTime<Utc>>,
    /// When it arrived, by the provider's word.
    delivered_at: Option<DateTime<Utc>>,
    /// When it was refused or came back.
    failed_at: Option<DateTime<Utc>>,
}

/// A template in one of its versions.
#[derive(Serialize, ToSchema)]
struct TemplateUsed {
    /// The template.
    #[schema(value_type = words::MessageTemplateId)]
    id: MessageTemplateId,
    /// Its version.
    version: i32,
}

/// The address as this caller may see it.
pub(crate) fn address(stored: &StoredNotification, caller: &Caller) -> String {
    let shown = |address| address_page::shown(address, caller);
    stored
        .address
        .as_ref()
        .map_or_else(|| "***".to_owned(), shown)
}

impl NotificationView {
    pub(crate) fn new(stored: StoredNotification, caller: &Caller) -> Self {
        let address = address(&stored, caller);
        let (language, template) = match stored.written {
            Some(WrittenWith {
                language, template, ..
            }) => (Some(language), template),
            None => (None, None),
        };
        Self {
            id: stored.id,
            recovery_id: stored.recovery,
            attempt_id: stored.attempt,
            link_id: stored.link,
            channel: stored.channel,
            address,
            state: stored.state,
            tries: stored.tries,
            language,
            template: template.map(|(id, version)| TemplateUsed { id, version }),
            provider: stored.provider,
            provider_message_id: stored.message_id,
            error: stored.error,
            created_at: stored.created_at,
            updated_at: stored.updated_at,
            sent_at: stored.sent_at,
            delivered_at: stored.delivered_at,
            failed_at: stored.failed_at,
        }
    }
}
