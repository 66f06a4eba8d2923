//! Many recoveries at once: a few statements, however many.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::classification::{Category, Hardness};
use domain::id::{RecoveryId, TransactionId};
use uuid::Uuid;

use super::{NewRecovery, RecoveryRow, StoredRecovery};
use crate::sql::sql;
use crate::{DbError, Tenant, Trace, Tx};

/// The newest recovery of each of these transactions, locked until this
/// transaction ends. The caller holds the transactions' rows.
pub async fn newest(
    tx: &mut Tx,
    tenant: Tenant,
    transactions: &[TransactionId],
) -> Result<HashMap<TransactionId, StoredRecovery>, DbError> {
    let mut ids: Vec<Uuid> = transactions.iter().map(|id| id.uuid()).collect();
    ids.sort_unstable();
    let rows: Vec<RecoveryRow> = sql(concat!(
        "SELECT r.* FROM unnest($2) AS wanted (transaction_id)
         CROSS JOIN LATERAL (
           SELECT ",
        columns!(),
        " FROM recoveries r
           WHERE r.organization_id = $1 AND r.transaction_id = wanted.transaction_id
           ORDER BY r.opened_at DESC, r.id DESC LIMIT 1 FOR UPDATE) AS r"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Array<SqlUuid>, _>(ids)
    .load(tx.conn())
    .await?;
    let stored = rows.into_iter().map(StoredRecovery::try_from);
    let of = |stored: StoredRecovery| (stored.transaction, stored);
    stored.map(|stored| stored.map(of)).collect()
}

/// Opens recoveries, as [`super::open`] does one.
pub async fn open(
    tx: &mut Tx,
    tenant: Tenant,
    new: &[(RecoveryId, NewRecovery, &Trace)],
) -> Result<(), DbError> {
    if new.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let ids: Vec<Uuid> = new.iter().map(|(id, ..)| id.uuid()).collect();
    let traces = new.iter().map(|(.., trace)| trace.parent.as_deref());
    let traces: Vec<Option<&str>> = traces.collect();
    let all = || new.iter().map(|(_, new, _)| new);
    let transactions: Vec<Uuid> = all().map(|new| new.transaction.uuid()).collect();
    let amounts: Vec<i64> = all().map(|new| new.amount.minor()).collect();
    let currencies: Vec<&str> = all().map(|new| new.amount.currency().code()).collect();
    let categories: Vec<&str> = all().map(|new| new.category.as_str()).collect();
    let hardnesses: Vec<&str> = all().map(|new| new.hardness.as_str()).collect();
    let policies: Vec<Option<Uuid>> = all().map(|new| new.policy.map(domain::Id::uuid)).collect();
    let closes: Vec<DateTime<Utc>> = all().map(|new| new.closes_at).collect();
    let experiments: Vec<Option<&str>> = all()
        .map(|new| new.assigned.experiment.as_deref())
        .collect();
    let variants: Vec<Option<&str>> = all().map(|new| new.assigned.variant()).collect();
    let held: Vec<bool> = all().map(|new| new.assigned.arm.hold_out).collect();
    sql("INSERT INTO recoveries (
           id, organization_id, transaction_id, state, amount_minor, currency, category, hardness,
           policy_id, opened_at, closes_at, traceparent, updated_at, experiment, variant, hold_out)
         SELECT n.id, $1, n.transaction_id, 'open', n.amount, n.currency, n.category, n.hardness,
                n.policy_id, $2, n.closes_at, n.traceparent, $2, n.experiment, n.variant, n.hold_out
         FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
              AS n (id, transaction_id, amount, currency, category, hardness, policy_id, closes_at,
                    traceparent, experiment, variant, hold_out)")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<SqlUuid>, _>(transactions)
    .bind::<Array<BigInt>, _>(amounts)
    .bind::<Array<Text>, _>(currencies)
    .bind::<Array<Text>, _>(categories)
    .bind::<Array<Text>, _>(hardnesses)
    .bind::<Array<Nullable<SqlUuid>>, _>(policies)
    .bind::<Array<Timestamptz>, _>(closes)
    .bind::<Array<Nullable<Text>>, _>(traces)
    .bind::<Array<Nullable<Text>>, _>(experiments)
    .bind::<Array<Nullable<Text>>, _>(variants)
    .bind::<Array<Bool>, _>(held)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Notes newer reasons on open recoveries, as [`super::reclassify`] does on one.
pub async fn reclassify(
    tx: &mut Tx,
    tenant: Tenant,
    newer: &[(RecoveryId, Category, Hardness)],
) -> Result<(), DbError> {
    if newer.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let ids: Vec<Uuid> = newer.iter().map(|(id, ..)| id.uuid()).collect();
    let categories: Vec<&str> = newer.iter().map(|(_, it, _)| it.as_str()).collect();
    let hardnesses: Vec<&str> = newer.iter().map(|(.., it)| it.as_str()).collect();
    sql(
        "UPDATE recoveries r SET category = n.category, hardness = n.hardness, updated_at = $2
         FROM unnest($3, $4, $5) AS n (id, category, hardness)
         WHERE r.organization_id = $1 AND r.id = n.id AND r.state = 'open'",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(categories)
    .bind::<Array<Text>, _>(hardnesses)
    .execute(tx.conn())
    .await?;
    Ok(())
}
