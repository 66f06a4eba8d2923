//! Asking for messages: rows for the notifier, in one transaction.

use chrono::TimeDelta;
use contracts::Message;
use db::attempts::{Outcome, StoredAttempt};
use db::recoveries::StoredRecovery;
use db::{DbError, Tx};
use domain::id::RecoveryLink;
use domain::{AttemptState, Bar, Channel, PayerAddress, token};
use serde_json::json;

use super::{AttemptTrouble, NOT_TO_BE_ACTED_ON, may_be_acted_on};
use crate::Worker;
use crate::plan::{self, Planned};

/// Writes a notification for each channel of the attempt, each with a link of
/// its own, and plans the next step.
pub(super) async fn ask(worker: &Worker, attempt: &StoredAttempt) -> Result<(), AttemptTrouble> {
    let mut tx = worker.backbone.db.begin(worker.backbone.cause()).await?;
    let recovery = db::recoveries::lock(&mut tx, attempt.tenant, attempt.recovery).await?;
    let Some(recovery) = recovery.filter(may_be_acted_on) else {
        let outcome = Outcome {
            words: Some(NOT_TO_BE_ACTED_ON),
            ..Outcome::default()
        };
        super::outcome::settle(
            &mut tx,
            worker,
            attempt,
            AttemptState::Cancelled,
            None,
            &outcome,
        )
        .await?;
        tx.commit().await?;
        return Ok(());
    };
    let followed = plan::followed(&mut tx, &recovery).await?;
    let ttl = followed.policy.link_ttl();
    let asked = ask_all(&mut tx, worker, attempt, &recovery, ttl).await?;
    let words = asked.words();
    let state = if asked.channels.is_empty() {
        AttemptState::Cancelled
    } else {
        AttemptState::Succeeded
    };
    let outcome = Outcome {
        words: Some(&words),
        ..Outcome::default()
    };
    if !super::outcome::settle(&mut tx, worker, attempt, state, None, &outcome).await? {
        // Another worker has it: all of this is dropped uncommitted.
        return Ok(());
    }
    let detail = json!({
        "attempt_id": attempt.id,
        "number": attempt.number,
        "channels": asked.channels,
    });
    db::timeline::add(
        &mut tx,
        attempt.tenant,
        attempt.recovery,
        "message.asked_for",
        &words,
        detail,
    )
    .await?;
    let planned = plan::next_by(&mut tx, &recovery, &followed).await?;
    tx.commit().await?;
    if planned == Planned::Scheduled {
        worker.planned.notify_one();
    }
    Ok(())
}

/// What was asked for, and what was left out although there is an address.
#[derive(Default)]
struct Asked {
    channels: Vec<Channel>,
    barred: Vec<(Channel, Bar)>,
}

impl Asked {
    fn words(&self) -> String {
        let channels: Vec<&str> = self.channels.iter().map(|it| it.as_str()).collect();
        let asked = if channels.is_empty() {
            "No channel could be written to".to_owned()
        } else {
            format!("Asked for a message by {}", channels.join(" and by "))
        };
        let barred = self
            .barred
            .iter()
            .map(|(channel, bar)| format!("not by {channel}: {}", bar.words()));
        let parts: Vec<String> = std::iter::once(asked).chain(barred).collect();
        parts.join("; ")
    }
}

async fn ask_all(
    tx: &mut Tx,
    worker: &Worker,
    attempt: &StoredAttempt,
    recovery: &StoredRecovery,
    ttl: TimeDelta,
) -> Result<Asked, DbError> {
    let tenant = attempt.tenant;
    let mut asked = Asked::default();
    let transaction = db::transactions::find(tx.conn(), tenant, recovery.transaction).await?;
    let Some(transaction) = transaction else {
        return Ok(asked);
    };
    let contacts = db::facts::contacts(&transaction, &attempt.channels);
    let bars = db::reach::bars(tx.conn(), tenant, &contacts).await?;
    for (contact, bar) in contacts.iter().zip(bars) {
        if let Some(bar) = bar {
            asked.barred.push((contact.channel(), bar));
            continue;
        }
        ask_one(tx, worker, attempt, contact, ttl).await?;
        asked.channels.push(contact.channel());
    }
    Ok(asked)
}

/// A notification with a link of its own.
async fn ask_one(
    tx: &mut Tx,
    worker: &Worker,
    attempt: &StoredAttempt,
    contact: &PayerAddress,
    ttl: TimeDelta,
) -> Result<(), DbError> {
    let (tenant, recovery, channel) = (attempt.tenant, attempt.recovery, contact.channel());
    let link = tx.new_id::<RecoveryLink>();
    let hash = token::hash(&token::derive(&worker.link_key, link));
    let expires_at = tx.now() + ttl;
    db::links::add(
        tx,
        tenant,
        link,
        recovery,
        Some(attempt.id),
        &hash,
        channel.as_str(),
        expires_at,
    )
    .await?;
    let (attempt, address) = (attempt.id, contact.expose());
    let notification =
        db::notifications::queue(tx, tenant, recovery, attempt, link, channel, address).await?;
    tx.emit(
        tenant,
        Message::NotificationRequested {
            notification,
            recovery,
            channel,
        },
    );
    Ok(())
}
