//! What consents and suppressions have in common: pages of them, and the book
//! of every change to either.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::Channel;
use domain::consent::PayerAddress;
use domain::id::ContactChangeId;
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant};

/// Which rows of a list are wanted, newest first.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of this channel alone.
    pub channel: Option<Channel>,
    /// Of this address alone, in lower case.
    pub address: Option<String>,
    /// Older than this one.
    pub before: Option<Uuid>,
    /// At most so many.
    pub limit: i64,
}

/// A change to a consent or a suppression.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its id; changes sort by it.
    pub id: ContactChangeId,
    /// Whose address.
    pub address: PayerAddress,
    /// `granted`, `withdrawn`, `suppressed` or `lifted`.
    pub change: String,
    /// A consent's source, a suppression's reason.
    pub reason: String,
    /// What shows it.
    pub evidence: Option<String>,
    /// Who made it.
    pub actor: String,
    /// The trace under which it was made.
    pub trace_id: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// The changes of an organization, newest first.
pub async fn changes(
    conn: &mut Conn,
    tenant: Tenant,
    wanted: &Wanted,
) -> Result<Vec<Change>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Text)]
        channel: String,
        #[diesel(sql_type = Text)]
        address: String,
        #[diesel(sql_type = Text)]
        change: String,
        #[diesel(sql_type = Text)]
        reason: String,
        #[diesel(sql_type = Nullable<Text>)]
        evidence: Option<String>,
        #[diesel(sql_type = Text)]
        actor: String,
        #[diesel(sql_type = Nullable<Text>)]
        trace_id: Option<String>,
        #[diesel(sql_type = Timestamptz)]
        at: DateTime<Utc>,
    }
    let rows = sql(
        "SELECT id, channel, address, change, reason, evidence, actor, trace_id, at
         FROM contact_changes
         WHERE organization_id = $1 AND ($2 IS NULL OR channel = $2)
           AND ($3 IS NULL OR address = $3) AND ($4 IS NULL OR id < $4)
         ORDER BY id DESC LIMIT $5",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Nullable<Text>, _>(wanted.channel.map(Channel::as_str))
    .bind::<Nullable<Text>, _>(wanted.address.as_deref())
    .bind::<Nullable<SqlUuid>, _>(wanted.before)
    .bind::<BigInt, _>(wanted.limit)
    .load::<Row>(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Change {
                id: ContactChangeId::from_uuid(row.id),
                address: address("contact_changes", &row.channel, &row.address)?,
                change: row.change,
                reason: row.reason,
                evidence: row.evidence,
                actor: row.actor,
                trace_id: row.trace_id,
                at: row.at,
            })
        })
        .collect()
}

/// Reads a stored channel and address.
pub(crate) fn address(
    what: &'static str,
    channel: &str,
    address: &str,
) -> Result<PayerAddress, DbError> {
    let channel: Channel = channel
        .parse()
        .map_err(|fault| DbError::corrupt(what, fault))?;
    PayerAddress::parse(channel, address).map_err(|fault| DbError::corrupt(what, fault))
}
