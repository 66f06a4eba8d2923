//! Our own charges: reserved, then settled or released.

use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::id::{AttemptId, TransactionId};
use domain::limits::{Ceiling, LOOK_BACK, TryOutcome};
use domain::{AttemptState, Money};

use super::card::{Card, lock, take};
use super::{Known, read, recent};
use crate::attempts::{Outcome, StoredAttempt};
use crate::sql::sql;
use crate::{DbError, Tenant, Tx};

/// A charge that is about to be sent.
#[derive(Debug, Clone, Copy)]
pub struct OurTry {
    /// The attempt that makes it, whose id it has.
    pub attempt: AttemptId,
    /// What it is for.
    pub transaction: TransactionId,
    /// What is charged.
    pub amount: Money,
}

/// Reserves one try on the card if `verdict` allows it, and answers the verdict.
/// [`Ceiling::Allowed`] means that it is reserved, by this call or by an earlier
/// one for the same attempt.
///
/// `verdict` is asked at once, and, should it allow the try, again with the card
/// locked: so most of those that come in vain wait for nobody.
pub async fn reserve(
    tx: &mut Tx,
    tenant: Tenant,
    card: &Card,
    new: &OurTry,
    verdict: impl Fn(&Known) -> Ceiling + Send + Sync,
) -> Result<Ceiling, DbError> {
    let (now, own) = (tx.now(), Some(new.attempt));
    let (known, is_held) = read(tx.conn(), tenant, card, now, own).await?;
    if is_held {
        return Ok(Ceiling::Allowed);
    }
    let said = verdict(&known);
    if said != Ceiling::Allowed {
        return Ok(said);
    }
    let key = lock(tx, tenant, card).await?;
    if is_reserved(tx, tenant, new.attempt).await? {
        return Ok(Ceiling::Allowed);
    }
    let said = verdict(&recent(tx.conn(), tenant, card, now).await?);
    if said == Ceiling::Allowed {
        insert(tx, tenant, &key, new).await?;
    }
    Ok(said)
}

/// Holds a try for a charge that may have been sent already, whatever the rules
/// say: it counts, and nothing is asked.
pub async fn keep(tx: &mut Tx, tenant: Tenant, card: &Card, new: &OurTry) -> Result<(), DbError> {
    if !is_reserved(tx, tenant, new.attempt).await? {
        let key = lock(tx, tenant, card).await?;
        insert(tx, tenant, &key, new).await?;
    }
    Ok(())
}

/// Whether the attempt has a try, whatever became of it.
pub async fn is_reserved(tx: &mut Tx, tenant: Tenant, attempt: AttemptId) -> Result<bool, DbError> {
    Ok(key_of(tx, tenant, attempt).await?.is_some())
}

async fn insert(tx: &mut Tx, tenant: Tenant, key: &str, new: &OurTry) -> Result<(), DbError> {
    let now = tx.now();
    sql("INSERT INTO card_tries (
           id, organization_id, card_key, transaction_id, at, tried_by, outcome, amount_minor,
           currency, updated_at)
         VALUES ($1, $2, $3, $4, $5, 'us', 'open', $6, $7, $5)")
    .bind::<SqlUuid, _>(new.attempt.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(key)
    .bind::<SqlUuid, _>(new.transaction.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(new.amount.minor())
    .bind::<Text, _>(new.amount.currency().code())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What moving an attempt means for its try, in the same transaction.
pub(crate) async fn follow(
    tx: &mut Tx,
    attempt: &StoredAttempt,
    next: AttemptState,
    outcome: &Outcome<'_>,
) -> Result<(), DbError> {
    let (tenant, id) = (attempt.tenant, attempt.id);
    let may_have_been_sent = attempt.state == AttemptState::InDoubt;
    match next {
        AttemptState::Succeeded => settle(tx, tenant, id, TryOutcome::Approved, outcome).await,
        AttemptState::Declined if may_have_been_sent || !outcome.never_sent => {
            settle(tx, tenant, id, TryOutcome::Declined, outcome).await
        }
        AttemptState::Scheduled | AttemptState::Cancelled if may_have_been_sent => {
            settle(tx, tenant, id, TryOutcome::Declined, outcome).await
        }
        AttemptState::Declined | AttemptState::Scheduled | AttemptState::Cancelled => {
            release(tx, tenant, id).await
        }
        AttemptState::Claimed | AttemptState::InDoubt => Ok(()),
    }
}

/// Settles the attempt's try, if it has one. A report of the same charge that was
/// recorded first gives way to it, so that it counts once.
pub async fn settle(
    tx: &mut Tx,
    tenant: Tenant,
    attempt: AttemptId,
    became: TryOutcome,
    outcome: &Outcome<'_>,
) -> Result<(), DbError> {
    let Some(key) = key_of(tx, tenant, attempt).await? else {
        return Ok(());
    };
    let key = match take(tx, tenant, &key).await? {
        Some(number) => {
            take(tx, tenant, &number).await?;
            number
        }
        None => key,
    };
    let now = tx.now();
    sql("UPDATE card_tries
         SET outcome = $3, charge_ref = coalesce($4, charge_ref),
             decline_code = coalesce($5, decline_code), advice_code = coalesce($6, advice_code),
             updated_at = $7
         WHERE organization_id = $1 AND id = $2")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(attempt.uuid())
    .bind::<Text, _>(became.as_str())
    .bind::<Nullable<Text>, _>(outcome.charge_ref)
    .bind::<Nullable<Text>, _>(outcome.network_decline_code)
    .bind::<Nullable<Text>, _>(outcome.network_advice_code)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    if let Some(charge) = outcome.charge_ref {
        sql("DELETE FROM card_tries
             WHERE organization_id = $1 AND card_key = $2 AND at > $3 AND id <> $4
               AND charge_ref = $5")
        .bind::<SqlUuid, _>(tenant.uuid())
        .bind::<Text, _>(key)
        .bind::<Timestamptz, _>(now - LOOK_BACK)
        .bind::<SqlUuid, _>(attempt.uuid())
        .bind::<Text, _>(charge)
        .execute(tx.conn())
        .await?;
    }
    Ok(())
}

/// Gives back what was reserved for a charge that surely was not sent.
pub async fn release(tx: &mut Tx, tenant: Tenant, attempt: AttemptId) -> Result<(), DbError> {
    sql("DELETE FROM card_tries WHERE organization_id = $1 AND id = $2 AND outcome = 'open'")
        .bind::<SqlUuid, _>(tenant.uuid())
        .bind::<SqlUuid, _>(attempt.uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}

async fn key_of(
    tx: &mut Tx,
    tenant: Tenant,
    attempt: AttemptId,
) -> Result<Option<String>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        card_key: String,
    }
    let row: Option<Row> =
        sql("SELECT card_key FROM card_tries WHERE organization_id = $1 AND id = $2")
            .bind::<SqlUuid, _>(tenant.uuid())
            .bind::<SqlUuid, _>(attempt.uuid())
            .get_result(tx.conn())
            .await
            .optional()?;
    Ok(row.map(|row| row.card_key))
}
