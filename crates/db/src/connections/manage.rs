//! Connections as their merchants see and change them. Secrets go in and never out.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::id::ConnectionId;
use domain::state::{ConnectionCheck, KeyMode, Provider};
use uuid::Uuid;

use crate::id_range::IdRange;
use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// A connection without its secrets.
#[derive(Debug, Clone)]
pub struct Managed {
    /// Its id.
    pub id: ConnectionId,
    /// Which PSP.
    pub provider: Provider,
    /// The account's id at the PSP.
    pub account_id: String,
    /// What its merchant calls it.
    pub name: Option<String>,
    /// Whether its key moves money, where that is known.
    pub mode: Option<KeyMode>,
    /// The last characters of the key.
    pub hint: Option<String>,
    /// What the PSP last said of the credentials.
    pub check: ConnectionCheck,
    /// When it said so.
    pub checked_at: Option<DateTime<Utc>>,
    /// Until when replaced webhook secrets verify.
    pub older_secrets_until: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When its merchant ended it.
    pub ended_at: Option<DateTime<Utc>>,
    /// Whether an operator stopped it.
    pub stopped: bool,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    provider: String,
    #[diesel(sql_type = Text)]
    account_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    mode: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    credentials_hint: Option<String>,
    #[diesel(sql_type = Text)]
    check_outcome: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    checked_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    older_webhook_secrets_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ended_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Bool)]
    stopped: bool,
}

macro_rules! columns {
    () => {
        "id, provider, account_id, name, mode, credentials_hint, check_outcome, checked_at,
         older_webhook_secrets_until, created_at, coalesce(updated_at, created_at) AS updated_at,
         ended_at, disabled_at IS NOT NULL AS stopped"
    };
}

impl TryFrom<Row> for Managed {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let provider = row.provider.parse();
        let mode = row.mode.as_deref().map(str::parse).transpose();
        let check = row.check_outcome.parse();
        Ok(Self {
            id: ConnectionId::from_uuid(row.id),
            provider: provider
                .map_err(|fault| DbError::corrupt("psp_connections.provider", fault))?,
            account_id: row.account_id,
            name: row.name,
            mode: mode.map_err(|fault| DbError::corrupt("psp_connections.mode", fault))?,
            hint: row.credentials_hint,
            check: check
                .map_err(|fault| DbError::corrupt("psp_connections.check_outcome", fault))?,
            checked_at: row.checked_at,
            older_secrets_until: row.older_webhook_secrets_until,
            created_at: row.created_at,
            updated_at: row.updated_at,
            ended_at: row.ended_at,
            stopped: row.stopped,
        })
    }
}

/// The organization's connections, newest first, ended ones too.
pub async fn list(
    conn: &mut Conn,
    tenant: Tenant,
    before: Option<ConnectionId>,
    limit: i64,
) -> Result<Vec<Managed>, DbError> {
    let before = before.map(domain::Id::uuid);
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM psp_connections WHERE organization_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(IdRange::new(None, None, before).high)
    .bind::<BigInt, _>(limit)
    .load::<Row>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// The organization's connection of that id, ended or not.
pub async fn find_managed(
    conn: &mut Conn,
    tenant: Tenant,
    id: ConnectionId,
) -> Result<Option<Managed>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM psp_connections WHERE organization_id = $1 AND id = $2"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result::<Row>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// [`find_managed`], its row locked.
pub async fn lock(
    tx: &mut Tx,
    tenant: Tenant,
    id: ConnectionId,
) -> Result<Option<Managed>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM psp_connections WHERE organization_id = $1 AND id = $2 FOR UPDATE"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result::<Row>(tx.conn())
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// The organization's connection to an account, its row locked.
pub async fn lock_by_account(
    tx: &mut Tx,
    tenant: Tenant,
    provider: Provider,
    account_id: &str,
) -> Result<Option<Managed>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM psp_connections
         WHERE organization_id = $1 AND provider = $2 AND account_id = $3 FOR UPDATE"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(provider.as_str())
    .bind::<Text, _>(account_id)
    .get_result::<Row>(tx.conn())
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// What takes the place of a connection's secrets; what is left out stays.
#[derive(Debug, Default)]
pub struct Replacement<'a> {
    /// Sealed credentials, and the last characters of the key.
    pub credentials: Option<(&'a [u8], &'a str)>,
    /// Sealed webhook secrets, and until when those before verify too.
    pub webhook_secrets: Option<(&'a [u8], Option<DateTime<Utc>>)>,
}

/// Replaces secrets of a connection whose row is locked. New credentials have
/// been accepted by the PSP.
pub async fn replace(
    tx: &mut Tx,
    tenant: Tenant,
    id: ConnectionId,
    new: &Replacement<'_>,
) -> Result<(), DbError> {
    let now = tx.now();
    let secrets = new.webhook_secrets;
    sql("UPDATE psp_connections
         SET credentials_sealed = coalesce($3, credentials_sealed),
             credentials_hint = coalesce($4, credentials_hint),
             check_outcome = CASE WHEN $3 IS NULL THEN check_outcome ELSE 'verified' END,
             checked_at = CASE WHEN $3 IS NULL THEN checked_at ELSE $7 END,
             older_webhook_secrets_sealed =
               CASE WHEN $5 IS NULL THEN older_webhook_secrets_sealed
                    WHEN $6 IS NOT NULL THEN webhook_secrets_sealed END,
             older_webhook_secrets_until =
               CASE WHEN $5 IS NULL THEN older_webhook_secrets_until ELSE $6 END,
             webhook_secrets_sealed = coalesce($5, webhook_secrets_sealed), updated_at = $7
         WHERE organization_id = $1 AND id = $2")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Nullable<Binary>, _>(new.credentials.map(|(sealed, _)| sealed))
    .bind::<Nullable<Text>, _>(new.credentials.map(|(_, hint)| hint))
    .bind::<Nullable<Binary>, _>(secrets.map(|(sealed, _)| sealed))
    .bind::<Nullable<Timestamptz>, _>(secrets.and_then(|(_, until)| until))
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Gives a connection another name, or none.
pub async fn rename(
    tx: &mut Tx,
    tenant: Tenant,
    id: ConnectionId,
    name: Option<&str>,
) -> Result<(), DbError> {
    let now = tx.now();
    sql("UPDATE psp_connections SET name = $3, updated_at = $4
         WHERE organization_id = $1 AND id = $2")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Nullable<Text>, _>(name)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Keeps what the PSP said of the credentials.
pub async fn note_check(
    tx: &mut Tx,
    tenant: Tenant,
    id: ConnectionId,
    check: ConnectionCheck,
) -> Result<(), DbError> {
    let now = tx.now();
    sql(
        "UPDATE psp_connections SET check_outcome = $3, checked_at = $4
         WHERE organization_id = $1 AND id = $2",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Text, _>(check.as_str())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Keeps that the PSP refused these credentials, if they are the connection's still.
pub async fn note_refused(
    conn: &mut Conn,
    tenant: Tenant,
    id: ConnectionId,
    credentials_sealed: &[u8],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql(
        "UPDATE psp_connections SET check_outcome = $5, checked_at = $4
         WHERE organization_id = $1 AND id = $2 AND credentials_sealed = $3",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Binary, _>(credentials_sealed)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(ConnectionCheck::Refused.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a connection: nothing new is begun over it. False if it had ended.
pub async fn end(tx: &mut Tx, tenant: Tenant, id: ConnectionId) -> Result<bool, DbError> {
    let now = tx.now();
    let ended = sql("UPDATE psp_connections SET ended_at = $3, updated_at = $3
         WHERE organization_id = $1 AND id = $2 AND ended_at IS NULL")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(ended == 1)
}
