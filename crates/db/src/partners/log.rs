//! What was sent, and how it went.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::id::{PartnerEventId, WebhookDeliveryId, WebhookEndpointId};
use domain::partner::{DeliveryCause, DeliveryState};
use serde_json::Value;
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant};

/// A delivery as stored.
#[derive(Debug, Clone)]
pub struct StoredDelivery {
    /// Its id.
    pub id: WebhookDeliveryId,
    /// Where to.
    pub endpoint: WebhookEndpointId,
    /// Its event.
    pub event: PartnerEventId,
    /// Its event's type, which a later release may have made.
    pub event_type: String,
    /// Why it is made.
    pub cause: DeliveryCause,
    /// Where it stands.
    pub state: DeliveryState,
    /// When it is, or was, due.
    pub due_at: DateTime<Utc>,
    /// How often it was tried.
    pub tries: u32,
    /// The status of the last answer.
    pub last_status: Option<u16>,
    /// What was wrong with the last try.
    pub last_error: Option<String>,
    /// When it came to its end.
    pub finished_at: Option<DateTime<Utc>>,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
}

macro_rules! columns {
    () => {
        "d.id, d.endpoint_id, d.event_id, d.event_type, d.cause, d.state, d.due_at, d.tries,
         d.last_status, d.last_error, d.finished_at, d.created_at"
    };
}

#[derive(QueryableByName)]
struct DeliveryRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    endpoint_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    event_id: Uuid,
    #[diesel(sql_type = Text)]
    event_type: String,
    #[diesel(sql_type = Text)]
    cause: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Timestamptz)]
    due_at: DateTime<Utc>,
    #[diesel(sql_type = Integer)]
    tries: i32,
    #[diesel(sql_type = Nullable<Integer>)]
    last_status: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    last_error: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    finished_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

impl TryFrom<DeliveryRow> for StoredDelivery {
    type Error = DbError;
    fn try_from(row: DeliveryRow) -> Result<Self, DbError> {
        Ok(Self {
            id: WebhookDeliveryId::from_uuid(row.id),
            endpoint: WebhookEndpointId::from_uuid(row.endpoint_id),
            event: PartnerEventId::from_uuid(row.event_id),
            event_type: row.event_type,
            cause: row
                .cause
                .parse()
                .map_err(|fault| DbError::corrupt("partner_deliveries.cause", fault))?,
            state: row
                .state
                .parse()
                .map_err(|fault| DbError::corrupt("partner_deliveries.state", fault))?,
            due_at: row.due_at,
            tries: u32::try_from(row.tries).unwrap_or(0),
            last_status: status(row.last_status),
            last_error: row.last_error,
            finished_at: row.finished_at,
            created_at: row.created_at,
        })
    }
}

fn status(status: Option<i32>) -> Option<u16> {
    status.and_then(|status| u16::try_from(status).ok())
}

/// The deliveries to an endpoint, in this state if one is given, newest first.
pub async fn deliveries(
    conn: &mut Conn,
    tenant: Tenant,
    endpoint: WebhookEndpointId,
    state: Option<DeliveryState>,
    before: Option<WebhookDeliveryId>,
    limit: i64,
) -> Result<Vec<StoredDelivery>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM partner_deliveries d
         WHERE d.organization_id = $1 AND d.endpoint_id = $2 AND ($3 IS NULL OR d.state = $3)
           AND ($4 IS NULL OR d.id < $4)
         ORDER BY d.id DESC LIMIT $5"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(endpoint.uuid())
    .bind::<Nullable<Text>, _>(state.map(DeliveryState::as_str))
    .bind::<Nullable<SqlUuid>, _>(before.map(WebhookDeliveryId::uuid))
    .bind::<BigInt, _>(limit)
    .load::<DeliveryRow>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// One delivery.
pub async fn delivery(
    conn: &mut Conn,
    tenant: Tenant,
    id: WebhookDeliveryId,
) -> Result<Option<StoredDelivery>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM partner_deliveries d WHERE d.organization_id = $1 AND d.id = $2"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result::<DeliveryRow>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// The bytes that are sent of an event.
pub async fn payload(
    conn: &mut Conn,
    tenant: Tenant,
    event: PartnerEventId,
) -> Result<Option<String>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        payload: String,
    }
    let row: Option<Row> =
        sql("SELECT payload FROM partner_events WHERE organization_id = $1 AND id = $2")
            .bind::<SqlUuid, _>(tenant.uuid())
            .bind::<SqlUuid, _>(event.uuid())
            .get_result(conn)
            .await
            .optional()?;
    Ok(row.map(|row| row.payload))
}

/// One try of a delivery, as stored.
#[derive(Debug, Clone)]
pub struct StoredTry {
    /// Which one, from 1.
    pub number: u32,
    /// When it began.
    pub at: DateTime<Utc>,
    /// How long it took, in milliseconds; none if nobody saw its end.
    pub duration_ms: Option<i32>,
    /// What was sent as headers, signatures left out.
    pub request_headers: Value,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The answer's beginning.
    pub answer: Option<String>,
    /// Why there was none.
    pub error: Option<String>,
    /// The trace under which it was made.
    pub trace_id: Option<String>,
}

/// The tries of a delivery, the first one first: as many as its schedule has, and
/// those that a process's end interrupted; at most `limit`.
pub async fn tries(
    conn: &mut Conn,
    tenant: Tenant,
    delivery: WebhookDeliveryId,
    limit: i64,
) -> Result<Vec<StoredTry>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Integer)]
        number: i32,
        #[diesel(sql_type = Timestamptz)]
        at: DateTime<Utc>,
        #[diesel(sql_type = Nullable<Integer>)]
        duration_ms: Option<i32>,
        #[diesel(sql_type = Jsonb)]
        request_headers: Value,
        #[diesel(sql_type = Nullable<Integer>)]
        status: Option<i32>,
        #[diesel(sql_type = Nullable<Text>)]
        answer: Option<String>,
        #[diesel(sql_type = Nullable<Text>)]
        error: Option<String>,
        #[diesel(sql_type = Nullable<Text>)]
        trace_id: Option<String>,
    }
    let rows: Vec<Row> = sql(
        "SELECT number, at, duration_ms, request_headers, status, answer, error, trace_id
         FROM partner_tries WHERE organization_id = $1 AND delivery_id = $2
         ORDER BY number LIMIT $3",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(delivery.uuid())
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    let stored = |row: Row| StoredTry {
        number: u32::try_from(row.number).unwrap_or(0),
        at: row.at,
        duration_ms: row.duration_ms,
        request_headers: row.request_headers,
        status: status(row.status),
        answer: row.answer,
        error: row.error,
        trace_id: row.trace_id,
    };
    Ok(rows.into_iter().map(stored).collect())
}
