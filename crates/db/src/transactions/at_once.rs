//! Many transactions at once: a few statements, however many.
//!
//! Rows are locked in the order of their references by whoever locks several, so
//! that two batches wait for each other and never for ever.

use std::collections::HashMap;

use diesel::QueryableByName;
use diesel::sql_types::{
    Array, BigInt, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl;
use domain::id::TransactionId;
use domain::limits::Rail;
use domain::state::Provider;
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
    connections: Vec<Option<Uuid>>,
    payments: Vec<Option<&'a str>>,
    customers: Vec<Option<&'a str>>,
    methods: Vec<Option<&'a str>>,
    kinds: Vec<Option<&'a str>>,
    networks: Vec<Option<&'a str>>,
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
            connections: known()
                .map(|it| it.connection.map(domain::Id::uuid))
                .collect(),
            payments: known().map(|it| it.payment_ref.as_deref()).collect(),
            customers: known().map(|it| it.saved_customer.as_deref()).collect(),
            methods: known()
                .map(|it| it.saved_payment_method.as_deref())
                .collect(),
            kinds: known().map(|it| it.payment_kind.as_deref()).collect(),
            networks: known().map(|it| it.network.as_deref()).collect(),
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
           metadata, connection_id, payment_ref, saved_customer, saved_payment_method, payment_kind,
           network, created_at, updated_at)
         SELECT n.id, $1, n.reference, n.amount, n.currency, n.fingerprint, n.country, n.rail,
                n.email, n.phone, n.name, n.locale, n.zone, n.metadata, n.connection_id, n.payment,
                n.customer, n.method, n.kind, n.network, $2, $2
         FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
                     $20, $21)
              AS n (id, reference, amount, currency, fingerprint, country, rail, email, phone, name,
                    locale, zone, metadata, connection_id, payment, customer, method, kind, network)
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
    .bind::<Array<Nullable<SqlUuid>>, _>(columns.connections)
    .bind::<Array<Nullable<Text>>, _>(columns.payments)
    .bind::<Array<Nullable<Text>>, _>(columns.customers)
    .bind::<Array<Nullable<Text>>, _>(columns.methods)
    .bind::<Array<Nullable<Text>>, _>(columns.kinds)
    .bind::<Array<Nullable<Text>>, _>(columns.networks)
    .execute(tx.conn())
    .await?;
    Ok(made == rows.len())
}

/// Records which objects at a PSP belong to which transaction, as
/// [`super::claim_objects`] does for one.
pub async fn claim_objects(
    tx: &mut Tx,
    tenant: Tenant,
    objects: &[(Provider, &str, TransactionId)],
) -> Result<(), DbError> {
    if objects.is_empty() {
        return Ok(());
    }
    let mut sorted = objects.to_vec();
    sorted.sort_by_key(|(_, object, _)| *object);
    let providers: Vec<&str> = sorted.iter().map(|(it, ..)| it.as_str()).collect();
    let names: Vec<&str> = sorted.iter().map(|(_, object, _)| *object).collect();
    let ids: Vec<Uuid> = sorted.iter().map(|(.., id)| id.uuid()).collect();
    sql(
        "INSERT INTO psp_objects (organization_id, provider, object_id, transaction_id)
         SELECT $1, n.provider, n.object_id, n.transaction_id
         FROM unnest($2, $3, $4) AS n (provider, object_id, transaction_id)
         ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Array<Text>, _>(providers)
    .bind::<Array<Text>, _>(names)
    .bind::<Array<SqlUuid>, _>(ids)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The places of the payments, given by all their objects at a PSP and by their
/// reference, of which nothing at all is known: no transaction has the reference or an
/// object, and no object is of a payment that is settled or on its way. The caller has
/// the objects' turn (`paid::take_turns`), so that this holds until it commits.
pub async fn unheard_of(
    tx: &mut Tx,
    tenant: Tenant,
    provider: Provider,
    references: &[&str],
    objects: &[(i32, &str)],
) -> Result<Vec<i32>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Integer)]
        place: i32,
    }
    let (places, names): (Vec<i32>, Vec<&str>) = objects.iter().copied().unzip();
    // Object by object, as in `by_object`: whatever the statistics say, by its index.
    let rows: Vec<Row> = sql("WITH object AS (
           SELECT place, object_id FROM unnest($4, $5) AS n (place, object_id)
         ), heard AS (
           SELECT place FROM object CROSS JOIN LATERAL (
             SELECT 1 FROM psp_objects p WHERE p.organization_id = $1 AND p.provider = $2
               AND p.object_id = object.object_id LIMIT 1) AS found
           UNION ALL
           SELECT place FROM object CROSS JOIN LATERAL (
             SELECT 1 FROM paid_objects p WHERE p.organization_id = $1 AND p.provider = $2
               AND p.object_id = object.object_id LIMIT 1) AS found
           UNION ALL
           SELECT place FROM object CROSS JOIN LATERAL (
             SELECT 1 FROM payments_underway u WHERE u.organization_id = $1 AND u.provider = $2
               AND u.payment_id = object.object_id LIMIT 1) AS found
           UNION ALL
           SELECT place FROM object CROSS JOIN LATERAL (
             SELECT 1 FROM payments_underway u WHERE u.organization_id = $1 AND u.provider = $2
               AND u.bill = object.object_id AND u.transaction_id IS NULL LIMIT 1) AS found
           UNION ALL
           SELECT (n.place - 1)::integer FROM unnest($3) WITH ORDINALITY AS n (reference, place)
           CROSS JOIN LATERAL (
             SELECT 1 FROM transactions t WHERE t.organization_id = $1
               AND t.transaction_ref = n.reference LIMIT 1) AS found)
         SELECT n.place FROM generate_series(0, cardinality($3) - 1) AS n (place)
         WHERE n.place NOT IN (SELECT place FROM heard)")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(provider.as_str())
    .bind::<Array<Text>, _>(references)
    .bind::<Array<Integer>, _>(places)
    .bind::<Array<Text>, _>(names)
    .load(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| row.place).collect())
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
