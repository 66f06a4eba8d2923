//! A recovery's one open charge.
//!
//! It is reserved and marked as sent by whoever holds the attempt, and by nobody else: a worker
//! that was held up (stopped, or without a processor) until its lease had run out may find its
//! attempt settled, handed back, or claimed once more by its own process. So what is asked is not
//! only who claimed the attempt, but whether that is still the claim that this piece of work has.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::id::{AttemptId, RecoveryId};
use uuid::Uuid;

use super::StoredAttempt;
use crate::holds::holds_on_charges;
use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// What came of asking for a recovery's open charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// It is the attempt's, or was before.
    Yes,
    /// Another attempt's charge is under way or in doubt.
    ByAnother,
    /// The worker does not hold the attempt any more: it must leave it alone.
    NotHeld,
}

/// Reserves the recovery's one open charge for an attempt that `worker` claimed. The caller holds
/// the recovery's row lock; the attempt's row is share-locked until this transaction ends, so that
/// nobody claims it before the reservation is there to be seen.
pub async fn open_charge(
    tx: &mut Tx,
    attempt: &StoredAttempt,
    worker: Uuid,
) -> Result<Reserved, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        held: bool,
        #[diesel(sql_type = Bool)]
        reserved: bool,
    }
    let now = tx.now();
    let row: Row = sql("WITH held AS (
           SELECT id, organization_id, recovery_id FROM attempts
           WHERE organization_id = $1 AND id = $2 AND claimed_by = $3 AND claims = $4 AND state = $5
           FOR SHARE
         ), reserved AS (
           INSERT INTO open_charges (recovery_id, organization_id, attempt_id, opened_at)
           SELECT recovery_id, organization_id, id, $6 FROM held
           ON CONFLICT (recovery_id) DO UPDATE SET opened_at = open_charges.opened_at
           WHERE open_charges.attempt_id = EXCLUDED.attempt_id
           RETURNING 1)
         SELECT EXISTS (SELECT FROM held) AS held, EXISTS (SELECT FROM reserved) AS reserved")
    .bind::<SqlUuid, _>(attempt.tenant.uuid())
    .bind::<SqlUuid, _>(attempt.id.uuid())
    .bind::<SqlUuid, _>(worker)
    .bind::<Integer, _>(claims(attempt))
    .bind::<Text, _>(attempt.state.as_str())
    .bind::<Timestamptz, _>(now)
    .get_result(tx.conn())
    .await?;
    Ok(match (row.held, row.reserved) {
        (_, true) => Reserved::Yes,
        (true, false) => Reserved::ByAnother,
        (false, false) => Reserved::NotHeld,
    })
}

/// How often it was claimed, as stored. More than fit would be a claim a second for 68 years.
pub(super) fn claims(attempt: &StoredAttempt) -> i32 {
    i32::try_from(attempt.claims).unwrap_or(i32::MAX)
}

/// What is known of a charge that was reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// When its request was last sent; none if it never was.
    pub at: Option<DateTime<Utc>>,
    /// When it was reserved.
    pub reserved_at: DateTime<Utc>,
    /// The payment's newest charge before it was first sent.
    pub charge_before: Option<String>,
}

/// Notes that the charge of an attempt that `worker` claimed is sent now. False if the worker does
/// not hold it any more, its charge is not the recovery's open one, the recovery is paused, or its
/// organization is held ([`crate::holds`]): then it must not be sent. The recovery's row is share-locked for the statement, so a pause that
/// commits first is seen. The payment's newest
/// charge is kept from the first time, since a later one may be our own.
pub async fn mark_sent(
    conn: &mut Conn,
    attempt: &StoredAttempt,
    worker: Uuid,
    charge_before: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let marked = sql(concat!(
        "WITH awake AS (
           SELECT id FROM recoveries
           WHERE organization_id = $1 AND paused_at IS NULL
             AND id = (SELECT recovery_id FROM open_charges
                       WHERE organization_id = $1 AND attempt_id = $2)
           FOR SHARE)
         UPDATE open_charges
         SET charge_before = CASE WHEN sent_at IS NULL THEN $3 ELSE charge_before END, sent_at = $4
         WHERE organization_id = $1 AND attempt_id = $2 AND EXISTS (SELECT FROM awake)
           AND EXISTS (SELECT FROM attempts
             WHERE organization_id = $1 AND id = $2 AND claimed_by = $5 AND claims = $6 AND state = $7)
           AND NOT EXISTS (",
        holds_on_charges!(),
        ")"
    ))
    .bind::<SqlUuid, _>(attempt.tenant.uuid())
    .bind::<SqlUuid, _>(attempt.id.uuid())
    .bind::<Nullable<Text>, _>(charge_before)
    .bind::<Timestamptz, _>(now)
    .bind::<SqlUuid, _>(worker)
    .bind::<Integer, _>(claims(attempt))
    .bind::<Text, _>(attempt.state.as_str())
    .execute(conn)
    .await?;
    Ok(marked == 1)
}

/// Whether and when an attempt's charge was sent; none if it is not reserved.
pub async fn sent(
    conn: &mut Conn,
    tenant: Tenant,
    attempt: AttemptId,
) -> Result<Option<Sent>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<Timestamptz>)]
        sent_at: Option<DateTime<Utc>>,
        #[diesel(sql_type = Timestamptz)]
        opened_at: DateTime<Utc>,
        #[diesel(sql_type = Nullable<Text>)]
        charge_before: Option<String>,
    }
    let row: Option<Row> = sql("SELECT sent_at, opened_at, charge_before FROM open_charges
         WHERE organization_id = $1 AND attempt_id = $2")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(attempt.uuid())
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.map(|row| Sent {
        at: row.sent_at,
        reserved_at: row.opened_at,
        charge_before: row.charge_before,
    }))
}

/// The charge under way or in doubt for a recovery.
pub async fn charge_under_way(
    conn: &mut Conn,
    tenant: Tenant,
    recovery: RecoveryId,
) -> Result<Option<AttemptId>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        attempt_id: Uuid,
    }
    let row: Option<Row> =
        sql("SELECT attempt_id FROM open_charges WHERE organization_id = $1 AND recovery_id = $2")
            .bind::<SqlUuid, _>(tenant.uuid())
            .bind::<SqlUuid, _>(recovery.uuid())
            .get_result(conn)
            .await
            .optional()?;
    Ok(row.map(|row| AttemptId::from_uuid(row.attempt_id)))
}
