//! A merchant's accounts at PSPs, with their sealed secrets.

mod manage;

pub use manage::{
    Managed, Replacement, end, find_managed, list, lock, lock_by_account, note_check, note_refused,
    rename, replace,
};

use chrono::{DateTime, Utc};
use diesel::sql_types::{Binary, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::id::{Connection, ConnectionId, OrganizationId};
use domain::state::{ConnectionCheck, KeyMode, Provider};
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// A PSP connection with its sealed secrets.
#[derive(Clone)]
pub struct StoredConnection {
    /// Its id.
    pub id: ConnectionId,
    /// Whose it is.
    pub tenant: Tenant,
    /// Which PSP.
    pub provider: Provider,
    /// The account's id at the PSP.
    pub account_id: String,
    /// Sealed credentials, as JSON inside.
    pub credentials_sealed: Vec<u8>,
    /// Sealed webhook secrets, as a JSON list inside.
    pub webhook_secrets_sealed: Vec<u8>,
    /// Webhook secrets that were replaced, sealed likewise, and until when they verify.
    pub older_webhook_secrets: Option<(Vec<u8>, DateTime<Utc>)>,
    /// Whether the merchant ended it: what is in flight goes on, nothing new is begun.
    pub ended: bool,
}

/// What a connection's secrets are sealed with as context, so that a sealed
/// secret copied to another row does not open there.
pub fn seal_context(tenant: Tenant, id: ConnectionId) -> Vec<u8> {
    [tenant.uuid().as_bytes().as_slice(), id.uuid().as_bytes()].concat()
}

macro_rules! columns {
    () => {
        "id, organization_id, provider, account_id, credentials_sealed, webhook_secrets_sealed,
         older_webhook_secrets_sealed, older_webhook_secrets_until, ended_at IS NOT NULL AS ended"
    };
}

#[derive(QueryableByName)]
struct ConnectionRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = Text)]
    provider: String,
    #[diesel(sql_type = Text)]
    account_id: String,
    #[diesel(sql_type = Binary)]
    credentials_sealed: Vec<u8>,
    #[diesel(sql_type = Binary)]
    webhook_secrets_sealed: Vec<u8>,
    #[diesel(sql_type = Nullable<Binary>)]
    older_webhook_secrets_sealed: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    older_webhook_secrets_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Bool)]
    ended: bool,
}

impl TryFrom<ConnectionRow> for StoredConnection {
    type Error = DbError;
    fn try_from(row: ConnectionRow) -> Result<Self, DbError> {
        Ok(Self {
            id: ConnectionId::from_uuid(row.id),
            tenant: Tenant::of(OrganizationId::from_uuid(row.organization_id)),
            provider: row
                .provider
                .parse()
                .map_err(|fault| DbError::corrupt("psp_connections.provider", fault))?,
            account_id: row.account_id,
            credentials_sealed: row.credentials_sealed,
            webhook_secrets_sealed: row.webhook_secrets_sealed,
            older_webhook_secrets: row
                .older_webhook_secrets_sealed
                .zip(row.older_webhook_secrets_until),
            ended: row.ended,
        })
    }
}

/// What a connection is made of. The id comes from the caller, since the secrets
/// are sealed with it as context.
pub struct NewConnection<'a> {
    /// Its id.
    pub id: ConnectionId,
    /// Which PSP.
    pub provider: Provider,
    /// The account's id at the PSP.
    pub account_id: &'a str,
    /// Sealed credentials.
    pub credentials_sealed: &'a [u8],
    /// Sealed webhook secrets.
    pub webhook_secrets_sealed: &'a [u8],
    /// What its merchant calls it.
    pub name: Option<&'a str>,
    /// Whether its key moves money, where that is known.
    pub mode: Option<KeyMode>,
    /// The last characters of the key.
    pub hint: Option<&'a str>,
    /// What the PSP said of the credentials just now.
    pub check: ConnectionCheck,
}

/// The id that a connection to this account has, or a new one for it.
pub async fn id_for(
    tx: &mut Tx,
    tenant: Tenant,
    provider: Provider,
    account_id: &str,
) -> Result<ConnectionId, DbError> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let fresh = tx.new_id::<Connection>();
    let found: Option<Found> = sql("SELECT id FROM psp_connections
         WHERE organization_id = $1 AND provider = $2 AND account_id = $3")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(provider.as_str())
    .bind::<Text, _>(account_id)
    .get_result(tx.conn())
    .await
    .optional()?;
    Ok(found.map_or(fresh, |found| ConnectionId::from_uuid(found.id)))
}

/// Stores a connection, or new secrets for it.
pub async fn put(
    tx: &mut Tx,
    tenant: Tenant,
    connection: &NewConnection<'_>,
) -> Result<(), DbError> {
    let now = tx.now();
    sql(
        "INSERT INTO psp_connections (id, organization_id, provider, account_id,
                                      credentials_sealed, webhook_secrets_sealed, created_at,
                                      updated_at, name, mode, credentials_hint, check_outcome,
                                      checked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11,
                 CASE WHEN $11 <> 'unverified' THEN $7 END)
         ON CONFLICT (organization_id, provider, account_id) DO UPDATE
         SET credentials_sealed = EXCLUDED.credentials_sealed,
             webhook_secrets_sealed = EXCLUDED.webhook_secrets_sealed,
             older_webhook_secrets_sealed = NULL, older_webhook_secrets_until = NULL,
             name = EXCLUDED.name, mode = EXCLUDED.mode,
             credentials_hint = EXCLUDED.credentials_hint,
             check_outcome = EXCLUDED.check_outcome, checked_at = EXCLUDED.checked_at,
             updated_at = EXCLUDED.updated_at, disabled_at = NULL, ended_at = NULL",
    )
    .bind::<SqlUuid, _>(connection.id.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(connection.provider.as_str())
    .bind::<Text, _>(connection.account_id)
    .bind::<Binary, _>(connection.credentials_sealed)
    .bind::<Binary, _>(connection.webhook_secrets_sealed)
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<Text>, _>(connection.name)
    .bind::<Nullable<Text>, _>(connection.mode.map(KeyMode::as_str))
    .bind::<Nullable<Text>, _>(connection.hint)
    .bind::<Text, _>(connection.check.as_str())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The connection that a webhook's path names. Whose it is follows from it, once
/// its secret has verified the webhook.
pub async fn for_webhook(
    conn: &mut Conn,
    provider: Provider,
    id: ConnectionId,
) -> Result<Option<StoredConnection>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        "
         FROM psp_connections WHERE id = $1 AND provider = $2 AND disabled_at IS NULL"
    ))
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Text, _>(provider.as_str())
    .get_result::<ConnectionRow>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// The connections to the account that a webhook claims to come from. There may
/// be several; the one whose secret verifies it is the one. At most 8 are tried.
pub async fn by_account(
    conn: &mut Conn,
    provider: Provider,
    account_id: &str,
) -> Result<Vec<StoredConnection>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        "
         FROM psp_connections
         WHERE provider = $1 AND account_id = $2 AND disabled_at IS NULL ORDER BY id LIMIT 8"
    ))
    .bind::<Text, _>(provider.as_str())
    .bind::<Text, _>(account_id)
    .load::<ConnectionRow>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// The organization's connection of that id, or its oldest living one when none is
/// named. One that its merchant ended is found by its id: what was begun over it
/// is carried through.
pub async fn find(
    mut conn: &Conn,
    tenant: Tenant,
    id: Option<ConnectionId>,
) -> Result<Option<StoredConnection>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        "
         FROM psp_connections
         WHERE organization_id = $1 AND coalesce(id = $2, ended_at IS NULL) AND disabled_at IS NULL
         ORDER BY id LIMIT 1"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Nullable<SqlUuid>, _>(id.map(domain::Id::uuid))
    .get_result::<ConnectionRow>(&mut conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// The organization's connections that can be used, each with its PSP.
pub async fn providers(
    conn: &mut Conn,
    tenant: Tenant,
) -> Result<Vec<(ConnectionId, Provider)>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Text)]
        provider: String,
    }
    let rows: Vec<Row> = sql("SELECT id, provider FROM psp_connections
         WHERE organization_id = $1 AND disabled_at IS NULL ORDER BY id LIMIT 1000")
    .bind::<SqlUuid, _>(tenant.uuid())
    .load(conn)
    .await?;
    let of = |row: Row| {
        let provider = row.provider.parse();
        let provider =
            provider.map_err(|fault| DbError::corrupt("psp_connections.provider", fault))?;
        Ok((ConnectionId::from_uuid(row.id), provider))
    };
    rows.into_iter().map(of).collect()
}
