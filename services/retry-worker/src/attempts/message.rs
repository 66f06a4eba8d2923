//! Asking for messages: rows for the notifier, in one transaction.

use contracts::Message;
use db::attempts::{Outcome, StoredAttempt};
use db::recoveries::StoredRecovery;
use db::transactions::StoredTransaction;
use db::{DbError, Tx};
use domain::id::RecoveryLink;
use domain::{AttemptState, Channel, token};
use serde_json::json;

use super::AttemptTrouble;
use crate::Worker;
use crate::plan::{self, Planned};

/// Writes a notification for each channel of the attempt, each with a link of
/// its own, and plans the next step.
pub(super) async fn ask(worker: &Worker, attempt: &StoredAttempt) -> Result<(), AttemptTrouble> {
    let mut tx = worker.backbone.db.begin(worker.backbone.cause()).await?;
    let recovery = db::recoveries::lock(&mut tx, attempt.tenant, attempt.recovery).await?;
    let open = recovery.filter(|recovery| recovery.state.is_open());
    let Some(recovery) = open else {
        let outcome = Outcome {
            words: Some("the recovery had ended"),
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
    let asked = ask_all(&mut tx, worker, attempt, &recovery).await?;
    let (state, words) = if asked.is_empty() {
        let none = "No channel could be written to".to_owned();
        (AttemptState::Cancelled, none)
    } else {
        let channels: Vec<&str> = asked.iter().map(|channel| channel.as_str()).collect();
        let each = format!("Asked for a message by {}", channels.join(" and by "));
        (AttemptState::Succeeded, each)
    };
    let outcome = Outcome {
        words: Some(&words),
        ..Outcome::default()
    };
    if !super::outcome::settle(&mut tx, worker, attempt, state, None, &outcome).await? {
        // Another worker has it: all of this is dropped uncommitted.
        return Ok(());
    }
    let detail = json!({ "attempt_id": attempt.id, "number": attempt.number, "channels": asked });
    db::timeline::add(
        &mut tx,
        attempt.tenant,
        attempt.recovery,
        "message.asked_for",
        &words,
        detail,
    )
    .await?;
    let planned = plan::next(&mut tx, &recovery).await?;
    tx.commit().await?;
    if planned == Planned::Scheduled {
        worker.planned.notify_one();
    }
    Ok(())
}

async fn ask_all(
    tx: &mut Tx,
    worker: &Worker,
    attempt: &StoredAttempt,
    recovery: &StoredRecovery,
) -> Result<Vec<Channel>, DbError> {
    let transaction =
        db::transactions::find(tx.conn(), attempt.tenant, recovery.transaction).await?;
    let Some(transaction) = transaction else {
        return Ok(Vec::new());
    };
    let mut asked = Vec::new();
    for channel in &attempt.channels {
        if ask_one(tx, worker, attempt, recovery, &transaction, *channel).await? {
            asked.push(*channel);
        }
    }
    Ok(asked)
}

async fn ask_one(
    tx: &mut Tx,
    worker: &Worker,
    attempt: &StoredAttempt,
    recovery: &StoredRecovery,
    transaction: &StoredTransaction,
    channel: Channel,
) -> Result<bool, DbError> {
    let tenant = attempt.tenant;
    let Some(address) = plan::address(transaction, channel) else {
        return Ok(false);
    };
    if db::suppressions::holds(tx.conn(), tenant, channel, &address).await? {
        return Ok(false);
    }
    let ttl = plan::policy_of(tx, recovery).await?.link_ttl();
    let link = tx.new_id::<RecoveryLink>();
    let hash = token::hash(&token::derive(&worker.link_key, link));
    let expires_at = tx.now() + ttl;
    db::links::add(
        tx,
        tenant,
        link,
        recovery.id,
        Some(attempt.id),
        &hash,
        channel.as_str(),
        expires_at,
    )
    .await?;
    let notification =
        db::notifications::queue(tx, tenant, recovery.id, attempt.id, link, channel, &address)
            .await?;
    tx.emit(
        tenant,
        Message::NotificationRequested {
            notification,
            recovery: recovery.id,
            channel,
        },
    );
    Ok(true)
}
