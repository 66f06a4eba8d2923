//! Reports that a payment failed. Immutable.

pub mod at_once;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::classification::{Category, Classification, FailureSource, Hardness, Signals};
use domain::id::{FailureEvent, FailureEventId, RecoveryId, TransactionId};
use serde_json::Value;
use uuid::Uuid;

use crate::sql::{CLOCK_SKEW, sql};
use crate::{Conn, DbError, Tenant, Tx};

/// What a report says went wrong.
#[derive(Debug, Clone)]
pub struct NewFailure {
    /// `stripe`, `razorpay` or `api`.
    pub source: String,
    /// The gateway that the merchant named.
    pub gateway: Option<String>,
    /// The reason as reported.
    pub reason: String,
    /// The decline code.
    pub code: Option<String>,
    /// The PSP's advice code.
    pub advice_code: Option<String>,
    /// The network's decline code.
    pub network_decline_code: Option<String>,
    /// The network's advice code.
    pub network_advice_code: Option<String>,
    /// The PSP's sentence.
    pub message: Option<String>,
    /// The merchant's own particulars.
    pub metadata: Value,
    /// When the payment failed.
    pub occurred_at: DateTime<Utc>,
}

impl NewFailure {
    /// What it said, as classification takes it. What the transaction knows
    /// besides is for the caller to add.
    pub fn signals(&self) -> Signals<'_> {
        Signals {
            gateway: self.gateway.as_deref(),
            code: self.code.as_deref(),
            advice_code: self.advice_code.as_deref(),
            network_decline_code: self.network_decline_code.as_deref(),
            network_advice_code: self.network_advice_code.as_deref(),
            message: self.message.as_deref(),
            failed_on: Some(self.occurred_at.date_naive()),
            ..Signals::new(self.source.parse().unwrap_or(FailureSource::Api))
        }
    }
}

/// A failure event as stored.
#[derive(Debug, Clone)]
pub struct StoredFailure {
    /// Its id.
    pub id: FailureEventId,
    /// What was owed.
    pub transaction: TransactionId,
    /// The effort that it belongs to.
    pub recovery: RecoveryId,
    /// What was reported.
    pub report: NewFailure,
    /// What we made of it.
    pub category: Category,
    /// Whether the same means may do later.
    pub hardness: Hardness,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
}

/// Reserves the key that makes two reports the same failure. If another report
/// had it, answers that one's event.
pub async fn claim_key(
    tx: &mut Tx,
    tenant: Tenant,
    source: &str,
    key: &str,
) -> Result<Result<FailureEventId, FailureEventId>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        failure_event_id: Uuid,
    }
    let id = tx.new_id::<FailureEvent>();
    let now = tx.now();
    let inserted = sql(
        "INSERT INTO failure_keys (organization_id, source, key, failure_event_id, created_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(source)
    .bind::<Text, _>(key)
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    if inserted == 1 {
        return Ok(Ok(id));
    }
    let earlier: Row = sql("SELECT failure_event_id FROM failure_keys
         WHERE organization_id = $1 AND source = $2 AND key = $3")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(source)
    .bind::<Text, _>(key)
    .get_result(tx.conn())
    .await?;
    Ok(Err(FailureEventId::from_uuid(earlier.failure_event_id)))
}

/// Records a report.
pub async fn add(
    tx: &mut Tx,
    tenant: Tenant,
    id: FailureEventId,
    transaction: TransactionId,
    recovery: RecoveryId,
    failure: &NewFailure,
    classification: &Classification,
) -> Result<(), DbError> {
    let now = tx.now();
    sql("INSERT INTO failure_events (
           id, organization_id, transaction_id, recovery_id, source, gateway, reason, code,
           advice_code, network_decline_code, network_advice_code, message, category, hardness,
           decided_by, metadata, occurred_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)")
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(transaction.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .bind::<Text, _>(failure.source.as_str())
    .bind::<Nullable<Text>, _>(failure.gateway.as_deref())
    .bind::<Text, _>(failure.reason.as_str())
    .bind::<Nullable<Text>, _>(failure.code.as_deref())
    .bind::<Nullable<Text>, _>(failure.advice_code.as_deref())
    .bind::<Nullable<Text>, _>(failure.network_decline_code.as_deref())
    .bind::<Nullable<Text>, _>(failure.network_advice_code.as_deref())
    .bind::<Nullable<Text>, _>(failure.message.as_deref())
    .bind::<Text, _>(classification.category.as_str())
    .bind::<Text, _>(classification.hardness.as_str())
    .bind::<Text, _>(classification.decided_by)
    .bind::<Jsonb, _>(&failure.metadata)
    .bind::<Timestamptz, _>(failure.occurred_at)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

macro_rules! columns {
    () => {
        "id, transaction_id, recovery_id, source, gateway, reason, code, advice_code,
         network_decline_code, network_advice_code, message, category, hardness, metadata,
         occurred_at, created_at"
    };
}

#[derive(QueryableByName)]
struct FailureRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    transaction_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    recovery_id: Uuid,
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Nullable<Text>)]
    gateway: Option<String>,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Nullable<Text>)]
    code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    advice_code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    network_decline_code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    network_advice_code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    message: Option<String>,
    #[diesel(sql_type = Text)]
    category: String,
    #[diesel(sql_type = Text)]
    hardness: String,
    #[diesel(sql_type = Jsonb)]
    metadata: Value,
    #[diesel(sql_type = Timestamptz)]
    occurred_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

impl TryFrom<FailureRow> for StoredFailure {
    type Error = DbError;
    fn try_from(row: FailureRow) -> Result<Self, DbError> {
        Ok(Self {
            id: FailureEventId::from_uuid(row.id),
            transaction: TransactionId::from_uuid(row.transaction_id),
            recovery: RecoveryId::from_uuid(row.recovery_id),
            category: row
                .category
                .parse()
                .map_err(|fault| DbError::corrupt("failure_events.category", fault))?,
            hardness: row
                .hardness
                .parse()
                .map_err(|fault| DbError::corrupt("failure_events.hardness", fault))?,
            created_at: row.created_at,
            report: NewFailure {
                source: row.source,
                gateway: row.gateway,
                reason: row.reason,
                code: row.code,
                advice_code: row.advice_code,
                network_decline_code: row.network_decline_code,
                network_advice_code: row.network_advice_code,
                message: row.message,
                metadata: row.metadata,
                occurred_at: row.occurred_at,
            },
        })
    }
}

/// The event of that id.
pub async fn find(
    conn: &mut Conn,
    tenant: Tenant,
    id: FailureEventId,
) -> Result<Option<StoredFailure>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM failure_events WHERE organization_id = $1 AND id = $2"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result::<FailureRow>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// The newest event of a recovery.
pub async fn newest(
    mut conn: &Conn,
    tenant: Tenant,
    recovery: RecoveryId,
) -> Result<Option<StoredFailure>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM failure_events WHERE organization_id = $1 AND recovery_id = $2
         ORDER BY id DESC LIMIT 1"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .get_result::<FailureRow>(&mut conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// The events of a transaction, oldest first; at most 200.
pub async fn of_transaction(
    conn: &mut Conn,
    tenant: Tenant,
    transaction: TransactionId,
) -> Result<Vec<StoredFailure>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM failure_events WHERE organization_id = $1 AND transaction_id = $2
         ORDER BY id LIMIT 200"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(transaction.uuid())
    .load::<FailureRow>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// The event that opened each of these recoveries, none of which opened before
/// `since`.
pub async fn first_of(
    conn: &mut Conn,
    tenant: Tenant,
    recoveries: &[RecoveryId],
    since: DateTime<Utc>,
) -> Result<HashMap<RecoveryId, StoredFailure>, DbError> {
    let ids: Vec<Uuid> = recoveries.iter().map(|id| id.uuid()).collect();
    let rows: Vec<FailureRow> = sql(concat!(
        "SELECT DISTINCT ON (recovery_id) ",
        columns!(),
        " FROM failure_events
         WHERE organization_id = $1 AND recovery_id = ANY ($2) AND id >= uuid7_floor($3)
         ORDER BY recovery_id, id"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Timestamptz, _>(since - CLOCK_SKEW)
    .load(conn)
    .await?;
    let events = rows.into_iter().map(StoredFailure::try_from);
    let of = |event: StoredFailure| (event.recovery, event);
    events.map(|event| event.map(of)).collect()
}
