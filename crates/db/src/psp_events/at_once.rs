//! Many events of one connection at once: a few statements, however many.

use std::collections::HashSet;

use diesel::QueryableByName;
use diesel::sql_types::{Array, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{ConnectionId, PspEventId};
use serde_json::Value;
use uuid::Uuid;

use super::Received;
use crate::sql::sql;
use crate::{DbError, Tenant, Trace, Tx};

/// Reserves the one effect of each of these events, which are different ones, as
/// [`super::claim`] does one; answers those that were not delivered before. In the
/// order of their ids, so that two batches wait for each other and never for ever.
pub async fn claim(
    tx: &mut Tx,
    tenant: Tenant,
    connection: ConnectionId,
    events: &[(&str, PspEventId)],
) -> Result<HashSet<PspEventId>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        psp_event_id: Uuid,
    }
    let now = tx.now();
    let mut sorted = events.to_vec();
    sorted.sort_by_key(|(event, _)| *event);
    let (names, ids): (Vec<&str>, Vec<Uuid>) =
        sorted.iter().map(|(event, id)| (*event, id.uuid())).unzip();
    let claimed: Vec<Row> = sql(
        "INSERT INTO psp_event_keys (organization_id, connection_id, provider_event_id,
                                     psp_event_id, received_at)
         SELECT $1, $2, n.event, n.id, $3 FROM unnest($4, $5) AS n (event, id)
         ON CONFLICT DO NOTHING RETURNING psp_event_id",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(connection.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Text>, _>(names)
    .bind::<Array<SqlUuid>, _>(ids)
    .load(tx.conn())
    .await?;
    let claimed = claimed.into_iter().map(|row| row.psp_event_id);
    Ok(claimed.map(PspEventId::from_uuid).collect())
}

/// Gives back what [`claim`] reserved in this transaction.
pub async fn release(
    tx: &mut Tx,
    tenant: Tenant,
    connection: ConnectionId,
    events: &[&str],
) -> Result<(), DbError> {
    if events.is_empty() {
        return Ok(());
    }
    sql("DELETE FROM psp_event_keys
         WHERE organization_id = $1 AND connection_id = $2 AND provider_event_id = ANY ($3)")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(connection.uuid())
    .bind::<Array<Text>, _>(events)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Keeps events, as [`super::keep`] does one, each with the trace that it came under.
pub async fn keep(
    tx: &mut Tx,
    tenant: Tenant,
    events: &[(Received<'_>, &Trace)],
) -> Result<(), DbError> {
    let now = tx.now();
    let all = || events.iter().map(|(event, _)| event);
    let ids: Vec<Uuid> = all().map(|it| it.id.uuid()).collect();
    let connections: Vec<Uuid> = all().map(|it| it.connection.uuid()).collect();
    let providers: Vec<&str> = all().map(|it| it.provider.as_str()).collect();
    let names: Vec<&str> = all().map(|it| it.provider_event_id).collect();
    let kinds: Vec<&str> = all().map(|it| it.kind).collect();
    let bodies: Vec<&Value> = all().map(|it| it.body).collect();
    let outcomes: Vec<&str> = all().map(|it| it.outcome).collect();
    let traces: Vec<Option<&str>> = events.iter().map(|(_, trace)| trace.id()).collect();
    sql(
        "INSERT INTO psp_events (id, organization_id, connection_id, provider, provider_event_id,
                                 kind, body, outcome, trace_id, received_at)
         SELECT n.id, $1, n.connection_id, n.provider, n.event, n.kind, n.body, n.outcome,
                n.trace_id, $2
         FROM unnest($3, $4, $5, $6, $7, $8, $9, $10)
              AS n (id, connection_id, provider, event, kind, body, outcome, trace_id)",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<SqlUuid>, _>(connections)
    .bind::<Array<Text>, _>(providers)
    .bind::<Array<Text>, _>(names)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Jsonb>, _>(bodies)
    .bind::<Array<Text>, _>(outcomes)
    .bind::<Array<Nullable<Text>>, _>(traces)
    .execute(tx.conn())
    .await?;
    Ok(())
}
