//! Events as partners are told of them, and the deliveries that follow.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::id::{
    OrganizationId, PartnerEventId, RecoveryId, TransactionId, WebhookDelivery, WebhookDeliveryId,
    WebhookEndpointId,
};
use domain::partner::{DeliveryCause, EventFilter, EventType};
use domain::{Money, TransactionRef};
use uuid::Uuid;

use crate::sql::sql;
use crate::transactions::money;
use crate::{Conn, DbError, Tenant, Tx};

/// Most events that one replay of a range sends again.
pub const MOST_REPLAYED: usize = 10_000;

/// An endpoint of an organization, as events see it.
#[derive(Debug, Clone)]
pub struct Listener {
    /// The endpoint.
    pub endpoint: WebhookEndpointId,
    /// What it wants to hear of.
    pub filter: EventFilter,
    /// Whether it is sent to.
    pub enabled: bool,
}

/// Everything of the organization that may want to hear of an event.
pub async fn listeners(conn: &Conn, tenant: Tenant) -> Result<Vec<Listener>, DbError> {
    let mut of_each = listeners_of_each(conn, &[tenant.organization()]).await?;
    Ok(of_each.remove(&tenant.organization()).unwrap_or_default())
}

/// Everything of each of these organizations that may want to hear of an event; those
/// that have nothing are not among the keys.
pub async fn listeners_of_each(
    mut conn: &Conn,
    organizations: &[OrganizationId],
) -> Result<HashMap<OrganizationId, Vec<Listener>>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = SqlUuid)]
        organization_id: Uuid,
        #[diesel(sql_type = Array<Text>)]
        event_types: Vec<String>,
        #[diesel(sql_type = diesel::sql_types::Bool)]
        enabled: bool,
    }
    let ids: Vec<Uuid> = organizations.iter().map(|it| it.uuid()).collect();
    let rows: Vec<Row> = sql(
        "SELECT id, organization_id, event_types, enabled FROM webhook_endpoints
         WHERE organization_id = ANY ($1) AND deleted_at IS NULL ORDER BY id",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(&mut conn)
    .await?;
    let mut of_each: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows {
        let whose = OrganizationId::from_uuid(row.organization_id);
        of_each.entry(whose).or_default().push(Listener {
            endpoint: WebhookEndpointId::from_uuid(row.id),
            filter: EventFilter::stored(row.event_types),
            enabled: row.enabled,
        });
    }
    Ok(of_each)
}

/// Which recovery an event is about, with what never changes of it.
#[derive(Debug, Clone)]
pub struct Fact {
    /// What the payer owed.
    pub transaction: TransactionId,
    /// The merchant's own name for it.
    pub reference: TransactionRef,
    /// What is owed.
    pub amount: Money,
}

/// What an event about this recovery tells of it.
pub async fn about(
    conn: &mut Conn,
    tenant: Tenant,
    recovery: RecoveryId,
) -> Result<Option<Fact>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Text)]
        transaction_ref: String,
        #[diesel(sql_type = BigInt)]
        amount_minor: i64,
        #[diesel(sql_type = Text)]
        currency: String,
    }
    let row: Option<Row> = sql("SELECT t.id, t.transaction_ref, r.amount_minor, r.currency
         FROM recoveries r
         JOIN transactions t ON t.organization_id = r.organization_id AND t.id = r.transaction_id
         WHERE r.organization_id = $1 AND r.id = $2")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .get_result(conn)
    .await
    .optional()?;
    row.map(|row| {
        Ok(Fact {
            transaction: TransactionId::from_uuid(row.id),
            reference: TransactionRef::parse(&row.transaction_ref)
                .map_err(|fault| DbError::corrupt("transactions.transaction_ref", fault))?,
            amount: money(row.amount_minor, &row.currency)?,
        })
    })
    .transpose()
}

/// An event to store.
pub struct NewEvent<'a> {
    /// Its id: a copy carries the same one.
    pub id: PartnerEventId,
    /// Its type.
    pub event: EventType,
    /// The recovery that it is about, if it is about one.
    pub recovery: Option<RecoveryId>,
    /// The bytes that are sent.
    pub payload: &'a str,
    /// When it happened.
    pub at: DateTime<Utc>,
}

/// Stores an event. False if it was stored before: then all of it was done.
pub async fn store(tx: &mut Tx, tenant: Tenant, new: &NewEvent<'_>) -> Result<bool, DbError> {
    let stored = sql(
        "INSERT INTO partner_events (id, organization_id, event_type, recovery_id, payload, occurred_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(new.id.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(new.event.as_str())
    .bind::<Nullable<SqlUuid>, _>(new.recovery.map(RecoveryId::uuid))
    .bind::<Text, _>(new.payload)
    .bind::<Timestamptz, _>(new.at)
    .execute(tx.conn())
    .await?;
    Ok(stored == 1)
}

/// Has an event delivered to these endpoints, as soon as may be. Answers the
/// deliveries, in the order of the endpoints.
pub async fn tell(
    tx: &mut Tx,
    tenant: Tenant,
    event: (PartnerEventId, EventType),
    endpoints: &[WebhookEndpointId],
    cause: DeliveryCause,
) -> Result<Vec<WebhookDeliveryId>, DbError> {
    let now = tx.now();
    let rows: Vec<Queued> = endpoints
        .iter()
        .map(|endpoint| Queued {
            endpoint: endpoint.uuid(),
            event: event.0.uuid(),
            event_type: event.1.as_str().to_owned(),
            due_at: now,
        })
        .collect();
    queue(tx, tenant, &rows, cause).await
}

struct Queued {
    endpoint: Uuid,
    event: Uuid,
    event_type: String,
    due_at: DateTime<Utc>,
}

async fn queue(
    tx: &mut Tx,
    tenant: Tenant,
    rows: &[Queued],
    cause: DeliveryCause,
) -> Result<Vec<WebhookDeliveryId>, DbError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let now = tx.now();
    let ids: Vec<WebhookDeliveryId> = rows
        .iter()
        .map(|_| tx.new_id::<WebhookDelivery>())
        .collect();
    let bare: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let endpoints: Vec<Uuid> = rows.iter().map(|row| row.endpoint).collect();
    let events: Vec<Uuid> = rows.iter().map(|row| row.event).collect();
    let types: Vec<&str> = rows.iter().map(|row| row.event_type.as_str()).collect();
    let due: Vec<DateTime<Utc>> = rows.iter().map(|row| row.due_at).collect();
    sql("INSERT INTO partner_deliveries (
           id, organization_id, endpoint_id, event_id, event_type, cause, state, due_at,
           created_at, updated_at)
         SELECT n.id, $1, n.endpoint_id, n.event_id, n.event_type, $2, 'pending', n.due_at, $3, $3
         FROM unnest($4, $5, $6, $7, $8) AS n (id, endpoint_id, event_id, event_type, due_at)")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(cause.as_str())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<SqlUuid>, _>(bare)
    .bind::<Array<SqlUuid>, _>(endpoints)
    .bind::<Array<SqlUuid>, _>(events)
    .bind::<Array<Text>, _>(types)
    .bind::<Array<Timestamptz>, _>(due)
    .execute(tx.conn())
    .await?;
    Ok(ids)
}

/// Has an ended delivery's event delivered to its endpoint once more. None if the
/// organization has no such delivery; its endpoint must be there and enabled, which
/// the caller has seen to.
pub async fn again(
    tx: &mut Tx,
    tenant: Tenant,
    delivery: &super::StoredDelivery,
) -> Result<Option<WebhookDeliveryId>, DbError> {
    let now = tx.now();
    let row = Queued {
        endpoint: delivery.endpoint.uuid(),
        event: delivery.event.uuid(),
        event_type: delivery.event_type.clone(),
        due_at: now,
    };
    let ids = queue(tx, tenant, &[row], DeliveryCause::Replay).await?;
    Ok(ids.into_iter().next())
}

/// Has the events of a time that are of one of these types delivered to an endpoint
/// once more, oldest first, one every `pace`. None, and nothing is queued, if they
/// are more than [`MOST_REPLAYED`].
pub async fn replay(
    tx: &mut Tx,
    tenant: Tenant,
    endpoint: WebhookEndpointId,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    types: &[EventType],
    pace: TimeDelta,
) -> Result<Option<usize>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Text)]
        event_type: String,
    }
    let names: Vec<&str> = types.iter().map(|it| it.as_str()).collect();
    let most = i64::try_from(MOST_REPLAYED).unwrap_or(i64::MAX);
    // An event's id is born in the transaction in which it happened.
    let rows: Vec<Row> = sql("SELECT id, event_type FROM partner_events
         WHERE organization_id = $1 AND id >= uuid7_floor($2) AND id < uuid7_floor($3)
           AND event_type = ANY ($4)
         ORDER BY id LIMIT $5")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(to)
    .bind::<Array<Text>, _>(names)
    .bind::<BigInt, _>(most + 1)
    .load(tx.conn())
    .await?;
    if rows.len() > MOST_REPLAYED {
        return Ok(None);
    }
    let mut due_at = tx.now();
    let mut queued = Vec::with_capacity(rows.len());
    for row in rows {
        queued.push(Queued {
            endpoint: endpoint.uuid(),
            event: row.id,
            event_type: row.event_type,
            due_at,
        });
        due_at += pace;
    }
    queue(tx, tenant, &queued, DeliveryCause::Replay).await?;
    Ok(Some(queued.len()))
}
