//! What became of a message, committed in one transaction: its row, the timeline,
//! the event, the suppressed address and the settled outbox row.

use backbone::Backbone;
use contracts::Message;
use db::notifications::{self, HandOver, Letter};
use db::{DbError, Tx, outbox, suppressions, timeline};
use domain::id::Outbox;
use domain::{Channel, NotificationState, PayerAddress, SuppressionReason};
use serde_json::{Value, json};
use streams::Delivery;
use uuid::Uuid;

use crate::channels::Courier;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The provider has it.
    Sent { message_id: Option<String> },
    /// It cannot be sent.
    Failed {
        why: String,
        /// The reason under which its address is not written to any more.
        suppress: Option<SuppressionReason>,
    },
    /// Nobody can say whether it was sent.
    Unconfirmed(String),
    /// There was no more reason to send it.
    Withdrawn(String),
    /// No ending: it was refused for now and comes back.
    Delayed { why: String, first: bool },
}

impl Ending {
    /// Commits it. False if the row was no longer where `letter` says: then
    /// nothing has changed.
    pub(crate) async fn record<C: Courier>(
        &self,
        backbone: &Backbone,
        delivery: &Delivery,
        letter: &Letter,
        worker: Uuid,
    ) -> Result<bool, DbError> {
        let mut tx = backbone.db.begin(backbone.cause()).await?;
        if !self.move_row::<C>(&mut tx, letter, worker).await? {
            return Ok(false);
        }
        if let Some(kind) = self.kind() {
            let why = self.sentence::<C>(letter);
            let data = self.data::<C>(letter);
            timeline::add(
                &mut tx,
                letter.tenant,
                letter.recovery,
                kind,
                &why,
                data.clone(),
            );
            if self.is_final() {
                emit(&mut tx, letter, kind, &data);
            }
        }
        if let Self::Failed {
            suppress: Some(reason),
            ..
        } = self
        {
            suppress(&mut tx, letter, *reason).await?;
        }
        if self.is_final() {
            outbox::settle(tx.conn(), delivery.envelope.outbox).await?;
        }
        tx.commit().await?;
        metrics::counter!(
            "notifier_messages_total",
            "channel" => letter.channel.as_str(), "outcome" => self.outcome(),
        )
        .increment(1);
        let channel = letter.channel.as_str();
        tracing::debug!(channel, outcome = self.outcome(), "settled");
        Ok(true)
    }

    /// A message that was marked is finished under its mark; one that was not is
    /// dropped, or left as it is.
    async fn move_row<C: Courier>(
        &self,
        tx: &mut Tx,
        letter: &Letter,
        worker: Uuid,
    ) -> Result<bool, DbError> {
        let marked = letter.state == NotificationState::HandingOver;
        let error = match self {
            Self::Sent { .. } => None,
            Self::Failed { why, .. }
            | Self::Unconfirmed(why)
            | Self::Withdrawn(why)
            | Self::Delayed { why, .. } => Some(why.as_str()),
        };
        let state = match self {
            Self::Sent { .. } => NotificationState::Sent,
            Self::Failed { .. } => NotificationState::Failed,
            Self::Unconfirmed(_) => NotificationState::Unconfirmed,
            Self::Withdrawn(_) => NotificationState::Withdrawn,
            Self::Delayed { .. } if !marked => return Ok(true),
            Self::Delayed { .. } => NotificationState::Queued,
        };
        if !marked {
            return notifications::drop_queued(tx, letter, state, error.unwrap_or_default()).await;
        }
        let message_id = match self {
            Self::Sent { message_id } => message_id.as_deref(),
            _ => None,
        };
        let result = HandOver {
            provider: Some(C::PROVIDER),
            message_id,
            error,
        };
        notifications::finish(tx, letter, worker, state, &result).await
    }

    const fn is_final(&self) -> bool {
        !matches!(self, Self::Delayed { .. })
    }

    const fn outcome(&self) -> &'static str {
        match self {
            Self::Sent { .. } => "sent",
            Self::Failed { .. } => "failed",
            Self::Unconfirmed(_) => "unconfirmed",
            Self::Withdrawn(_) => "withdrawn",
            Self::Delayed { .. } => "delayed",
        }
    }

    /// Its name in the timeline and as an event; a delay is told of once.
    const fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Sent { .. } => Some("message.sent"),
            Self::Failed { .. } => Some("message.failed"),
            Self::Unconfirmed(_) => Some("message.unconfirmed"),
            Self::Withdrawn(_) => Some("message.withdrawn"),
            Self::Delayed { first: true, .. } => Some("message.delayed"),
            Self::Delayed { first: false, .. } => None,
        }
    }

    fn sentence<C: Courier>(&self, letter: &Letter) -> String {
        let what = match letter.channel {
            Channel::Email => "Email",
            Channel::Sms => "Text message",
            Channel::WhatsApp => "WhatsApp message",
        };
        let whom = masked(letter);
        match self {
            Self::Sent { .. } => {
                let fault = letter
                    .written
                    .as_ref()
                    .and_then(|written| written.fault.as_ref());
                let instead = fault.map_or_else(String::new, |fault| {
                    format!(", in Tinko's own words, since {fault}")
                });
                format!("{what} handed over to {} ({whom}){instead}", C::RECEIVER)
            }
            Self::Failed { why, .. } => format!("{what} to {whom} could not be sent: {why}"),
            Self::Unconfirmed(why) => format!(
                "It is not known whether the {} to {whom} was sent: {why}; it is not sent again",
                lower_first(what)
            ),
            Self::Withdrawn(why) => format!("{what} to {whom} was not sent: {why}"),
            Self::Delayed { why, .. } => format!("{what} to {whom} is delayed: {why}"),
        }
    }

    fn data<C: Courier>(&self, letter: &Letter) -> Value {
        let mut data = json!({
            "notification_id": letter.id,
            "attempt_id": letter.attempt,
            "channel": letter.channel,
            "provider": C::PROVIDER,
        });
        match self {
            Self::Sent { message_id } => {
                data["provider_message_id"] = json!(message_id);
                if let Some(written) = &letter.written {
                    data["language"] = json!(written.language);
                    data["template_id"] = json!(written.template.map(|(id, _)| id));
                    data["template_version"] = json!(written.template.map(|(_, version)| version));
                    data["template_fault"] = json!(written.fault);
                }
            }
            Self::Failed { why, suppress } => {
                data["reason"] = json!(why);
                data["suppressed"] = json!(suppress);
            }
            Self::Unconfirmed(why) | Self::Withdrawn(why) | Self::Delayed { why, .. } => {
                data["reason"] = json!(why);
            }
        }
        data
    }
}

/// An address that does not read cannot be written to anyway.
async fn suppress(tx: &mut Tx, letter: &Letter, reason: SuppressionReason) -> Result<(), DbError> {
    if let Ok(contact) = PayerAddress::parse(letter.channel, &letter.address) {
        suppressions::add(tx, letter.tenant, &contact, reason, None).await?;
    }
    Ok(())
}

fn emit(tx: &mut Tx, letter: &Letter, kind: &str, data: &Value) {
    let event = Message::RecoveryEvent {
        event_id: tx.new_id::<Outbox>().uuid(),
        kind: kind.to_owned(),
        recovery: letter.recovery,
        data: data.to_string(),
        occurred_at: tx.now(),
    };
    tx.emit(letter.tenant, event);
}

/// Enough for a merchant to recognize the payer by.
fn masked(letter: &Letter) -> String {
    PayerAddress::parse(letter.channel, &letter.address)
        .map_or_else(|_| "***".to_owned(), |contact| contact.masked())
}

fn lower_first(what: &str) -> String {
    match what.strip_prefix("WhatsApp") {
        Some(_) => what.to_owned(),
        None => what.to_lowercase(),
    }
}
