//! Transactions as partners of the older system list them: by `limit` and `offset`.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::id::{Transaction, TransactionId};
use domain::{Currency, EmailAddress, Money, PhoneNumber, TransactionRef};
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// A transaction as it is listed.
#[derive(Debug, Clone)]
pub struct ListedTransaction {
    /// Its id.
    pub id: TransactionId,
    /// The merchant's own name for it.
    pub transaction_ref: TransactionRef,
    /// What was owed.
    pub amount: Money,
    /// Where the payer gets email.
    pub payer_email: Option<String>,
    /// Where the payer gets SMS and WhatsApp messages.
    pub payer_phone: Option<String>,
    /// `watched`, else the state of its newest recovery.
    pub status: String,
    /// When it became known.
    pub created_at: DateTime<Utc>,
}

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
    #[diesel(sql_type = Nullable<Text>)]
    payer_email: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    payer_phone: Option<String>,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

impl TryFrom<Row> for ListedTransaction {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let currency = Currency::parse(&row.currency)
            .map_err(|fault| DbError::corrupt("transactions.currency", fault))?;
        Ok(Self {
            id: TransactionId::from_uuid(row.id),
            transaction_ref: TransactionRef::parse(&row.transaction_ref)
                .map_err(|fault| DbError::corrupt("transactions.transaction_ref", fault))?,
            amount: Money::new(row.amount_minor, currency)
                .map_err(|fault| DbError::corrupt("transactions.amount_minor", fault))?,
            payer_email: row.payer_email,
            payer_phone: row.payer_phone,
            status: row.status,
            created_at: row.created_at,
        })
    }
}

/// The newest recovery is looked for by a column that no index on all of the
/// organization's recoveries has, so that only the transaction's own are read.
macro_rules! with_status {
    ($from:literal) => {
        concat!(
            "SELECT t.id, t.transaction_ref, t.amount_minor, t.currency, t.payer_email,
                    t.payer_phone, t.created_at,
                    coalesce((SELECT r.state FROM recoveries r
                              WHERE r.organization_id = t.organization_id
                                AND r.transaction_id = t.id
                              ORDER BY r.opened_at DESC, r.id DESC LIMIT 1), 'watched') AS status
             FROM ",
            $from
        )
    };
}

/// The organization's transactions, newest first. What `offset` passes over is
/// read in the index, so it is for the caller to bound it.
pub async fn list(
    conn: &mut Conn,
    tenant: Tenant,
    limit: i64,
    offset: i64,
) -> Result<Vec<ListedTransaction>, DbError> {
    sql(with_status!(
        "(SELECT * FROM transactions WHERE organization_id = $1
          ORDER BY id DESC LIMIT $2 OFFSET $3) AS t ORDER BY t.id DESC"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<BigInt, _>(limit)
    .bind::<BigInt, _>(offset)
    .load::<Row>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// The transaction that the merchant calls so.
pub async fn by_ref(
    conn: &mut Conn,
    tenant: Tenant,
    reference: &TransactionRef,
) -> Result<Option<ListedTransaction>, DbError> {
    sql(with_status!(
        "transactions t WHERE t.organization_id = $1 AND t.transaction_ref = $2"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(reference.as_str())
    .get_result::<Row>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// Makes a transaction that is watched; nothing if its reference is taken.
pub async fn make(
    tx: &mut Tx,
    tenant: Tenant,
    reference: &TransactionRef,
    amount: Money,
    email: Option<&EmailAddress>,
    phone: Option<&PhoneNumber>,
) -> Result<Option<ListedTransaction>, DbError> {
    let id = tx.new_id::<Transaction>();
    let now = tx.now();
    sql(
        "INSERT INTO transactions (id, organization_id, transaction_ref, amount_minor, currency,
                                   payer_email, payer_phone, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
         ON CONFLICT (organization_id, transaction_ref) DO NOTHING
         RETURNING id, transaction_ref, amount_minor, currency, payer_email, payer_phone,
                   created_at, 'watched' AS status",
    )
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(reference.as_str())
    .bind::<BigInt, _>(amount.minor())
    .bind::<Text, _>(amount.currency().code())
    .bind::<Nullable<Text>, _>(email.map(EmailAddress::expose))
    .bind::<Nullable<Text>, _>(phone.map(PhoneNumber::expose))
    .bind::<Timestamptz, _>(now)
    .get_result::<Row>(tx.conn())
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}
