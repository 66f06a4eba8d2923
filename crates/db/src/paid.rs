//! Payments that are settled before any failure of theirs was heard of: paid,
//! disputed, or cancelled by the merchant.
//!
//! PSPs send events out of order. What is noted here keeps a failure that is
//! reported later from opening a recovery of what nobody may be asked for.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::state::Provider;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// Makes the reports about these objects wait for each other until this
/// transaction ends, so that a failure and a success that come at the same
/// moment see one another. Call it before any row is locked.
pub async fn take_turns(
    tx: &mut Tx,
    tenant: Tenant,
    provider: Provider,
    objects: &[&str],
) -> Result<(), DbError> {
    // One order for all, so that no two wait for each other.
    let mut objects = objects.to_vec();
    objects.sort_unstable();
    objects.dedup();
    sql(
        "SELECT pg_advisory_xact_lock(hashtextextended($1::text || $2 || object_id, 1))
         FROM unnest($3) AS object_id",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(provider.as_str())
    .bind::<Array<Text>, _>(objects)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Why a payment is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The money is there, or was.
    Paid,
    /// The payer disputes it at the bank.
    Disputed,
    /// The merchant does not want it any more.
    Cancelled,
}

impl Settled {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Disputed => "disputed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Notes that the payment with these ids at the PSP is settled so.
pub async fn note(
    tx: &mut Tx,
    tenant: Tenant,
    provider: Provider,
    objects: &[&str],
    settled: Settled,
) -> Result<(), DbError> {
    let now = tx.now();
    sql(
        "INSERT INTO paid_objects (organization_id, provider, object_id, paid_at, why)
         SELECT $1, $2, object_id, $4, $5 FROM unnest($3) AS object_id
         ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(provider.as_str())
    .bind::<Array<Text>, _>(objects)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(settled.as_str())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether one of these ids is of a payment that was noted.
pub async fn holds(
    conn: &mut Conn,
    tenant: Tenant,
    provider: Provider,
    objects: &[&str],
) -> Result<bool, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        paid: bool,
    }
    // Object by object, as in `transactions::by_object`.
    let row: Row = sql("SELECT EXISTS (
           SELECT 1 FROM unnest($3) AS wanted (object_id)
           CROSS JOIN LATERAL (
             SELECT 1 FROM paid_objects p
             WHERE p.organization_id = $1 AND p.provider = $2
               AND p.object_id = wanted.object_id LIMIT 1) AS found) AS paid")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(provider.as_str())
    .bind::<Array<Text>, _>(objects)
    .get_result(conn)
    .await?;
    Ok(row.paid)
}

/// Forgets payments that were noted as paid before `before`, and others half a
/// year later, at most `limit` rows; answers how many. A dispute outlives the
/// days in which a PSP repeats its events.
pub async fn forget(conn: &mut Conn, before: DateTime<Utc>, limit: i64) -> Result<usize, DbError> {
    Ok(sql("DELETE FROM paid_objects
         WHERE (organization_id, provider, object_id) IN (
           SELECT organization_id, provider, object_id FROM paid_objects
           WHERE paid_at < $1 AND (why = 'paid' OR paid_at < $1 - interval '180 days') ORDER BY paid_at LIMIT $2)")
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(limit)
    .execute(conn)
    .await?)
}
