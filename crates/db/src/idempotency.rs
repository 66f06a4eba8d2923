//! `Idempotency-Key`: the answer of the first request is stored in the
//! transaction of its effect, and given again to every later one.

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Binary, Bool, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use serde_json::Value;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// What became of a key.
#[derive(Debug)]
pub enum Reserved {
    /// This request is the first; its answer is to be stored with [`store`].
    First,
    /// An earlier request had the key and the same content: its answer.
    Replay {
        /// HTTP status.
        status: u16,
        /// Its body.
        body: KeptBody,
    },
    /// An earlier request had the key and other content.
    OtherContent,
    /// An earlier request with the key has not finished.
    InFlight,
}

/// An answer's body, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptBody {
    /// As it was sent.
    Plain(Vec<u8>),
    /// It holds a secret, and is sealed.
    Sealed(Vec<u8>),
}

/// Reserves a key for this transaction. The row carries status 0 until the
/// answer is stored, and is not seen by anyone unless this commits; a second
/// request that comes meanwhile does not wait for it.
pub async fn reserve(
    tx: &mut Tx,
    tenant: Tenant,
    key: &str,
    fingerprint: &[u8; 32],
) -> Result<Reserved, DbError> {
    #[derive(QueryableByName)]
    struct Locked {
        #[diesel(sql_type = Bool)]
        locked: bool,
    }
    let now = tx.now();
    if let Some(known) = find(tx.conn(), tenant, key, fingerprint).await? {
        return Ok(known);
    }
    // A transaction lock on the key: held until commit or rollback, so it is
    // safe behind a pooler in transaction mode.
    let lock: Locked =
        sql("SELECT pg_try_advisory_xact_lock(hashtextextended($1::text || $2, 0)) AS locked")
            .bind::<SqlUuid, _>(tenant.uuid())
            .bind::<Text, _>(key)
            .get_result(tx.conn())
            .await?;
    if !lock.locked {
        return Ok(Reserved::InFlight);
    }
    // The one who held the lock may have committed between the look and the lock.
    if let Some(known) = find(tx.conn(), tenant, key, fingerprint).await? {
        return Ok(known);
    }
    sql(
        "INSERT INTO idempotency_keys (organization_id, key, fingerprint, status, body, created_at)
         VALUES ($1, $2, $3, 0, '{}', $4)",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(key)
    .bind::<Binary, _>(fingerprint.as_slice())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(Reserved::First)
}

/// What became of a key, if a request had it that has finished: for what asks others
/// before it does its work in a transaction.
pub async fn find(
    conn: &mut Conn,
    tenant: Tenant,
    key: &str,
    fingerprint: &[u8; 32],
) -> Result<Option<Reserved>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Binary)]
        fingerprint: Vec<u8>,
        #[diesel(sql_type = Integer)]
        status: i32,
        #[diesel(sql_type = Jsonb)]
        body: Value,
        #[diesel(sql_type = Nullable<Binary>)]
        answer: Option<Vec<u8>>,
        #[diesel(sql_type = Bool)]
        is_sealed: bool,
    }
    let row: Option<Row> = sql(
        "SELECT fingerprint, status, body, answer, is_sealed FROM idempotency_keys
         WHERE organization_id = $1 AND key = $2",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(key)
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.map(|row| {
        if row.fingerprint == fingerprint {
            Reserved::Replay {
                status: u16::try_from(row.status).unwrap_or(500),
                body: match row.answer {
                    Some(answer) if row.is_sealed => KeptBody::Sealed(answer),
                    Some(answer) => KeptBody::Plain(answer),
                    // Kept by a replica that knew no better.
                    None => KeptBody::Plain(row.body.to_string().into_bytes()),
                },
            }
        } else {
            Reserved::OtherContent
        }
    }))
}

/// Stores the answer of the first request, in the transaction of its effect.
pub async fn store(
    tx: &mut Tx,
    tenant: Tenant,
    key: &str,
    status: u16,
    body: &KeptBody,
) -> Result<(), DbError> {
    let (answer, sealed) = match body {
        KeptBody::Plain(answer) => (answer, false),
        KeptBody::Sealed(answer) => (answer, true),
    };
    sql(
        "UPDATE idempotency_keys SET status = $3, answer = $4, is_sealed = $5
         WHERE organization_id = $1 AND key = $2",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(key)
    .bind::<Integer, _>(i32::from(status))
    .bind::<Binary, _>(answer.as_slice())
    .bind::<Bool, _>(sealed)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Forgets keys older than `before`, at most `limit` of them; answers how many.
pub async fn forget(conn: &mut Conn, before: DateTime<Utc>, limit: i64) -> Result<usize, DbError> {
    Ok(sql(
        "DELETE FROM idempotency_keys WHERE (organization_id, key) IN (
           SELECT organization_id, key FROM idempotency_keys WHERE created_at < $1 LIMIT $2)",
    )
    .bind::<Timestamptz, _>(before)
    .bind::<diesel::sql_types::BigInt, _>(limit)
    .execute(conn)
    .await?)
}
