//! A receipt's one effect, in one transaction.

use db::receipts::{self, Fate, Receipted};
use db::{DbError, Tx, suppressions, timeline};
use domain::id::NotificationId;
use domain::{Channel, NotificationState, SuppressionReason};
use serde_json::json;

use crate::app::Api;

/// How often a transaction that met another one is run.
const RUNS: u32 = 3;

/// What a provider tells of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// By which way it was sent.
    pub(crate) channel: Channel,
    /// Who tells, as rows and the timeline name it.
    pub(crate) provider: &'static str,
    /// Our id of it, if the receipt carries it.
    pub(crate) notification: Option<NotificationId>,
    /// The provider's id of it.
    pub(crate) message_id: Option<String>,
    /// What became of it.
    pub(crate) state: NotificationState,
    /// What went wrong, without the payer's address.
    pub(crate) error: Option<String>,
    /// Why its address is not to be written to any more, if it is not.
    pub(crate) suppress: Option<SuppressionReason>,
}

/// What came of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It was news.
    News,
    /// It was known, or something later was.
    Known,
    /// It is about no message of ours.
    Unknown,
}

impl Taken {
    const fn as_str(self) -> &'static str {
        match self {
            Self::News => "news",
            Self::Known => "known",
            Self::Unknown => "unknown",
        }
    }
}

/// Takes a receipt in; again where it met another one.
pub(crate) async fn take(api: &Api, receipt: &Receipt) -> Result<Taken, DbError> {
    let mut run = 1;
    let taken = loop {
        match take_once(api, receipt).await {
            Err(DbError::Contention(_)) if run < RUNS => run += 1,
            other => break other?,
        }
    };
    metrics::counter!(
        "message_receipts_total",
        "provider" => receipt.provider,
        "state" => receipt.state.as_str(),
        "outcome" => taken.as_str(),
    )
    .increment(1);
    Ok(taken)
}

async fn take_once(api: &Api, receipt: &Receipt) -> Result<Taken, DbError> {
    let cause = api.backbone.cause_by(receipt.provider);
    let mut tx = api.backbone.db.begin(cause).await?;
    let taken = match find(&mut tx, receipt).await? {
        Some(found) => settle(&mut tx, &found, receipt).await?,
        None => Taken::Unknown,
    };
    match taken {
        Taken::News => tx.commit().await?,
        Taken::Known | Taken::Unknown => tx.roll_back().await?,
    }
    Ok(taken)
}

/// By our own id where there is one: it holds even where the provider's answer,
/// and with it the provider's id, was lost.
async fn find(tx: &mut Tx, receipt: &Receipt) -> Result<Option<Receipted>, DbError> {
    match (receipt.notification, receipt.message_id.as_deref()) {
        (Some(id), _) => receipts::by_id(tx, receipt.channel, id).await,
        (None, Some(id)) => receipts::by_message_id(tx, receipt.provider, id).await,
        (None, None) => Ok(None),
    }
}

async fn settle(tx: &mut Tx, found: &Receipted, receipt: &Receipt) -> Result<Taken, DbError> {
    let other_try = found
        .message_id
        .as_ref()
        .zip(receipt.message_id.as_ref())
        .is_some_and(|(known, told)| known != told);
    let fate = Fate {
        state: receipt.state,
        provider: receipt.provider,
        message_id: receipt.message_id.as_deref(),
        error: receipt.error.as_deref(),
    };
    if other_try || !receipts::settle(tx, found, &fate).await? {
        return Ok(Taken::Known);
    }
    // Whoever counts messages sent counts those too whose sending nobody heard of.
    if !found.was_sent && receipt.state != NotificationState::Failed {
        announce(tx, found, receipt, NotificationState::Sent);
    }
    if receipt.state != NotificationState::Sent {
        announce(tx, found, receipt, receipt.state);
    }
    if let Some(reason) = receipt.suppress {
        let evidence = receipt.error.as_deref();
        suppressions::add(tx, found.tenant, &found.address, reason, evidence).await?;
    }
    Ok(Taken::News)
}

fn announce(tx: &mut Tx, found: &Receipted, receipt: &Receipt, state: NotificationState) {
    let what = match receipt.channel {
        Channel::Email => "Email",
        Channel::Sms => "Text message",
        Channel::WhatsApp => "WhatsApp message",
    };
    let whom = found.address.masked();
    let why = receipt.error.as_deref().unwrap_or("no reason was given");
    let sentence = match state {
        NotificationState::Sent => format!("{what} to {whom} was sent"),
        NotificationState::Delivered => format!("{what} to {whom} was delivered"),
        NotificationState::Bounced => format!("{what} to {whom} could not be delivered: {why}"),
        _ => format!("{what} to {whom} could not be sent: {why}"),
    };
    let detail = json!({
        "notification_id": found.id,
        "attempt_id": found.attempt,
        "channel": receipt.channel,
        "provider": receipt.provider,
        "provider_message_id": receipt.message_id,
        "reason": receipt.error,
        "suppressed": receipt.suppress,
    });
    let kind = format!("message.{state}");
    timeline::announce(tx, found.tenant, found.recovery, &kind, &sentence, detail);
}
