//! Many transactions at once: a few statements, however many.
//!
//! Rows are locked in the order of their references by whoever locks several, so
//! that two batches wait for each other and never for ever.

use std::collections::HashMap;

use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::limits::Rail;
use domain::{Currency, TransactionRef};
use serde_json::Value;
use uuid::Uuid;

use super::{StoredTransaction, TransactionRow};
use crate::sql::sql;
use crate::{DbError, Tenant, Tx};

/// The transactions of these references that there are, locked until this
/// transaction ends.
pub async fn lock(
    tx: &mut Tx,
    tenant: Tenant,
    references: &[&TransactionRef],
) -> Result<HashMap<TransactionRef, StoredTransaction>, DbError> {
    let references: Vec<&str> = references.iter().map(|it| it.as_str()).collect();
    let rows: Vec<TransactionRow> = sql(concat!(
        "SELECT ",
        columns!(),
        " FROM transactions WHERE organization_id = $1 AND transaction_ref = ANY ($2)
         ORDER BY transaction_ref FOR UPDATE"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Array<Text>, _>(references)
    .load(tx.conn())
    .await?;
    let stored = rows.into_iter().map(StoredTransaction::try_from);
    let of = |stored: StoredTransaction| (stored.transaction_ref.clone(), stored);
    stored.map(|stored| stored.map(of)).collect()
}

/// Columns of the rows, side by side.
struct Columns<'a> {
    ids: Vec<Uuid>,
    references: Vec<&'a str>,
    amounts: Vec<i64>,
    currencies: Vec<&'a str>,
    fingerprints: Vec<Option<&'a str>>,
    countries: Vec<Option<&'a str>>,
    rails: Vec<Option<&'a str>>,
    emails: Vec<Option<&'a str>>,
    phones: Vec<Option<&'a str>>,
    names: Vec<Option<&'a str>>,
    locales: Vec<Option<&'a str>>,
    zones: Vec<Option<&'a str>>,
    metadata: Vec<Value>,
}

impl<'a> Columns<'a> {
    fn of(rows: &[&'a StoredTransaction]) -> Self {
        let mut rows = rows.to_vec();
        rows.sort_by_key(|row| row.transaction_ref.as_str());
        let known = || rows.iter().map(|row| &row.known);
        Self {
            ids: rows.iter().map(|row| row.id.uuid()).collect(),
            references: rows
                .iter()
                .map(|row| row.transaction_ref.as_str())
                .collect(),
            amounts: rows.iter().map(|row| row.amount.minor()).collect(),
            currencies: rows
                .iter()
                .map(|row| Currency::code(row.amount.currency()))
                .collect(),
            fingerprints: known().map(|it| it.card_fingerprint.as_deref()).collect(),
            countries: known()
                .map(|it| it.card_country.as_ref().map(|country| country.as_str()))
                .collect(),
            rails: known().map(|it| it.rail.map(Rail::as_str)).collect(),
            emails: known().map(|it| it.payer_email.as_deref()).collect(),
            phones: known().map(|it| it.payer_phone.as_deref()).collect(),
            names: known().map(|it| it.payer_name.as_deref()).collect(),
            locales: known().map(|it| it.payer_locale.as_deref()).collect(),
            zones: known().map(|it| it.payer_time_zone.as_deref()).collect(),
            metadata: known()
                .map(|it| {
                    it.metadata
                        .clone()
                        .unwrap_or_else(|| Value::Object(serde_json::Map::default()))
                })
                .collect(),
        }
    }
}

/// Makes transactions. False, and the caller has to begin anew, if somebody made
/// one of them meanwhile.
pub async fn make(
    tx: &mut Tx,
    tenant: Tenant,
    rows: &[&StoredTransaction],
) -> Result<bool, DbError> {
    if rows.is_empty() {
        return Ok(true);
    }
    let now = tx.now();
    let columns = Columns::of(rows);
    let made = sql("INSERT INTO transactions (
           id, organization_id, transaction_ref, amount_minor, currency, card_fingerprint,
           card_country, rail, payer_email, payer_phone, payer_name, payer_locale, payer_time_zone,
           metadata, created_at, updated_at)
         SELECT n.id, $1, n.reference, n.amount, n.currency, n.fingerprint, n.country, n.rail,
                n.email, n.phone, n.name, n.locale, n.zone, n.metadata, $2, $2
         FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
              AS n (id, reference, amount, currency, fingerprint, country, rail, email, phone, name,
                    locale, zone, metadata)
         ON CONFLICT (organization_id, transaction_ref) DO NOTHING")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<SqlUuid>, _>(columns.ids)
    .bind::<Array<Text>, _>(columns.references)
    .bind::<Array<BigInt>, _>(columns.amounts)
    .bind::<Array<Text>, _>(columns.currencies)
    .bind::<Array<Nullable<Text>>, _>(columns.fingerprints)
    .bind::<Array<Nullable<Text>>, _>(columns.countries)
    .bind::<Array<Nullable<Text>>, _>(columns.rails)
    .bind::<Array<Nullable<Text>>, _>(columns.emails)
    .bind::<Array<Nullable<Text>>, _>(columns.phones)
    .bind::<Array<Nullable<Text>>, _>(columns.names)
    .bind::<Array<Nullable<Text>>, _>(columns.locales)
    .bind::<Array<Nullable<Text>>, _>(columns.zones)
    .bind::<Array<Jsonb>, _>(columns.metadata)
    .execute(tx.conn())
    .await?;
    Ok(made == rows.len())
}

/// Stores what was learned of transactions that are locked.
pub async fn store(
    tx: &mut Tx,
    tenant: Tenant,
    rows: &[&StoredTransaction],
) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let columns = Columns::of(rows);
    sql("UPDATE transactions t SET
           card_fingerprint = n.fingerprint, card_country = n.country, rail = n.rail,
           payer_email = n.email, payer_phone = n.phone, payer_name = n.name,
           payer_locale = n.locale, payer_time_zone = n.zone, metadata = n.metadata,
           updated_at = $2
         FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
              AS n (id, fingerprint, country, rail, email, phone, name, locale, zone, metadata)
         WHERE t.organization_id = $1 AND t.id = n.id")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<SqlUuid>, _>(columns.ids)
    .bind::<Array<Nullable<Text>>, _>(columns.fingerprints)
    .bind::<Array<Nullable<Text>>, _>(columns.countries)
    .bind::<Array<Nullable<Text>>, _>(columns.rails)
    .bind::<Array<Nullable<Text>>, _>(columns.emails)
    .bind::<Array<Nullable<Text>>, _>(columns.phones)
    .bind::<Array<Nullable<Text>>, _>(columns.names)
    .bind::<Array<Nullable<Text>>, _>(columns.locales)
    .bind::<Array<Nullable<Text>>, _>(columns.zones)
    .bind::<Array<Jsonb>, _>(columns.metadata)
    .execute(tx.conn())
    .await?;
    Ok(())
}
