//! What the analytics sink has not confirmed yet.
//!
//! A row is written in the transaction that settles an event ([`owe`]), leased while
//! it is published ([`claim`]), and deleted once the broker holds it ([`done`]). A
//! process that dies in between leaves a lease that runs out: an event is published
//! at least once, each time under its own id.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::events::Event;
use crate::sql::sql;
use crate::{Conn, DbError, Trace, Tx};

/// An event to publish, under this process's lease.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Owed {
    /// The event's id: copies carry the same one.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// Its type, as a dotted word.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// What is published.
    #[diesel(sql_type = Binary)]
    pub body: Vec<u8>,
    /// W3C Trace Context of the work that settled it.
    #[diesel(sql_type = Nullable<Text>)]
    pub traceparent: Option<String>,
    /// Its vendor part.
    #[diesel(sql_type = Nullable<Text>)]
    pub tracestate: Option<String>,
}

/// An event that is owed to the sink.
#[derive(Debug, Clone)]
pub struct Owing<'a> {
    /// Which.
    pub event: Event<'a>,
    /// What is published.
    pub body: Vec<u8>,
    /// Of the work that settles it.
    pub trace: Trace,
}

/// Owes the sink events, once this transaction has committed.
pub async fn owe(tx: &mut Tx, owing: &[Owing<'_>]) -> Result<(), DbError> {
    if owing.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let ids: Vec<Uuid> = owing.iter().map(|it| it.event.id).collect();
    let organizations: Vec<Uuid> = owing.iter().map(|it| it.event.tenant.uuid()).collect();
    let kinds: Vec<&str> = owing.iter().map(|it| it.event.kind).collect();
    let bodies: Vec<&[u8]> = owing.iter().map(|it| it.body.as_slice()).collect();
    let traces = || owing.iter().map(|it| &it.trace);
    let parents: Vec<Option<&str>> = traces().map(|it| it.parent.as_deref()).collect();
    let states: Vec<Option<&str>> = traces().map(|it| it.state.as_deref()).collect();
    sql("INSERT INTO sink_events
           (id, organization_id, kind, body, traceparent, tracestate, queued_at)
         SELECT *, $7 FROM unnest($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO NOTHING")
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<SqlUuid>, _>(organizations)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Binary>, _>(bodies)
    .bind::<Array<Nullable<Text>>, _>(parents)
    .bind::<Array<Nullable<Text>>, _>(states)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Leases the oldest events that nobody is publishing at `now`, until `lease_until`.
/// Rows that another process is claiming are passed over.
pub async fn claim(
    conn: &mut Conn,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Owed>, DbError> {
    let claimed = sql("UPDATE sink_events SET leased_until = $2
         WHERE id = ANY (ARRAY (
           SELECT id FROM sink_events
           WHERE leased_until IS NULL OR leased_until <= $1
           ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED))
         RETURNING id, kind, body, traceparent, tracestate")
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(lease_until)
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    Ok(claimed)
}

/// The broker holds these.
pub async fn done(conn: &mut Conn, ids: &[Uuid]) -> Result<(), DbError> {
    sql("DELETE FROM sink_events WHERE id = ANY ($1)")
        .bind::<Array<SqlUuid>, _>(ids)
        .execute(conn)
        .await?;
    Ok(())
}

/// Gives back the leases of what was not published.
pub async fn hand_back(conn: &mut Conn, ids: &[Uuid]) -> Result<(), DbError> {
    sql("UPDATE sink_events SET leased_until = NULL WHERE id = ANY ($1)")
        .bind::<Array<SqlUuid>, _>(ids)
        .execute(conn)
        .await?;
    Ok(())
}

/// How much waits for the sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Events that are not confirmed.
    pub events: i64,
    /// For how long the oldest of them has waited.
    pub oldest: TimeDelta,
}

/// Counts what waits. Bounded: above 10,000 it stops counting. Ids are in the order of
/// time, so the oldest is the first of the index.
pub async fn waiting(conn: &mut Conn, now: DateTime<Utc>) -> Result<Waiting, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        events: i64,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        oldest: Option<DateTime<Utc>>,
    }
    let row: Row = sql("SELECT
           (SELECT count(*) FROM (SELECT 1 FROM sink_events LIMIT 10000) AS counted) AS events,
           (SELECT queued_at FROM sink_events ORDER BY id LIMIT 1) AS oldest")
    .get_result(conn)
    .await?;
    Ok(Waiting {
        events: row.events,
        oldest: row.oldest.map_or(TimeDelta::zero(), |at| now - at),
    })
}
