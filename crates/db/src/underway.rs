//! Payments on their way, while which a recovery rests.
//!
//! ```text
//! underway ──> over     captured, released, or its time is up
//! ```
//!
//! PSPs tell in any order: what was over before it is heard to have begun never
//! begins, and one that is heard of before its failure waits to be adopted.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::id::{RecoveryId, TransactionId};
use domain::state::Provider;
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// A payment on its way.
#[derive(Debug, Clone, Copy)]
pub struct Underway<'a> {
    /// At which PSP.
    pub provider: Provider,
    /// Its id there, or its checkout's.
    pub payment: &'a str,
    /// The order or invoice that it pays.
    pub bill: Option<&'a str>,
    /// What it pays for, if that is known.
    pub transaction: Option<TransactionId>,
    /// When it is over at the latest.
    pub until: DateTime<Utc>,
}

/// Notes that a payment is on its way. False, and nothing changes, if that was
/// noted before or it is over already.
pub async fn begin(tx: &mut Tx, tenant: Tenant, underway: &Underway<'_>) -> Result<bool, DbError> {
    put(tx, tenant, underway, "underway").await
}

async fn put(
    tx: &mut Tx,
    tenant: Tenant,
    underway: &Underway<'_>,
    standing: &str,
) -> Result<bool, DbError> {
    let now = tx.now();
    let added = sql("INSERT INTO payments_underway (
           organization_id, provider, payment_id, bill, transaction_id, standing, since, until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(underway.provider.as_str())
    .bind::<Text, _>(underway.payment)
    .bind::<Nullable<Text>, _>(underway.bill)
    .bind::<Nullable<SqlUuid>, _>(underway.transaction.map(domain::Id::uuid))
    .bind::<Text, _>(standing)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(underway.until)
    .execute(tx.conn())
    .await?;
    Ok(added == 1)
}

/// Notes that a payment is on its way no more, and answers until when its
/// recovery would have rested; none if it was not on its way.
pub async fn end(
    tx: &mut Tx,
    tenant: Tenant,
    underway: &Underway<'_>,
) -> Result<Option<DateTime<Utc>>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Timestamptz)]
        until: DateTime<Utc>,
    }
    let ended: Option<Row> = sql("UPDATE payments_underway SET standing = 'over'
         WHERE organization_id = $1 AND provider = $2 AND payment_id = $3
           AND standing = 'underway' RETURNING until")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(underway.provider.as_str())
    .bind::<Text, _>(underway.payment)
    .get_result(tx.conn())
    .await
    .optional()?;
    if ended.is_none() {
        put(tx, tenant, underway, "over").await?;
    }
    Ok(ended.map(|row| row.until))
}

/// Gives what was on its way before its failure was heard of to the transaction
/// of that failure; answers until when its recovery rests.
pub async fn adopt(
    tx: &mut Tx,
    tenant: Tenant,
    provider: Provider,
    objects: &[&str],
    transaction: TransactionId,
) -> Result<Option<DateTime<Utc>>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<Timestamptz>)]
        until: Option<DateTime<Utc>>,
    }
    let now = tx.now();
    let row: Row = sql("WITH adopted AS (
           UPDATE payments_underway SET transaction_id = $4
           WHERE organization_id = $1 AND provider = $2 AND transaction_id IS NULL
             AND (payment_id = ANY ($3) OR bill = ANY ($3))
           RETURNING standing, until)
         SELECT max(until) AS until FROM adopted WHERE standing = 'underway' AND until > $5")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(provider.as_str())
    .bind::<Array<Text>, _>(objects)
    .bind::<SqlUuid, _>(transaction.uuid())
    .bind::<Timestamptz, _>(now)
    .get_result(tx.conn())
    .await?;
    Ok(row.until)
}

/// Until when a recovery rests; none if no payment is on its way.
pub async fn rests_until(
    mut conn: &Conn,
    tenant: Tenant,
    recovery: RecoveryId,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<Timestamptz>)]
        until: Option<DateTime<Utc>>,
    }
    let row: Row = sql("SELECT max(u.until) AS until
         FROM recoveries r JOIN payments_underway u
           ON u.organization_id = r.organization_id AND u.transaction_id = r.transaction_id
         WHERE r.organization_id = $1 AND r.id = $2 AND u.standing = 'underway' AND u.until > $3")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .bind::<Timestamptz, _>(now)
    .get_result(&mut conn)
    .await?;
    Ok(row.until)
}

/// The transaction of a payment that is or was on its way.
pub async fn transaction_of(
    conn: &mut Conn,
    tenant: Tenant,
    provider: Provider,
    payment: &str,
) -> Result<Option<TransactionId>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<SqlUuid>)]
        transaction_id: Option<Uuid>,
    }
    let row: Option<Row> = sql("SELECT transaction_id FROM payments_underway
         WHERE organization_id = $1 AND provider = $2 AND payment_id = $3")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(provider.as_str())
    .bind::<Text, _>(payment)
    .get_result(conn)
    .await
    .optional()?;
    let id = row.and_then(|row| row.transaction_id);
    Ok(id.map(TransactionId::from_uuid))
}

/// Forgets payments that were over before `before`, at most `limit`; answers how many.
pub async fn forget(conn: &mut Conn, before: DateTime<Utc>, limit: i64) -> Result<usize, DbError> {
    Ok(sql("DELETE FROM payments_underway
         WHERE (organization_id, provider, payment_id) IN (
           SELECT organization_id, provider, payment_id FROM payments_underway
           WHERE until < $1 ORDER BY until LIMIT $2)")
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(limit)
    .execute(conn)
    .await?)
}
