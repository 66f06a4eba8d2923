//! What operators have paused, and for how long: [`put`], [`lift`], [`list`].
//!
//! A hold covers everything, an organization, or messages on a channel, of all
//! organizations or of one. What it covers is looked at where work is taken, in the
//! statement that takes it: claiming what is due, marking a charge as sent, marking a
//! message as handed over; and before a message is asked for by whoever plans it. So
//! what waits stays as it is, and goes on by itself after [`lift`]. What was taken before
//! it goes on to its end.
//!
//! Rows are kept for good, since a hold on all organizations is in no organization's
//! audit log; one on an organization is noted there as well.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::Channel;
use domain::id::{Hold, HoldId, OrganizationId};
use serde_json::json;
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx, audit};

/// The holds on the charges of the organization `$1`.
macro_rules! holds_on_charges {
    () => {
        "SELECT FROM holds h WHERE h.ended_at IS NULL AND h.channel IS NULL
           AND (h.organization_id IS NULL OR h.organization_id = $1)"
    };
}
pub(crate) use holds_on_charges;

/// What a hold covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// Of this organization; of all, if none is named.
    pub organization: Option<OrganizationId>,
    /// Messages on this channel; all messages and charges, if none is named.
    pub channel: Option<Channel>,
}

/// Who holds or goes on, and why.
#[derive(Debug, Clone, Copy)]
pub struct Holder<'a> {
    /// The operator's name for themselves.
    pub by: &'a str,
    /// Their reason.
    pub why: &'a str,
}

/// A hold as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredHold {
    /// Its id.
    pub id: HoldId,
    /// What it covers.
    pub scope: Scope,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Who placed it.
    pub by: String,
    /// Why.
    pub why: String,
    /// How it ended; none while it is in force.
    pub ended: Option<Ended>,
}

/// The end of a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: DateTime<Utc>,
    /// Who lifted it.
    pub by: String,
    /// Why.
    pub why: String,
}

/// What came of [`put`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is in force with this transaction.
    Held(HoldId),
    /// The very same was in force before, and stays.
    Before,
    /// There is no such organization.
    NoOrganization,
}

/// Holds what the scope covers, from this transaction's commit on.
pub async fn put(tx: &mut Tx, scope: Scope, holder: Holder<'_>) -> Result<Put, DbError> {
    if let Some(organization) = scope.organization
        && !exists(tx.conn(), organization).await?
    {
        return Ok(Put::NoOrganization);
    }
    let id = tx.new_id::<Hold>();
    let now = tx.now();
    let placed = sql(
        "INSERT INTO holds (id, organization_id, channel, since, held_by, why)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Nullable<SqlUuid>, _>(scope.organization.map(OrganizationId::uuid))
    .bind::<Nullable<Text>, _>(scope.channel.map(Channel::as_str))
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(holder.by)
    .bind::<Text, _>(holder.why)
    .execute(tx.conn())
    .await?;
    if placed == 0 {
        return Ok(Put::Before);
    }
    note(tx, scope, "hold.placed", id, holder).await?;
    Ok(Put::Held(id))
}

/// Goes on with what the very same scope held; answers which hold that ended, if any.
pub async fn lift(
    tx: &mut Tx,
    scope: Scope,
    holder: Holder<'_>,
) -> Result<Option<HoldId>, DbError> {
    #[derive(QueryableByName)]
    struct Lifted {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let now = tx.now();
    let lifted: Option<Lifted> = sql(
        "UPDATE holds SET ended_at = $3, ended_by = $4, ended_why = $5
         WHERE ended_at IS NULL AND organization_id IS NOT DISTINCT FROM $1
           AND channel IS NOT DISTINCT FROM $2
         RETURNING id",
    )
    .bind::<Nullable<SqlUuid>, _>(scope.organization.map(OrganizationId::uuid))
    .bind::<Nullable<Text>, _>(scope.channel.map(Channel::as_str))
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(holder.by)
    .bind::<Text, _>(holder.why)
    .get_result(tx.conn())
    .await
    .optional()?;
    let Some(id) = lifted.map(|row| HoldId::from_uuid(row.id)) else {
        return Ok(None);
    };
    note(tx, scope, "hold.lifted", id, holder).await?;
    Ok(Some(id))
}

/// In the log of the organization that it is about; one about all is in the row alone.
async fn note(
    tx: &mut Tx,
    scope: Scope,
    action: &str,
    id: HoldId,
    holder: Holder<'_>,
) -> Result<(), DbError> {
    let Some(organization) = scope.organization else {
        return Ok(());
    };
    let (actor, object) = (format!("operator:{}", holder.by), id.to_string());
    let detail = json!({ "channel": scope.channel, "why": holder.why });
    let tenant = Tenant::of(organization);
    audit::note(tx, tenant, &actor, action, Some(&object), &detail).await?;
    Ok(())
}

async fn exists(conn: &mut Conn, organization: OrganizationId) -> Result<bool, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        there: bool,
    }
    let row: Row = sql("SELECT EXISTS (SELECT FROM organizations WHERE id = $1) AS there")
        .bind::<SqlUuid, _>(organization.uuid())
        .get_result(conn)
        .await?;
    Ok(row.there)
}

/// Whether an organization's charges are held.
pub async fn covers(mut conn: &Conn, tenant: Tenant) -> Result<bool, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        held: bool,
    }
    let row: Row = sql(concat!("SELECT EXISTS (", holds_on_charges!(), ") AS held"))
        .bind::<SqlUuid, _>(tenant.uuid())
        .get_result(&mut conn)
        .await?;
    Ok(row.held)
}

/// How many are in force.
pub async fn count(conn: &mut Conn) -> Result<i64, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        in_force: i64,
    }
    let row: Row = sql("SELECT count(*) AS in_force FROM holds WHERE ended_at IS NULL")
        .get_result(conn)
        .await?;
    Ok(row.in_force)
}

/// The channels that are held for everyone, whether by a hold on the channel or on
/// everything.
pub async fn channels(conn: &mut Conn) -> Result<Vec<Channel>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<Text>)]
        channel: Option<String>,
    }
    let rows: Vec<Row> =
        sql("SELECT channel FROM holds WHERE ended_at IS NULL AND organization_id IS NULL")
            .load(conn)
            .await?;
    if rows.iter().any(|row| row.channel.is_none()) {
        return Ok(Channel::ALL.to_vec());
    }
    let channels = rows.into_iter().filter_map(|row| row.channel);
    channels
        .map(|text| text.parse())
        .collect::<Result<_, _>>()
        .map_err(|fault| DbError::corrupt("holds.channel", fault))
}

/// The holds in force, oldest first, then those that ended, newest first: at most
/// `ended` of these.
pub async fn list(conn: &mut Conn, ended: i64) -> Result<Vec<StoredHold>, DbError> {
    sql("SELECT * FROM (
           SELECT id, organization_id, channel, since, held_by, why, ended_at, ended_by, ended_why
           FROM holds WHERE ended_at IS NULL ORDER BY id) AS in_force
         UNION ALL
         SELECT * FROM (
           SELECT id, organization_id, channel, since, held_by, why, ended_at, ended_by, ended_why
           FROM holds WHERE ended_at IS NOT NULL ORDER BY id DESC LIMIT $1) AS over")
    .bind::<BigInt, _>(ended)
    .load::<Row>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    organization_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    channel: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    since: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    held_by: String,
    #[diesel(sql_type = Text)]
    why: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ended_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    ended_by: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    ended_why: Option<String>,
}

impl TryFrom<Row> for StoredHold {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let channel = row.channel.map(|text| text.parse()).transpose();
        let ended = match (row.ended_at, row.ended_by, row.ended_why) {
            (Some(at), Some(by), Some(why)) => Some(Ended { at, by, why }),
            _ => None,
        };
        Ok(Self {
            id: HoldId::from_uuid(row.id),
            scope: Scope {
                organization: row.organization_id.map(OrganizationId::from_uuid),
                channel: channel.map_err(|fault| DbError::corrupt("holds.channel", fault))?,
            },
            since: row.since,
            by: row.held_by,
            why: row.why,
            ended,
        })
    }
}
