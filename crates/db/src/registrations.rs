//! Registrations that were asked for with an `Idempotency-Key`: there is no
//! organization yet in whose name to keep it, so it is found by the hash of the
//! address and the key.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Binary, Bool, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// Who asked with which key: the hash of both.
pub type Subject = [u8; 32];

/// What was asked and answered before, sealed.
pub async fn find(conn: &mut Conn, subject: &Subject) -> Result<Option<Vec<u8>>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Binary)]
        sealed: Vec<u8>,
    }
    let row: Option<Row> = sql("SELECT sealed FROM registration_keys WHERE subject = $1")
        .bind::<Binary, _>(subject.as_slice())
        .get_result(conn)
        .await
        .optional()?;
    Ok(row.map(|row| row.sealed))
}

/// Holds the subject until this transaction ends; false if another one does.
pub async fn lock(tx: &mut Tx, subject: &Subject) -> Result<bool, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        locked: bool,
    }
    let row: Row =
        sql("SELECT pg_try_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 1)) AS locked")
            .bind::<Binary, _>(subject.as_slice())
            .get_result(tx.conn())
            .await?;
    Ok(row.locked)
}

/// Keeps what was asked and answered, in the transaction of its effect.
pub async fn keep(
    tx: &mut Tx,
    tenant: Tenant,
    subject: &Subject,
    sealed: &[u8],
) -> Result<(), DbError> {
    let now = tx.now();
    sql(
        "INSERT INTO registration_keys (subject, organization_id, sealed, created_at)
         VALUES ($1, $2, $3, $4)",
    )
    .bind::<Binary, _>(subject.as_slice())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Binary, _>(sealed)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Forgets registrations older than `before`, at most `limit` of them; answers how many.
pub async fn forget(conn: &mut Conn, before: DateTime<Utc>, limit: i64) -> Result<usize, DbError> {
    Ok(sql("DELETE FROM registration_keys WHERE subject IN (
           SELECT subject FROM registration_keys WHERE created_at < $1 LIMIT $2)")
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(limit)
    .execute(conn)
    .await?)
}
