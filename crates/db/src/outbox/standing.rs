//! What each stream is owed, for people to look at.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::Stream;
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::sql::sql;
use crate::{Conn, DbError};

/// What a stream is owed, dead letters apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Of which stream.
    pub stream: Stream,
    /// Events that are not published yet.
    pub unpublished: i64,
    /// Age of the oldest of them.
    pub oldest_unpublished: TimeDelta,
    /// Events that are published and have had no effect yet.
    pub unsettled: i64,
    /// Age of the oldest of them.
    pub oldest_unsettled: TimeDelta,
}

/// What every stream is owed, in their order. Bounded: above 10,000 of a kind it stops
/// counting.
pub async fn standing(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<Standing>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        unpublished: i64,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        oldest_unpublished: Option<DateTime<Utc>>,
        #[diesel(sql_type = BigInt)]
        unsettled: i64,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        oldest_unsettled: Option<DateTime<Utc>>,
    }
    let names: Vec<&str> = Stream::ALL.iter().map(|stream| stream.as_str()).collect();
    let rows: Vec<Row> = sql("SELECT u.*, p.*
         FROM unnest($1) WITH ORDINALITY AS s (stream, number)
         CROSS JOIN LATERAL (
           SELECT count(*) AS unpublished, min(created_at) AS oldest_unpublished FROM (
             SELECT created_at FROM outbox
             WHERE published_at IS NULL AND dead_at IS NULL AND stream = s.stream
             ORDER BY created_at LIMIT 10000) AS counted) AS u
         CROSS JOIN LATERAL (
           SELECT count(*) AS unsettled, min(created_at) AS oldest_unsettled FROM (
             SELECT created_at FROM outbox
             WHERE published_at IS NOT NULL AND dead_at IS NULL AND stream = s.stream
             ORDER BY published_at LIMIT 10000) AS counted) AS p
         ORDER BY s.number")
    .bind::<Array<Text>, _>(names)
    .load(conn)
    .await?;
    let since = |at: Option<DateTime<Utc>>| at.map_or(TimeDelta::zero(), |at| now - at);
    let of = |(stream, row): (Stream, Row)| Standing {
        stream,
        unpublished: row.unpublished,
        oldest_unpublished: since(row.oldest_unpublished),
        unsettled: row.unsettled,
        oldest_unsettled: since(row.oldest_unsettled),
    };
    Ok(Stream::ALL.into_iter().zip(rows).map(of).collect())
}
