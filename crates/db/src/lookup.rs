//! Finding a recovery by whatever an operator was told of it.
//!
//! **This is the one read of merchants' data across tenants.** It is for whoever has
//! the installation's settings at hand, which is more than any tenant's key: the
//! on-call tool, and nothing that answers requests. What it finds comes with the
//! [`Tenant`] that everything further is read by.
//!
//! The indexes on references and addresses begin with the organization, as all that
//! merchants ask goes by. So each organization's index is probed once; an index over
//! all of them would cost every failure that is recorded, for a question that is
//! asked a few times a day.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{OrganizationId, RecoveryId, TransactionId};
use domain::{EmailAddress, RecoveryState, TransactionRef};
use uuid::Uuid;

use crate::sql::{Statement, sql};
use crate::{Conn, DbError, Tenant};

/// What a recovery is looked for by.
#[derive(Debug, Clone)]
pub enum Sought {
    /// Its own id.
    Recovery(RecoveryId),
    /// The id of what it wins back: all recoveries of that.
    Transaction(TransactionId),
    /// The merchant's name for it: all recoveries of any merchant's of that name.
    Reference(TransactionRef),
    /// The payer's email address, in either case: all recoveries of payers who have it.
    Email(EmailAddress),
}

/// A recovery that was found, or a transaction that has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Whose it is.
    pub tenant: Tenant,
    /// What its owner is called.
    pub organization: String,
    /// What it wins back.
    pub transaction: TransactionId,
    /// The merchant's name for that.
    pub transaction_ref: String,
    /// The recovery; none where no failure of the transaction was reported.
    pub recovery: Option<FoundRecovery>,
}

/// Where a recovery that was found stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundRecovery {
    /// Its id.
    pub id: RecoveryId,
    /// Where it stands.
    pub state: RecoveryState,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
}

/// Around the transactions that were found: `$1` is what is sought, `$2` the organization
/// if it is known, `$3` the limit.
macro_rules! matching {
    ($found:literal, $recoveries:literal) => {
        concat!(
            "SELECT t.organization_id, o.name, t.id AS transaction_id, t.transaction_ref,
                    r.id AS recovery_id, r.state, r.opened_at
             FROM ",
            $found,
            " LEFT JOIN LATERAL (
               SELECT r.id, r.state, r.opened_at FROM recoveries r
               WHERE r.organization_id = t.organization_id AND r.transaction_id = t.id AND ",
            $recoveries,
            "  ORDER BY r.opened_at DESC, r.id DESC LIMIT $3) AS r ON true
             WHERE $2 IS NULL OR o.id = $2
             ORDER BY coalesce(r.id, t.id) DESC LIMIT $3"
        )
    };
}

/// The limits inside keep the planner to each organization's part of the index, whatever
/// the statistics say: a join could be made by reading all that there is instead.
fn statement(sought: &Sought) -> Statement<'_> {
    match sought {
        Sought::Recovery(id) => sql(matching!(
            "recoveries s
             JOIN transactions t ON t.id = s.transaction_id AND t.organization_id = s.organization_id
             JOIN organizations o ON o.id = s.organization_id AND s.id = $1",
            "r.id = $1"
        ))
        .bind::<SqlUuid, _>(id.uuid()),
        Sought::Transaction(id) => sql(matching!(
            "transactions t JOIN organizations o ON o.id = t.organization_id AND t.id = $1",
            "true"
        ))
        .bind::<SqlUuid, _>(id.uuid()),
        Sought::Reference(reference) => sql(matching!(
            "organizations o CROSS JOIN LATERAL (
               SELECT id, organization_id, transaction_ref FROM transactions
               WHERE organization_id = o.id AND transaction_ref = $1
               LIMIT 1) AS t",
            "true"
        ))
        .bind::<Text, _>(reference.as_str()),
        Sought::Email(address) => sql(matching!(
            "organizations o CROSS JOIN LATERAL (
               SELECT id, organization_id, transaction_ref FROM transactions
               WHERE organization_id = o.id
                 AND payer_email IS NOT NULL AND lower(payer_email) = lower($1)
               ORDER BY id DESC LIMIT $3) AS t",
            "true"
        ))
        .bind::<Text, _>(address.expose()),
    }
}

/// What was sought, newest first; of `organization` alone if it is named. At most
/// `limit`.
pub async fn find(
    conn: &mut Conn,
    sought: &Sought,
    organization: Option<OrganizationId>,
    limit: i64,
) -> Result<Vec<Found>, DbError> {
    statement(sought)
        .bind::<Nullable<SqlUuid>, _>(organization.map(OrganizationId::uuid))
        .bind::<BigInt, _>(limit)
        .load::<Row>(conn)
        .await?
        .into_iter()
        .map(TryInto::try_into)
        .collect()
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = SqlUuid)]
    transaction_id: Uuid,
    #[diesel(sql_type = Text)]
    transaction_ref: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    recovery_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    state: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    opened_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Found {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let recovery = match (row.recovery_id, row.state, row.opened_at) {
            (Some(id), Some(state), Some(opened_at)) => Some(FoundRecovery {
                id: RecoveryId::from_uuid(id),
                state: state
                    .parse()
                    .map_err(|fault| DbError::corrupt("recoveries.state", fault))?,
                opened_at,
            }),
            _ => None,
        };
        Ok(Self {
            tenant: Tenant::of(OrganizationId::from_uuid(row.organization_id)),
            organization: row.name,
            transaction: TransactionId::from_uuid(row.transaction_id),
            transaction_ref: row.transaction_ref,
            recovery,
        })
    }
}
