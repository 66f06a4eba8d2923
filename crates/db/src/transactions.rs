//! What payers owed.

use std::collections::HashMap;

use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::id::{ConnectionId, RecoveryId, Transaction, TransactionId};
use domain::limits::Rail;
use domain::payer::Country;
use domain::state::Provider;
use domain::transaction_ref::TransactionRef;
use domain::{Currency, Money};
use serde_json::Value;
use uuid::Uuid;

use crate::card_tries::Card;
use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

pub use list::{Listed, Standing, Wanted, list, list_from, one, one_by_ref};

/// What a report says of a transaction. What it leaves out stays as it was.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Through which of the organization's PSP accounts.
    pub connection: Option<ConnectionId>,
    /// The merchant's own payment at the PSP.
    pub payment_ref: Option<String>,
    /// The customer that the means are saved with.
    pub saved_customer: Option<String>,
    /// The saved means of payment.
    pub saved_payment_method: Option<String>,
    /// `card`, `upi`, `netbanking`, …
    pub payment_kind: Option<String>,
    /// The card's network.
    pub network: Option<String>,
    /// The card's number as the PSP knows it: the same for each means made of it.
    pub card_fingerprint: Option<String>,
    /// The country of the card's issuer.
    pub card_country: Option<Country>,
    /// The way that the money takes.
    pub rail: Option<Rail>,
    /// Where the payer gets email.
    pub payer_email: Option<String>,
    /// Where the payer gets SMS and WhatsApp messages, in E.164.
    pub payer_phone: Option<String>,
    /// What to call the payer.
    pub payer_name: Option<String>,
    /// The payer's language, as a BCP 47 tag.
    pub payer_locale: Option<String>,
    /// The payer's time zone, as an IANA name.
    pub payer_time_zone: Option<String>,
    /// The merchant's own particulars.
    pub metadata: Option<Value>,
}

/// A transaction as stored.
#[derive(Debug, Clone)]
pub struct StoredTransaction {
    /// Its id.
    pub id: TransactionId,
    /// The merchant's own name for it.
    pub transaction_ref: TransactionRef,
    /// What was owed.
    pub amount: Money,
    /// What reports said of it, put together.
    pub known: Report,
}

impl StoredTransaction {
    /// Adds what a report knows, as [`upsert`] does with the stored row.
    pub fn learn(&mut self, report: &Report) {
        fn put<T: Clone>(known: &mut Option<T>, told: Option<&T>) {
            if let Some(told) = told {
                *known = Some(told.clone());
            }
        }
        let known = &mut self.known;
        let told = report.saved_payment_method.as_ref();
        if told
            .zip(known.saved_payment_method.as_ref())
            .is_some_and(|(told, known)| told != known)
        {
            known.card_fingerprint = None;
            known.card_country = None;
        }
        put(&mut known.connection, report.connection.as_ref());
        put(&mut known.payment_ref, report.payment_ref.as_ref());
        put(&mut known.saved_customer, report.saved_customer.as_ref());
        put(&mut known.saved_payment_method, told);
        put(&mut known.payment_kind, report.payment_kind.as_ref());
        put(&mut known.network, report.network.as_ref());
        put(
            &mut known.card_fingerprint,
            report.card_fingerprint.as_ref(),
        );
        put(&mut known.card_country, report.card_country.as_ref());
        put(&mut known.rail, report.rail.as_ref());
        put(&mut known.payer_email, report.payer_email.as_ref());
        put(&mut known.payer_phone, report.payer_phone.as_ref());
        put(&mut known.payer_name, report.payer_name.as_ref());
        put(&mut known.payer_locale, report.payer_locale.as_ref());
        put(&mut known.payer_time_zone, report.payer_time_zone.as_ref());
        match (&mut known.metadata, &report.metadata) {
            (Some(Value::Object(known)), Some(Value::Object(told))) => {
                known.extend(told.clone());
            }
            (known, Some(told)) => *known = Some(told.clone()),
            (_, None) => {}
        }
    }

    /// The card or mandate that it was tried with and that may be charged again.
    pub fn card(&self) -> Option<Card> {
        let known = &self.known;
        Card::of(
            known.connection,
            known.card_fingerprint.as_deref(),
            known.saved_payment_method.as_deref(),
        )
    }

    /// Whether means are saved, with the merchant's own payment to confirm again.
    pub const fn has_saved_means(&self) -> bool {
        let known = &self.known;
        known.saved_payment_method.is_some()
            && known.saved_customer.is_some()
            && known.payment_ref.is_some()
    }

    /// The way that its money takes: as reported, else as the kind of means tells.
    pub fn rail(&self) -> Rail {
        let by_kind = || self.known.payment_kind.as_deref().map(Rail::from_psp);
        let by_network = || self.known.network.is_some().then_some(Rail::Card);
        let told = self.known.rail.filter(|rail| *rail != Rail::Unknown);
        told.or_else(by_kind)
            .filter(|rail| *rail != Rail::Unknown)
            .or_else(by_network)
            .unwrap_or(Rail::Unknown)
    }
}

macro_rules! columns {
    () => {
        "id AS transaction_id, transaction_ref, amount_minor, currency, connection_id,
         payment_ref, saved_customer, saved_payment_method, payment_kind, network, card_fingerprint, card_country, rail,
         payer_email, payer_phone, payer_name, payer_locale, payer_time_zone, metadata"
    };
}

// Below the columns, which they read too.
pub mod at_once;
mod list;

#[derive(QueryableByName)]
struct TransactionRow {
    #[diesel(sql_type = SqlUuid)]
    transaction_id: Uuid,
    #[diesel(sql_type = Text)]
    transaction_ref: String,
    #[diesel(sql_type = BigInt)]
    amount_minor: i64,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    connection_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    payment_ref: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    saved_customer: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    saved_payment_method: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    payment_kind: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    network: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    card_fingerprint: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    card_country: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    rail: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    payer_email: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    payer_phone: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    payer_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    payer_locale: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    payer_time_zone: Option<String>,
    #[diesel(sql_type = Jsonb)]
    metadata: Value,
}

impl TryFrom<TransactionRow> for StoredTransaction {
    type Error = DbError;
    fn try_from(row: TransactionRow) -> Result<Self, DbError> {
        Ok(Self {
            id: TransactionId::from_uuid(row.transaction_id),
            transaction_ref: TransactionRef::parse(&row.transaction_ref)
                .map_err(|fault| DbError::corrupt("transactions.transaction_ref", fault))?,
            amount: money(row.amount_minor, &row.currency)?,
            known: Report {
                connection: row.connection_id.map(ConnectionId::from_uuid),
                payment_ref: row.payment_ref,
                saved_customer: row.saved_customer,
                saved_payment_method: row.saved_payment_method,
                payment_kind: row.payment_kind,
                network: row.network,
                card_fingerprint: row.card_fingerprint,
                card_country: row
                    .card_country
                    .map(|code| Country::parse(&code))
                    .transpose()
                    .map_err(|fault| DbError::corrupt("transactions.card_country", fault))?,
                rail: row
                    .rail
                    .map(|rail| rail.parse())
                    .transpose()
                    .map_err(|fault| DbError::corrupt("transactions.rail", fault))?,
                payer_email: row.payer_email,
                payer_phone: row.payer_phone,
                payer_name: row.payer_name,
                payer_locale: row.payer_locale,
                payer_time_zone: row.payer_time_zone,
                metadata: Some(row.metadata),
            },
        })
    }
}

/// Reads stored minor units and a currency code back into money.
pub(crate) fn money(minor: i64, currency: &str) -> Result<Money, DbError> {
    let currency =
        Currency::parse(currency).map_err(|fault| DbError::corrupt("currency", fault))?;
    Money::new(minor, currency).map_err(|fault| DbError::corrupt("amount_minor", fault))
}

/// Makes the transaction of that reference, or adds what the report knows to it,
/// and locks its row until this transaction ends. Its amount never changes: the
/// one stored first is answered, for the caller to compare. Another saved means
/// is another card: what was known of the one before it is forgotten.
pub async fn upsert(
    tx: &mut Tx,
    tenant: Tenant,
    reference: &TransactionRef,
    amount: Money,
    report: &Report,
) -> Result<StoredTransaction, DbError> {
    let id = tx.new_id::<Transaction>();
    let now = tx.now();
    sql(concat!(
        "INSERT INTO transactions AS t (
           id, organization_id, transaction_ref, amount_minor, currency, connection_id,
           payment_ref, saved_customer, saved_payment_method, payment_kind, network, card_fingerprint, card_country, rail,
           payer_email, payer_phone, payer_name, payer_locale, payer_time_zone, metadata,
           created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $19, $20, $21, $12, $13, $14, $15,
                 $16, coalesce($17, '{}'), $18, $18)
         ON CONFLICT (organization_id, transaction_ref) DO UPDATE SET
           connection_id        = coalesce(EXCLUDED.connection_id, t.connection_id),
           payment_ref          = coalesce(EXCLUDED.payment_ref, t.payment_ref),
           saved_customer       = coalesce(EXCLUDED.saved_customer, t.saved_customer),
           saved_payment_method = coalesce(EXCLUDED.saved_payment_method, t.saved_payment_method),
           payment_kind         = coalesce(EXCLUDED.payment_kind, t.payment_kind),
           network              = coalesce(EXCLUDED.network, t.network),
           card_fingerprint     = CASE WHEN EXCLUDED.saved_payment_method <> t.saved_payment_method
             THEN EXCLUDED.card_fingerprint
             ELSE coalesce(EXCLUDED.card_fingerprint, t.card_fingerprint) END,
           card_country         = CASE WHEN EXCLUDED.saved_payment_method <> t.saved_payment_method
             THEN EXCLUDED.card_country
             ELSE coalesce(EXCLUDED.card_country, t.card_country) END,
           rail                 = coalesce(EXCLUDED.rail, t.rail),
           payer_email          = coalesce(EXCLUDED.payer_email, t.payer_email),
           payer_phone          = coalesce(EXCLUDED.payer_phone, t.payer_phone),
           payer_name           = coalesce(EXCLUDED.payer_name, t.payer_name),
           payer_locale         = coalesce(EXCLUDED.payer_locale, t.payer_locale),
           payer_time_zone      = coalesce(EXCLUDED.payer_time_zone, t.payer_time_zone),
           metadata             = t.metadata || EXCLUDED.metadata,
           updated_at           = EXCLUDED.updated_at
         RETURNING ",
        columns!()
    ))
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(reference.as_str())
    .bind::<BigInt, _>(amount.minor())
    .bind::<Text, _>(amount.currency().code())
    .bind::<Nullable<SqlUuid>, _>(report.connection.map(domain::Id::uuid))
    .bind::<Nullable<Text>, _>(report.payment_ref.as_deref())
    .bind::<Nullable<Text>, _>(report.saved_customer.as_deref())
    .bind::<Nullable<Text>, _>(report.saved_payment_method.as_deref())
    .bind::<Nullable<Text>, _>(report.payment_kind.as_deref())
    .bind::<Nullable<Text>, _>(report.network.as_deref())
    .bind::<Nullable<Text>, _>(report.payer_email.as_deref())
    .bind::<Nullable<Text>, _>(report.payer_phone.as_deref())
    .bind::<Nullable<Text>, _>(report.payer_name.as_deref())
    .bind::<Nullable<Text>, _>(report.payer_locale.as_deref())
    .bind::<Nullable<Text>, _>(report.payer_time_zone.as_deref())
    .bind::<Nullable<Jsonb>, _>(report.metadata.as_ref())
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<Text>, _>(report.card_fingerprint.as_deref())
    .bind::<Nullable<Text>, _>(report.card_country.map(Country::as_str))
    .bind::<Nullable<Text>, _>(report.rail.map(Rail::as_str))
    .get_result::<TransactionRow>(tx.conn())
    .await?
    .try_into()
}

/// Makes a transaction that is to be watched; nothing if the reference is taken.
pub async fn create(
    tx: &mut Tx,
    tenant: Tenant,
    reference: &TransactionRef,
    amount: Money,
    report: &Report,
) -> Result<Option<TransactionId>, DbError> {
    let id = tx.new_id::<Transaction>();
    let now = tx.now();
    let made = sql("INSERT INTO transactions (
           id, organization_id, transaction_ref, amount_minor, currency, card_fingerprint,
           card_country, rail, payer_email, payer_phone, payer_name, payer_locale, payer_time_zone,
           metadata, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, coalesce($14, '{}'), $15,
                 $15)
         ON CONFLICT (organization_id, transaction_ref) DO NOTHING")
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(reference.as_str())
    .bind::<BigInt, _>(amount.minor())
    .bind::<Text, _>(amount.currency().code())
    .bind::<Nullable<Text>, _>(report.card_fingerprint.as_deref())
    .bind::<Nullable<Text>, _>(report.card_country.map(Country::as_str))
    .bind::<Nullable<Text>, _>(report.rail.map(Rail::as_str))
    .bind::<Nullable<Text>, _>(report.payer_email.as_deref())
    .bind::<Nullable<Text>, _>(report.payer_phone.as_deref())
    .bind::<Nullable<Text>, _>(report.payer_name.as_deref())
    .bind::<Nullable<Text>, _>(report.payer_locale.as_deref())
    .bind::<Nullable<Text>, _>(report.payer_time_zone.as_deref())
    .bind::<Nullable<Jsonb>, _>(report.metadata.as_ref())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok((made == 1).then_some(id))
}

/// The transaction of that reference.
pub async fn by_ref(
    conn: &mut Conn,
    tenant: Tenant,
    reference: &TransactionRef,
) -> Result<Option<StoredTransaction>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM transactions WHERE organization_id = $1 AND transaction_ref = $2"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(reference.as_str())
    .get_result::<TransactionRow>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// The transaction of that id.
pub async fn find(
    mut conn: &Conn,
    tenant: Tenant,
    id: TransactionId,
) -> Result<Option<StoredTransaction>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM transactions WHERE organization_id = $1 AND id = $2"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result::<TransactionRow>(&mut conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// The transaction that a recovery is about.
pub async fn of_recovery(
    conn: &mut Conn,
    tenant: Tenant,
    recovery: RecoveryId,
) -> Result<Option<StoredTransaction>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM transactions WHERE organization_id = $1 AND id = (
            SELECT transaction_id FROM recoveries WHERE organization_id = $1 AND id = $2)"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .get_result::<TransactionRow>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// These transactions, in one read.
pub async fn many(
    conn: &mut Conn,
    tenant: Tenant,
    ids: &[TransactionId],
) -> Result<HashMap<TransactionId, StoredTransaction>, DbError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<TransactionRow> = sql(concat!(
        "SELECT ",
        columns!(),
        " FROM transactions WHERE organization_id = $1 AND id = ANY ($2)"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)
    .await?;
    let transactions = rows.into_iter().map(StoredTransaction::try_from);
    let of = |transaction: StoredTransaction| (transaction.id, transaction);
    transactions.map(|it| it.map(of)).collect()
}

/// The merchant's names of these transactions, in one read.
pub async fn refs_of(
    conn: &mut Conn,
    tenant: Tenant,
    transactions: &[TransactionId],
) -> Result<HashMap<TransactionId, TransactionRef>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Text)]
        transaction_ref: String,
    }
    let ids: Vec<Uuid> = transactions.iter().map(|id| id.uuid()).collect();
    let rows = sql("SELECT id, transaction_ref FROM transactions
         WHERE organization_id = $1 AND id = ANY ($2)")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Array<SqlUuid>, _>(ids)
    .load::<Row>(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let reference = TransactionRef::parse(&row.transaction_ref)
                .map_err(|fault| DbError::corrupt("transactions.transaction_ref", fault))?;
            Ok((TransactionId::from_uuid(row.id), reference))
        })
        .collect()
}

/// Records which objects at a PSP belong to a transaction. An object that
/// belongs to another transaction keeps to it.
pub async fn claim_objects(
    conn: &mut Conn,
    tenant: Tenant,
    provider: Provider,
    objects: &[&str],
    transaction: TransactionId,
) -> Result<(), DbError> {
    if objects.is_empty() {
        return Ok(());
    }
    sql(
        "INSERT INTO psp_objects (organization_id, provider, object_id, transaction_id)
         SELECT $1, $2, object_id, $4 FROM unnest($3) AS object_id
         ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(provider.as_str())
    .bind::<Array<Text>, _>(objects)
    .bind::<SqlUuid, _>(transaction.uuid())
    .execute(conn)
    .await?;
    Ok(())
}

/// The transaction that one of these objects at a PSP belongs to.
pub async fn by_object(
    conn: &mut Conn,
    tenant: Tenant,
    provider: Provider,
    objects: &[&str],
) -> Result<Option<TransactionId>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        transaction_id: Uuid,
    }
    // Object by object, so that only the whole key will do: on a table that was
    // never analyzed, `= ANY` may walk all that the organization has.
    let row: Option<Row> = sql("SELECT found.transaction_id
         FROM unnest($3) AS wanted (object_id)
         CROSS JOIN LATERAL (
           SELECT o.transaction_id FROM psp_objects o
           WHERE o.organization_id = $1 AND o.provider = $2 AND o.object_id = wanted.object_id
           LIMIT 1) AS found
         LIMIT 1")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(provider.as_str())
    .bind::<Array<Text>, _>(objects)
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.map(|row| TransactionId::from_uuid(row.transaction_id)))
}

/// The objects at a PSP that are known to belong to a transaction; at most `limit`.
pub async fn objects_of(
    conn: &mut Conn,
    tenant: Tenant,
    transaction: TransactionId,
    provider: Provider,
    limit: i64,
) -> Result<Vec<String>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        object_id: String,
    }
    let rows = sql("SELECT object_id FROM psp_objects
         WHERE organization_id = $1 AND transaction_id = $2 AND provider = $3
         ORDER BY object_id LIMIT $4")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(transaction.uuid())
    .bind::<Text, _>(provider.as_str())
    .bind::<BigInt, _>(limit)
    .load::<Row>(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.object_id).collect())
}
