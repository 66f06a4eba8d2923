//! Tries that are reported: the PSP's own retries, the payer's, the merchant's.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::Money;
use domain::id::{ReportedTry, TransactionId};
use domain::limits::{LOOK_BACK, TriedBy, TryOutcome};

use super::PLANNED_AHEAD;
use super::card::{Card, lock};
use crate::sql::sql;
use crate::{DbError, Tenant, Tx};

/// How far apart two reports of one try may be, where one of them does not name
/// the charge: Stripe tells of an invoice's failure beside that of its charge.
pub(super) const SAME_TRY: TimeDelta = TimeDelta::minutes(10);

/// A try as somebody reported it.
#[derive(Debug, Clone, Copy)]
pub struct Reported<'a> {
    /// What it was for.
    pub transaction: TransactionId,
    /// What was asked for.
    pub amount: Money,
    /// When.
    pub at: DateTime<Utc>,
    /// Who made it.
    pub by: TriedBy,
    /// What became of it.
    pub outcome: TryOutcome,
    /// The charge at the PSP, where the report names it.
    pub charge: Option<&'a str>,
    /// The network's decline code.
    pub decline_code: Option<&'a str>,
    /// The network's advice code.
    pub advice_code: Option<&'a str>,
}

/// Records a try once. False if it was known: it has the charge of one that is
/// recorded, or one of the two names none and they are of one transaction, with
/// one outcome, within ten minutes; the one that is known learns what is new.
/// False too if it was made before [`LOOK_BACK`]: no rule counts it any more.
pub async fn record(
    tx: &mut Tx,
    tenant: Tenant,
    card: &Card,
    new: &Reported<'_>,
) -> Result<bool, DbError> {
    if new.at <= tx.now() - LOOK_BACK {
        return Ok(false);
    }
    let key = lock(tx, tenant, card).await?;
    if is_known(tx, tenant, &key, new).await? {
        return Ok(false);
    }
    let id = tx.new_id::<ReportedTry>();
    let now = tx.now();
    sql("INSERT INTO card_tries (
           id, organization_id, card_key, transaction_id, at, tried_by, outcome, amount_minor,
           currency, charge_ref, decline_code, advice_code, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(key)
    .bind::<SqlUuid, _>(new.transaction.uuid())
    // The future is some clock's error.
    .bind::<Timestamptz, _>(new.at.min(now))
    .bind::<Text, _>(new.by.as_str())
    .bind::<Text, _>(new.outcome.as_str())
    .bind::<BigInt, _>(new.amount.minor())
    .bind::<Text, _>(new.amount.currency().code())
    .bind::<Nullable<Text>, _>(new.charge)
    .bind::<Nullable<Text>, _>(new.decline_code)
    .bind::<Nullable<Text>, _>(new.advice_code)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(true)
}

/// A charge that failed may be approved late; never the other way round.
async fn is_known(
    tx: &mut Tx,
    tenant: Tenant,
    key: &str,
    new: &Reported<'_>,
) -> Result<bool, DbError> {
    let now = tx.now();
    let known = sql("UPDATE card_tries
         SET outcome = CASE WHEN $4 = 'approved' THEN $4 ELSE outcome END,
             charge_ref = coalesce(charge_ref, $3),
             decline_code = coalesce(decline_code, $7),
             advice_code = coalesce(advice_code, $8),
             updated_at = $9
         WHERE organization_id = $1 AND card_key = $2 AND at > $10 AND id >= uuid7_floor($11)
           AND (charge_ref = $3
                OR transaction_id = $12 AND outcome = $4
                   AND (charge_ref IS NULL OR $3 IS NULL) AND at BETWEEN $5 AND $6)")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(key)
    .bind::<Nullable<Text>, _>(new.charge)
    .bind::<Text, _>(new.outcome.as_str())
    .bind::<Timestamptz, _>(new.at - SAME_TRY)
    .bind::<Timestamptz, _>(new.at + SAME_TRY)
    .bind::<Nullable<Text>, _>(new.decline_code)
    .bind::<Nullable<Text>, _>(new.advice_code)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now - LOOK_BACK)
    .bind::<Timestamptz, _>(now - LOOK_BACK - PLANNED_AHEAD)
    .bind::<SqlUuid, _>(new.transaction.uuid())
    .execute(tx.conn())
    .await?;
    Ok(known > 0)
}
