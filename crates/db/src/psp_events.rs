//! What PSPs sent: each event has one effect, however often it is delivered.

pub mod at_once;

use diesel::sql_types::{Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{ConnectionId, PspEvent, PspEventId};
use domain::state::Provider;
use serde_json::Value;

use crate::sql::sql;
use crate::{DbError, Tenant, Tx};

/// Reserves an event's one effect. None if it was delivered before.
pub async fn claim(
    tx: &mut Tx,
    tenant: Tenant,
    connection: ConnectionId,
    provider_event_id: &str,
) -> Result<Option<PspEventId>, DbError> {
    let id = tx.new_id::<PspEvent>();
    let now = tx.now();
    let inserted = sql(
        "INSERT INTO psp_event_keys (organization_id, connection_id, provider_event_id,
                                     psp_event_id, received_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(connection.uuid())
    .bind::<Text, _>(provider_event_id)
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok((inserted == 1).then_some(id))
}

/// An event as it was sent, and what was made of it.
pub struct Received<'a> {
    /// Its id here.
    pub id: PspEventId,
    /// Over which connection.
    pub connection: ConnectionId,
    /// From which PSP.
    pub provider: Provider,
    /// Its id at the PSP.
    pub provider_event_id: &'a str,
    /// Its type at the PSP.
    pub kind: &'a str,
    /// Its body.
    pub body: &'a Value,
    /// What was made of it, in words.
    pub outcome: &'a str,
}

/// Keeps an event for whoever has to find out later what was sent.
pub async fn keep(tx: &mut Tx, tenant: Tenant, event: &Received<'_>) -> Result<(), DbError> {
    let cause = tx.cause().clone();
    sql(
        "INSERT INTO psp_events (id, organization_id, connection_id, provider, provider_event_id,
                                 kind, body, outcome, trace_id, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind::<SqlUuid, _>(event.id.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(event.connection.uuid())
    .bind::<Text, _>(event.provider.as_str())
    .bind::<Text, _>(event.provider_event_id)
    .bind::<Text, _>(event.kind)
    .bind::<Jsonb, _>(event.body)
    .bind::<Text, _>(event.outcome)
    .bind::<Nullable<Text>, _>(cause.trace_id())
    .bind::<Timestamptz, _>(cause.at)
    .execute(tx.conn())
    .await?;
    Ok(())
}
