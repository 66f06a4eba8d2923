//! Many reports at once: a few statements, however many.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::classification::Classification;
use domain::id::{FailureEventId, RecoveryId, TransactionId};
use serde_json::Value;
use uuid::Uuid;

use super::NewFailure;
use crate::sql::sql;
use crate::{DbError, Tenant, Tx};

/// What was reported under a key before.
#[derive(Debug, Clone, Copy)]
pub struct Earlier {
    /// The event.
    pub failure: FailureEventId,
    /// What was owed.
    pub transaction: TransactionId,
    /// The effort that it belongs to.
    pub recovery: RecoveryId,
}

/// The events that were reported under these keys.
pub async fn earlier(
    tx: &mut Tx,
    tenant: Tenant,
    source: &str,
    keys: &[&str],
) -> Result<HashMap<String, Earlier>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        key: String,
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = SqlUuid)]
        transaction_id: Uuid,
        #[diesel(sql_type = SqlUuid)]
        recovery_id: Uuid,
    }
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Row> = sql("SELECT k.key, f.id, f.transaction_id, f.recovery_id
         FROM failure_keys k
         JOIN failure_events f ON f.id = k.failure_event_id AND f.organization_id = k.organization_id
         WHERE k.organization_id = $1 AND k.source = $2 AND k.key = ANY ($3)")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(source)
    .bind::<Array<Text>, _>(keys)
    .load(tx.conn())
    .await?;
    let earlier = rows.into_iter().map(|row| {
        let earlier = Earlier {
            failure: FailureEventId::from_uuid(row.id),
            transaction: TransactionId::from_uuid(row.transaction_id),
            recovery: RecoveryId::from_uuid(row.recovery_id),
        };
        (row.key, earlier)
    });
    Ok(earlier.collect())
}

/// Reserves keys, as [`super::claim_key`] does one. False, and the caller has to
/// begin anew, if somebody reserved one of them meanwhile.
pub async fn claim(
    tx: &mut Tx,
    tenant: Tenant,
    source: &str,
    keys: &[(&str, FailureEventId)],
) -> Result<bool, DbError> {
    if keys.is_empty() {
        return Ok(true);
    }
    let now = tx.now();
    let mut sorted = keys.to_vec();
    sorted.sort_by_key(|(key, _)| *key);
    let (names, ids): (Vec<&str>, Vec<Uuid>) =
        sorted.iter().map(|(key, id)| (*key, id.uuid())).unzip();
    let claimed = sql(
        "INSERT INTO failure_keys (organization_id, source, key, failure_event_id, created_at)
         SELECT $1, $2, n.key, n.id, $3 FROM unnest($4, $5) AS n (key, id)
         ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(source)
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Text>, _>(names)
    .bind::<Array<SqlUuid>, _>(ids)
    .execute(tx.conn())
    .await?;
    Ok(claimed == keys.len())
}

/// An event to add.
#[derive(Debug, Clone, Copy)]
pub struct NewEvent<'a> {
    /// Its id.
    pub id: FailureEventId,
    /// What was owed.
    pub transaction: TransactionId,
    /// The effort that it belongs to.
    pub recovery: RecoveryId,
    /// What was reported.
    pub failure: &'a NewFailure,
    /// What that means.
    pub classification: &'a Classification,
}

/// Adds events, as [`super::add`] does one.
pub async fn add(tx: &mut Tx, tenant: Tenant, new: &[NewEvent<'_>]) -> Result<(), DbError> {
    if new.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let ids = |id: fn(&NewEvent<'_>) -> Uuid| -> Vec<Uuid> { new.iter().map(id).collect() };
    let text =
        |of: for<'b> fn(&'b NewEvent<'_>) -> &'b str| -> Vec<&str> { new.iter().map(of).collect() };
    let optional = |of: for<'b> fn(&'b NewFailure) -> Option<&'b str>| -> Vec<Option<&str>> {
        new.iter().map(|new| of(new.failure)).collect()
    };
    let metadata: Vec<&Value> = new.iter().map(|new| &new.failure.metadata).collect();
    let times: Vec<DateTime<Utc>> = new.iter().map(|new| new.failure.occurred_at).collect();
    sql("INSERT INTO failure_events (
           id, organization_id, transaction_id, recovery_id, source, gateway, reason, code,
           advice_code, network_decline_code, network_advice_code, message, category, hardness,
           decided_by, metadata, occurred_at, created_at)
         SELECT n.id, $1, n.transaction_id, n.recovery_id, n.source, n.gateway, n.reason, n.code,
                n.advice_code, n.network_decline_code, n.network_advice_code, n.message,
                n.category, n.hardness, n.decided_by, n.metadata, n.occurred_at, $2
         FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
              AS n (id, transaction_id, recovery_id, source, gateway, reason, code, advice_code,
                    network_decline_code, network_advice_code, message, category, hardness,
                    decided_by, metadata, occurred_at)")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<SqlUuid>, _>(ids(|new| new.id.uuid()))
    .bind::<Array<SqlUuid>, _>(ids(|new| new.transaction.uuid()))
    .bind::<Array<SqlUuid>, _>(ids(|new| new.recovery.uuid()))
    .bind::<Array<Text>, _>(text(|new| new.failure.source.as_str()))
    .bind::<Array<Nullable<Text>>, _>(optional(|it| it.gateway.as_deref()))
    .bind::<Array<Text>, _>(text(|new| new.failure.reason.as_str()))
    .bind::<Array<Nullable<Text>>, _>(optional(|it| it.code.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(optional(|it| it.advice_code.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(optional(|it| it.network_decline_code.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(optional(|it| it.network_advice_code.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(optional(|it| it.message.as_deref()))
    .bind::<Array<Text>, _>(text(|new| new.classification.category.as_str()))
    .bind::<Array<Text>, _>(text(|new| new.classification.hardness.as_str()))
    .bind::<Array<Text>, _>(text(|new| new.classification.decided_by))
    .bind::<Array<Jsonb>, _>(metadata)
    .bind::<Array<Timestamptz>, _>(times)
    .execute(tx.conn())
    .await?;
    Ok(())
}
