//! Transactions as they are listed: with where they stand.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::id::{RecoveryId, TransactionId};
use domain::state::Provider;
use domain::{Currency, RecoveryState, TransactionRef};
use uuid::Uuid;

use super::{StoredTransaction, TransactionRow};
use crate::sql::{Conditions, after_epoch, sql};
use crate::{Conn, DbError, Tenant};

/// Where a transaction stands, by its newest recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No failure of it was reported.
    Watched,
    /// It is being recovered, or was and came to that end.
    Recovery(RecoveryState),
}

impl Standing {
    /// Its word: `watched`, else the recovery's state.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Watched => "watched",
            Self::Recovery(state) => state.as_str(),
        }
    }

    /// Whether the money arrived after a failure.
    pub const fn is_paid(self) -> bool {
        matches!(self, Self::Recovery(RecoveryState::Recovered))
    }
}

impl std::str::FromStr for Standing {
    type Err = domain::state::UnknownName;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == Self::Watched.as_str() {
            return Ok(Self::Watched);
        }
        text.parse().map(Self::Recovery)
    }
}

/// Which transactions are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The merchant's name for it.
    pub reference: Option<TransactionRef>,
    /// Where it stands.
    pub standing: Option<Standing>,
    /// Whether a recovery of it ended with the money.
    pub paid: Option<bool>,
    /// What it is owed in.
    pub currency: Option<Currency>,
    /// The payer's email address, in either case.
    pub email: Option<String>,
    /// The payer's phone number, in E.164.
    pub phone: Option<String>,
    /// At which PSP it was tried.
    pub provider: Option<Provider>,
    /// Made at that time or later.
    pub from: Option<DateTime<Utc>>,
    /// Made before that time.
    pub to: Option<DateTime<Utc>>,
    /// Older than this one.
    pub before: Option<TransactionId>,
    /// At most so many.
    pub limit: i64,
}

/// A transaction with where it stands.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The transaction.
    pub transaction: StoredTransaction,
    /// When it became known.
    pub created_at: DateTime<Utc>,
    /// Where it stands.
    pub standing: Standing,
    /// Its newest recovery.
    pub recovery: Option<RecoveryId>,
    /// At which PSP it was tried.
    pub provider: Option<Provider>,
}

#[derive(QueryableByName)]
struct ListedRow {
    #[diesel(embed)]
    transaction: TransactionRow,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    newest_recovery: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    newest_state: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    provider: Option<String>,
}

impl TryFrom<ListedRow> for Listed {
    type Error = DbError;
    fn try_from(row: ListedRow) -> Result<Self, DbError> {
        let state = row.newest_state.map(|text| text.parse()).transpose();
        let state = state.map_err(|fault| DbError::corrupt("recoveries.state", fault))?;
        let provider = row.provider.map(|text| text.parse()).transpose();
        Ok(Self {
            transaction: row.transaction.try_into()?,
            created_at: row.created_at,
            standing: state.map_or(Standing::Watched, Standing::Recovery),
            recovery: row.newest_recovery.map(RecoveryId::from_uuid),
            provider: provider
                .map_err(|fault| DbError::corrupt("psp_connections.provider", fault))?,
        })
    }
}

/// The newest recovery is looked for by a column that no index on all of the
/// organization's recoveries has, so that only the transaction's own are read.
macro_rules! with_standing {
    () => {
        with_standing!("transactions t")
    };
    ($from:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            ", created_at, newest_recovery, newest_state, provider
             FROM ",
            $from,
            "
             LEFT JOIN LATERAL (
               SELECT r.id AS newest_recovery, r.state AS newest_state FROM recoveries r
               WHERE r.organization_id = t.organization_id AND r.transaction_id = t.id
               ORDER BY r.opened_at DESC, r.id DESC LIMIT 1) AS newest ON true
             LEFT JOIN LATERAL (
               SELECT c.provider FROM psp_connections c
               WHERE c.id = t.connection_id AND c.organization_id = t.organization_id) AS psp ON true
             WHERE t.organization_id = $1"
        )
    };
}

/// The organization's transactions, newest first, in one statement.
pub async fn list(
    conn: &mut Conn,
    tenant: Tenant,
    wanted: &Wanted,
) -> Result<Vec<Listed>, DbError> {
    let reference = wanted.reference.as_ref().map(TransactionRef::as_str);
    // Ids hold their time to the millisecond: by them a span of time is found.
    let until = wanted
        .to
        .map(|to| after_epoch(to) + TimeDelta::milliseconds(1));
    Conditions::after(with_standing!())
        .bind::<SqlUuid, _>(tenant.uuid())
        .and::<Text, _>("t.transaction_ref = {}", reference)
        .and::<Text, _>(
            "coalesce(newest_state, 'watched') = {}",
            wanted.standing.map(Standing::as_str),
        )
        .and::<diesel::sql_types::Bool, _>(
            "(newest_state IS NOT DISTINCT FROM 'recovered') = {}",
            wanted.paid,
        )
        .and::<Text, _>("t.currency = {}", wanted.currency.map(Currency::code))
        .and::<Text, _>(
            "t.payer_email IS NOT NULL AND lower(t.payer_email) = lower({})",
            wanted.email.as_deref(),
        )
        .and::<Text, _>("t.payer_phone = {}", wanted.phone.as_deref())
        .and::<Text, _>("provider = {}", wanted.provider.map(Provider::as_str))
        .and::<Timestamptz, _>(
            "t.id >= uuid7_floor({}) AND t.created_at >= {}",
            wanted.from.map(after_epoch),
        )
        .and::<Timestamptz, _>("t.id < uuid7_floor({})", until)
        .and::<Timestamptz, _>("t.created_at < {}", wanted.to)
        .and::<SqlUuid, _>("t.id < {}", wanted.before.map(domain::Id::uuid))
        .then::<BigInt, _>("ORDER BY t.id DESC LIMIT {}", wanted.limit)
        .statement()
        .load::<ListedRow>(conn)
        .await?
        .into_iter()
        .map(TryInto::try_into)
        .collect()
}

/// The organization's transactions, newest first, after the `offset` newest. What
/// is passed over is read in the index, so it is for the caller to bound it.
pub async fn list_from(
    conn: &mut Conn,
    tenant: Tenant,
    limit: i64,
    offset: i64,
) -> Result<Vec<Listed>, DbError> {
    sql(concat!(
        with_standing!(
            "(SELECT * FROM transactions WHERE organization_id = $1
              ORDER BY id DESC LIMIT $2 OFFSET $3) AS t"
        ),
        " ORDER BY t.id DESC"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<BigInt, _>(limit)
    .bind::<BigInt, _>(offset)
    .load::<ListedRow>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// The transaction of that reference, as it is listed.
pub async fn one_by_ref(
    conn: &mut Conn,
    tenant: Tenant,
    reference: &TransactionRef,
) -> Result<Option<Listed>, DbError> {
    sql(concat!(with_standing!(), " AND t.transaction_ref = $2"))
        .bind::<SqlUuid, _>(tenant.uuid())
        .bind::<Text, _>(reference.as_str())
        .get_result::<ListedRow>(conn)
        .await
        .optional()?
        .map(TryInto::try_into)
        .transpose()
}

/// The transaction of that id, as it is listed.
pub async fn one(
    conn: &mut Conn,
    tenant: Tenant,
    id: TransactionId,
) -> Result<Option<Listed>, DbError> {
    sql(concat!(with_standing!(), " AND t.id = $2"))
        .bind::<SqlUuid, _>(tenant.uuid())
        .bind::<SqlUuid, _>(id.uuid())
        .get_result::<ListedRow>(conn)
        .await
        .optional()?
        .map(TryInto::try_into)
        .transpose()
}
