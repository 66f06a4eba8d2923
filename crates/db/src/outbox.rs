//! The outbox: what is still owed.
//!
//! A row is written in the transaction of its cause ([`crate::Tx::emit`]),
//! published to Redis after the commit, and **deleted in the transaction that
//! commits its effect** ([`settle`]). So `settle` is also what makes a consumer
//! idempotent: of any number of copies, one finds the row. A row that was
//! published and is still here after its deadline, although the consumers have
//! moved past it, was lost by Redis: the sweeper publishes it again.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::{Envelope, Stream};
use diesel::QueryableByName;
use diesel::sql_types::{
    Array, BigInt, Binary, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl;
use domain::id::OutboxId;
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    stream: String,
    #[diesel(sql_type = Binary)]
    envelope: Vec<u8>,
}

impl Row {
    fn decode(self) -> Result<Envelope, DbError> {
        let stream: Stream = self
            .stream
            .parse()
            .map_err(|fault| DbError::corrupt("outbox.stream", fault))?;
        Envelope::decode(&self.envelope, stream)
            .map_err(|fault| DbError::corrupt("outbox.envelope", fault))
    }
}

pub(crate) async fn insert(conn: &mut Conn, envelopes: &[Envelope]) -> Result<(), DbError> {
    let ids: Vec<Uuid> = envelopes.iter().map(|e| e.outbox.uuid()).collect();
    let organizations: Vec<Uuid> = envelopes.iter().map(|e| e.organization.uuid()).collect();
    let streams: Vec<&str> = envelopes.iter().map(|e| e.stream().as_str()).collect();
    let bodies: Vec<Vec<u8>> = envelopes.iter().map(Envelope::encode).collect();
    let times: Vec<DateTime<Utc>> = envelopes.iter().map(|e| e.created_at).collect();
    sql(
        "INSERT INTO outbox (id, organization_id, stream, envelope, created_at)
         SELECT * FROM unnest($1, $2, $3, $4, $5)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<SqlUuid>, _>(organizations)
    .bind::<Array<Text>, _>(streams)
    .bind::<Array<Binary>, _>(bodies)
    .bind::<Array<Timestamptz>, _>(times)
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks the effect of an event as committed with this transaction. False if a
/// copy was here before: then there is nothing left to do.
pub async fn settle(conn: &mut Conn, id: OutboxId) -> Result<bool, DbError> {
    let deleted = sql("DELETE FROM outbox WHERE id = $1")
        .bind::<SqlUuid, _>(id.uuid())
        .execute(conn)
        .await?;
    Ok(deleted == 1)
}

/// Records that these were given to Redis at `at`.
pub async fn mark_published(
    conn: &mut Conn,
    ids: &[OutboxId],
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    sql("UPDATE outbox SET published_at = $2 WHERE id = ANY ($1)")
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Timestamptz, _>(at)
        .execute(conn)
        .await?;
    Ok(())
}

/// Events that a process committed before `before` and never published: it died,
/// or Redis was away. Rows that another sweeper holds are passed over.
pub async fn unpublished(
    conn: &mut Conn,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Envelope>, DbError> {
    sql("SELECT stream, envelope FROM outbox
         WHERE published_at IS NULL AND dead_at IS NULL AND created_at < $1
         ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED")
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(limit)
    .load::<Row>(conn)
    .await?
    .into_iter()
    .map(Row::decode)
    .collect()
}

/// Events of `stream` that were published before `before` and have had no effect yet.
pub async fn published_before(
    conn: &mut Conn,
    stream: Stream,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Envelope>, DbError> {
    sql("SELECT stream, envelope FROM outbox
         WHERE published_at < $2 AND dead_at IS NULL AND stream = $1
         ORDER BY published_at LIMIT $3 FOR UPDATE SKIP LOCKED")
    .bind::<Text, _>(stream.as_str())
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(limit)
    .load::<Row>(conn)
    .await?
    .into_iter()
    .map(Row::decode)
    .collect()
}

/// Records a dead letter: it is not tried again until it is replayed.
pub async fn bury(
    conn: &mut Conn,
    id: OutboxId,
    reason: &str,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    sql("UPDATE outbox SET dead_at = $3, dead_reason = $2 WHERE id = $1")
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Text, _>(reason)
        .bind::<Timestamptz, _>(at)
        .execute(conn)
        .await?;
    Ok(())
}

/// How much is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed {
    /// Rows not published yet.
    pub unpublished: i64,
    /// Age of the oldest of them.
    pub oldest_unpublished: TimeDelta,
    /// Dead letters.
    pub dead: i64,
}

/// Counts what is owed, for metrics. Bounded: above 10,000 it stops counting.
pub async fn owed(conn: &mut Conn, now: DateTime<Utc>) -> Result<Owed, DbError> {
    #[derive(QueryableByName)]
    struct Counts {
        #[diesel(sql_type = BigInt)]
        unpublished: i64,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        oldest: Option<DateTime<Utc>>,
        #[diesel(sql_type = BigInt)]
        dead: i64,
    }
    let counts: Counts = sql("SELECT
           (SELECT count(*) FROM (SELECT 1 FROM outbox
              WHERE published_at IS NULL AND dead_at IS NULL LIMIT $1) AS counted) AS unpublished,
           (SELECT min(created_at) FROM outbox
              WHERE published_at IS NULL AND dead_at IS NULL) AS oldest,
           (SELECT count(*) FROM outbox WHERE dead_at IS NOT NULL) AS dead")
    .bind::<Integer, _>(10_000)
    .get_result(conn)
    .await?;
    Ok(Owed {
        unpublished: counts.unpublished,
        oldest_unpublished: counts.oldest.map_or(TimeDelta::zero(), |at| now - at),
        dead: counts.dead,
    })
}
