//! The outbox: what is still owed.
//!
//! A row is written in the transaction of its cause ([`crate::Tx::emit`]),
//! published to Redis after the commit, and **deleted in the transaction that
//! commits its effect** ([`settle`]). So `settle` is also what makes a consumer
//! idempotent: of any number of copies, one finds the row. A row that was
//! published and is still here after its deadline, although the consumers have
//! moved past it, was lost by Redis: the sweeper publishes it again.

mod standing;

pub use standing::{Standing, standing};

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use contracts::{Envelope, Stream};
use diesel::QueryableByName;
use diesel::sql_types::{
    Array, BigInt, Binary, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl;
use domain::id::{OrganizationId, OutboxId};
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

pub(crate) async fn insert(mut conn: &Conn, envelopes: &[Envelope]) -> Result<(), DbError> {
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
    .execute(&mut conn)
    .await?;
    Ok(())
}

/// Marks the effect of an event as committed with this transaction. False if a
/// copy was here before: then there is nothing left to do.
pub async fn settle(mut conn: &Conn, id: OutboxId) -> Result<bool, DbError> {
    let deleted = sql("DELETE FROM outbox WHERE id = $1")
        .bind::<SqlUuid, _>(id.uuid())
        .execute(&mut conn)
        .await?;
    Ok(deleted == 1)
}

/// As [`settle`], for several events: answers those that had not been settled before.
pub async fn settle_all(mut conn: &Conn, ids: &[OutboxId]) -> Result<HashSet<OutboxId>, DbError> {
    #[derive(QueryableByName)]
    struct Settled {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let settled: Vec<Settled> = sql("SELECT settled AS id FROM settle_events($1) AS settled")
        .bind::<Array<SqlUuid>, _>(ids)
        .load(&mut conn)
        .await?;
    let settled = settled.into_iter().map(|it| OutboxId::from_uuid(it.id));
    Ok(settled.collect())
}

/// Records that these were given to Redis at `at`. One that is being settled just now is
/// passed over: it is gone as soon as that commits, and whoever waited for it would keep
/// the settling of all the others waiting. If it is not settled after all, it is published
/// once more. The function goes by the key, however Postgres planned (`docs/decisions/0067`).
pub async fn mark_published(
    conn: &mut Conn,
    ids: &[OutboxId],
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    sql("SELECT mark_published($1, $2)")
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Timestamptz, _>(at)
        .execute(conn)
        .await?;
    Ok(())
}

/// Which events that were left are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Left {
    /// Of this stream.
    pub stream: Stream,
    /// Committed before that time.
    pub before: DateTime<Utc>,
    /// Of organizations after this one; the nil UUID begins with the first.
    pub after: Uuid,
    /// Most events of one organization.
    pub share: i64,
    /// Most messages of an organization that lie in Redis, where the stream is one
    /// of messages to payers.
    pub ahead: i64,
    /// Most events in all.
    pub limit: i64,
}

/// Events that a process committed and never published: it died, Redis was away, or
/// their organization had as much in Redis as it may. Organizations in turn, the
/// oldest of each first. Rows that another sweeper holds are passed over.
///
/// Walks the distinct organizations by index, one probe each, so that a backlog of one
/// hides nothing of another's. An organization's rows are a range of that index: an
/// equality would let the index by time alone seem as good, which reads through
/// everybody else's backlog.
pub async fn unpublished(conn: &mut Conn, left: &Left) -> Result<Vec<Envelope>, DbError> {
    sql("WITH RECURSIVE turn (organization_id) AS (
           (SELECT organization_id FROM outbox
            WHERE published_at IS NULL AND dead_at IS NULL AND stream = $1 AND organization_id > $3
            ORDER BY stream, organization_id LIMIT 1)
           UNION ALL
           SELECT (SELECT o.organization_id FROM outbox o
                   WHERE o.published_at IS NULL AND o.dead_at IS NULL AND o.stream = $1
                     AND o.organization_id > turn.organization_id
                   ORDER BY o.stream, o.organization_id LIMIT 1)
           FROM turn WHERE turn.organization_id IS NOT NULL
         )
         SELECT w.stream, w.envelope FROM turn
         CROSS JOIN LATERAL (
           SELECT CASE WHEN $1 LIKE 'notifications:%' THEN $5 - (
             SELECT count(*) FROM (
               SELECT FROM outbox m
               WHERE m.published_at IS NOT NULL AND m.dead_at IS NULL AND m.stream LIKE 'notifications:%'
                 AND m.stream = $1 AND m.organization_id = turn.organization_id
               LIMIT $5) AS counted) ELSE $4 END AS places) AS room
         CROSS JOIN LATERAL (
           SELECT o.stream, o.envelope FROM outbox o
           WHERE o.published_at IS NULL AND o.dead_at IS NULL
             AND (o.stream, o.organization_id, o.created_at) >= ($1, turn.organization_id, '-infinity')
             AND (o.stream, o.organization_id, o.created_at) < ($1, turn.organization_id, $2)
           ORDER BY o.stream, o.organization_id, o.created_at
           LIMIT greatest(least(room.places, $4), 0)
           FOR UPDATE SKIP LOCKED) AS w
         WHERE turn.organization_id IS NOT NULL
         LIMIT $6")
    .bind::<Text, _>(left.stream.as_str())
    .bind::<Timestamptz, _>(left.before)
    .bind::<SqlUuid, _>(left.after)
    .bind::<BigInt, _>(left.share)
    .bind::<BigInt, _>(left.ahead)
    .bind::<BigInt, _>(left.limit)
    .load::<Row>(conn)
    .await?
    .into_iter()
    .map(Row::decode)
    .collect()
}

/// How many more messages of each of these may go to Redis, so that no more than
/// `ahead` of its organization and channel wait there. None, if some of them have
/// waited here since before `before`: it is their turn.
pub async fn room(
    conn: &mut Conn,
    lanes: &[(Stream, OrganizationId)],
    before: DateTime<Utc>,
    ahead: i64,
) -> Result<Vec<i64>, DbError> {
    #[derive(QueryableByName)]
    struct Room {
        #[diesel(sql_type = BigInt)]
        places: i64,
    }
    let streams: Vec<&str> = lanes.iter().map(|(stream, _)| stream.as_str()).collect();
    let organizations: Vec<Uuid> = lanes.iter().map(|(_, id)| id.uuid()).collect();
    let rooms: Vec<Room> = sql(
        "SELECT CASE WHEN (
                  SELECT o.created_at FROM outbox o
                  WHERE o.published_at IS NULL AND o.dead_at IS NULL
                    AND (o.stream, o.organization_id, o.created_at)
                        >= (lane.stream, lane.organization_id, '-infinity')
                    AND (o.stream, o.organization_id, o.created_at)
                        < (lane.stream, lane.organization_id, $3)
                  ORDER BY o.stream, o.organization_id, o.created_at LIMIT 1) IS NOT NULL
                THEN 0
                ELSE $4 - (SELECT count(*) FROM (
                  SELECT FROM outbox m
                  WHERE m.published_at IS NOT NULL AND m.dead_at IS NULL AND m.stream LIKE 'notifications:%'
                    AND m.stream = lane.stream AND m.organization_id = lane.organization_id
                  LIMIT $4) AS counted) END AS places
         FROM unnest($1, $2) WITH ORDINALITY AS lane (stream, organization_id, number)
         ORDER BY lane.number",
    )
    .bind::<Array<Text>, _>(streams)
    .bind::<Array<SqlUuid>, _>(organizations)
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(ahead)
    .load(conn)
    .await?;
    Ok(rooms.into_iter().map(|room| room.places).collect())
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
