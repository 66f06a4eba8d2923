//! API keys: shown once, stored as their SHA-256.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::id::{ApiKey, ApiKeyId, OrganizationId};
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// An API key as its owner sees it: never the key itself.
#[derive(Debug, Clone)]
pub struct StoredKey {
    /// Its id.
    pub id: ApiKeyId,
    /// What its owner calls it.
    pub name: String,
    /// How it starts, to tell keys apart.
    pub shown_prefix: String,
    /// What it may do: `read`, `write`, `admin`.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops working.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// The key that takes its place; it works on until it expires.
    pub replaced_by: Option<ApiKeyId>,
    /// Who made it.
    pub made_by: Option<String>,
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    shown_prefix: String,
    #[diesel(sql_type = Array<Text>)]
    scopes: Vec<String>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    expires_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_used_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    revoked_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    replaced_by: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    made_by: Option<String>,
}

impl From<KeyRow> for StoredKey {
    fn from(row: KeyRow) -> Self {
        Self {
            id: ApiKeyId::from_uuid(row.id),
            name: row.name,
            shown_prefix: row.shown_prefix,
            scopes: row.scopes,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
            replaced_by: row.replaced_by.map(ApiKeyId::from_uuid),
            made_by: row.made_by,
        }
    }
}

/// Stores a key by its hash.
pub async fn add(
    tx: &mut Tx,
    tenant: Tenant,
    name: &str,
    shown_prefix: &str,
    key_hash: &[u8; 32],
    scopes: &[String],
    expires_at: Option<DateTime<Utc>>,
) -> Result<ApiKeyId, DbError> {
    let id = tx.new_id::<ApiKey>();
    let cause = tx.cause().clone();
    sql("INSERT INTO api_keys (id, organization_id, name, shown_prefix, key_hash, scopes, created_at, expires_at, made_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(name)
    .bind::<Text, _>(shown_prefix)
    .bind::<Binary, _>(key_hash.as_slice())
    .bind::<Array<Text>, _>(scopes)
    .bind::<Timestamptz, _>(cause.at)
    .bind::<Nullable<Timestamptz>, _>(expires_at)
    .bind::<Text, _>(cause.actor.as_str())
    .execute(tx.conn())
    .await?;
    Ok(id)
}

/// Whose key this is, if it is a living one of an active organization.
pub async fn authenticate(
    conn: &mut Conn,
    key_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<(Tenant, StoredKey)>, DbError> {
    let row: Option<KeyRow> = sql(
        "SELECT k.id, k.organization_id, k.name, k.shown_prefix, k.scopes, k.created_at,
                k.expires_at, k.last_used_at, k.revoked_at, k.replaced_by, k.made_by
         FROM api_keys k JOIN organizations o ON o.id = k.organization_id
         WHERE k.key_hash = $1 AND k.revoked_at IS NULL
           AND (k.expires_at IS NULL OR k.expires_at > $2) AND o.state = 'active'",
    )
    .bind::<Binary, _>(key_hash.as_slice())
    .bind::<Timestamptz, _>(now)
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.map(|row| {
        let tenant = Tenant::of(OrganizationId::from_uuid(row.organization_id));
        (tenant, row.into())
    }))
}

/// Notes a key's use, at most once a minute so that reads stay reads.
pub async fn touch(
    conn: &mut Conn,
    tenant: Tenant,
    id: ApiKeyId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql("UPDATE api_keys SET last_used_at = $3
         WHERE organization_id = $1 AND id = $2
           AND (last_used_at IS NULL OR last_used_at < $3 - interval '1 minute')")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// The organization's keys, newest first.
pub async fn list(conn: &mut Conn, tenant: Tenant) -> Result<Vec<StoredKey>, DbError> {
    let rows: Vec<KeyRow> = sql(
        "SELECT id, organization_id, name, shown_prefix, scopes, created_at, expires_at,
                last_used_at, revoked_at, replaced_by, made_by
         FROM api_keys WHERE organization_id = $1 ORDER BY id DESC LIMIT 200",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The organization's key of that id.
pub async fn find(
    conn: &mut Conn,
    tenant: Tenant,
    id: ApiKeyId,
) -> Result<Option<StoredKey>, DbError> {
    let row: Option<KeyRow> = sql(
        "SELECT id, organization_id, name, shown_prefix, scopes, created_at, expires_at,
                last_used_at, revoked_at, replaced_by, made_by
         FROM api_keys WHERE organization_id = $1 AND id = $2",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.map(Into::into))
}

/// Revokes a key; false if there is no such living key.
pub async fn revoke(tx: &mut Tx, tenant: Tenant, id: ApiKeyId) -> Result<bool, DbError> {
    let now = tx.now();
    let changed = sql("UPDATE api_keys SET revoked_at = $3
         WHERE organization_id = $1 AND id = $2 AND revoked_at IS NULL")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(changed == 1)
}

/// A living key, locked until the transaction ends.
pub async fn lock(tx: &mut Tx, tenant: Tenant, id: ApiKeyId) -> Result<Option<StoredKey>, DbError> {
    let now = tx.now();
    let row: Option<KeyRow> = sql(
        "SELECT id, organization_id, name, shown_prefix, scopes, created_at, expires_at,
                last_used_at, revoked_at, replaced_by, made_by
         FROM api_keys WHERE organization_id = $1 AND id = $2 AND revoked_at IS NULL
           AND (expires_at IS NULL OR expires_at > $3) FOR UPDATE",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .get_result(tx.conn())
    .await
    .optional()?;
    Ok(row.map(Into::into))
}

/// Notes that `next` takes the place of `id`, which works on until `until`, or
/// until it would have expired anyway.
pub async fn replace(
    tx: &mut Tx,
    tenant: Tenant,
    id: ApiKeyId,
    next: ApiKeyId,
    until: DateTime<Utc>,
) -> Result<(), DbError> {
    sql(
        "UPDATE api_keys SET replaced_by = $3, expires_at = least(coalesce(expires_at, $4), $4)
         WHERE organization_id = $1 AND id = $2",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(next.uuid())
    .bind::<Timestamptz, _>(until)
    .execute(tx.conn())
    .await?;
    Ok(())
}
