//! Payments that succeeded before any failure of theirs was heard of.
//!
//! PSPs send events out of order. What is noted here keeps a failure that is
//! reported later from opening a recovery of what is paid.

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

/// Notes that the payment with these ids at the PSP succeeded.
pub async fn note(
    tx: &mut Tx,
    tenant: Tenant,
    provider: Provider,
    objects: &[&str],
) -> Result<(), DbError> {
    let now = tx.now();
    sql(
        "INSERT INTO paid_objects (organization_id, provider, object_id, paid_at)
         SELECT $1, $2, object_id, $4 FROM unnest($3) AS object_id
         ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(provider.as_str())
    .bind::<Array<Text>, _>(objects)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether one of these ids is of a payment that was noted as paid.
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

/// Forgets what was noted before `before`, at most `limit` rows; answers how many.
pub async fn forget(conn: &mut Conn, before: DateTime<Utc>, limit: i64) -> Result<usize, DbError> {
    Ok(sql("DELETE FROM paid_objects
         WHERE (organization_id, provider, object_id) IN (
           SELECT organization_id, provider, object_id FROM paid_objects
           WHERE paid_at < $1 ORDER BY paid_at LIMIT $2)")
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(limit)
    .execute(conn)
    .await?)
}
