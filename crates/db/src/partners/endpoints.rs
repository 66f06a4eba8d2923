//! Endpoints.

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::id::{OrganizationId, WebhookEndpointId};
use domain::partner::{EventFilter, Health, SignatureKind};
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// An endpoint as stored.
#[derive(Debug, Clone)]
pub struct StoredEndpoint {
    /// Its id.
    pub id: WebhookEndpointId,
    /// Whose it is.
    pub tenant: Tenant,
    /// Where it is.
    pub url: String,
    /// Its owner's words.
    pub description: String,
    /// What it wants to hear of.
    pub filter: EventFilter,
    /// How its webhooks are signed.
    pub signature: SignatureKind,
    /// What they are signed with, sealed.
    pub key_sealed: Vec<u8>,
    /// What verifies them, where that is no secret.
    pub public_key: Option<String>,
    /// The key before, sealed, and until when it signs too.
    pub old_key: Option<(Vec<u8>, DateTime<Utc>)>,
    /// Whether it is sent to.
    pub enabled: bool,
    /// Why it is not, where Tinko disabled it.
    pub disabled_reason: Option<String>,
    /// How deliveries to it have gone.
    pub health: Health,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

macro_rules! columns {
    () => {
        "e.id, e.organization_id, e.url, e.description, e.event_types, e.signature, e.key_sealed,
         e.public_key, e.old_key_sealed, e.old_key_until, e.enabled, e.disabled_reason, e.failures,
         e.failing_since, e.paused_until, e.created_at, e.updated_at"
    };
}

#[derive(QueryableByName)]
struct EndpointRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = Text)]
    url: String,
    #[diesel(sql_type = Text)]
    description: String,
    #[diesel(sql_type = Array<Text>)]
    event_types: Vec<String>,
    #[diesel(sql_type = Text)]
    signature: String,
    #[diesel(sql_type = Binary)]
    key_sealed: Vec<u8>,
    #[diesel(sql_type = Nullable<Text>)]
    public_key: Option<String>,
    #[diesel(sql_type = Nullable<Binary>)]
    old_key_sealed: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    old_key_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Bool)]
    enabled: bool,
    #[diesel(sql_type = Nullable<Text>)]
    disabled_reason: Option<String>,
    #[diesel(sql_type = Integer)]
    failures: i32,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    failing_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    paused_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
}

impl TryFrom<EndpointRow> for StoredEndpoint {
    type Error = DbError;
    fn try_from(row: EndpointRow) -> Result<Self, DbError> {
        Ok(Self {
            id: WebhookEndpointId::from_uuid(row.id),
            tenant: Tenant::of(OrganizationId::from_uuid(row.organization_id)),
            url: row.url,
            description: row.description,
            filter: EventFilter::stored(row.event_types),
            signature: row
                .signature
                .parse()
                .map_err(|fault| DbError::corrupt("webhook_endpoints.signature", fault))?,
            key_sealed: row.key_sealed,
            public_key: row.public_key,
            old_key: row.old_key_sealed.zip(row.old_key_until),
            enabled: row.enabled,
            disabled_reason: row.disabled_reason,
            health: Health {
                failures: u32::try_from(row.failures).unwrap_or(0),
                failing_since: row.failing_since,
                paused_until: row.paused_until,
            },
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// An endpoint to add.
pub struct NewEndpoint<'a> {
    /// Its id, which its key is sealed for.
    pub id: WebhookEndpointId,
    /// Where it is, as the guard has read it.
    pub url: &'a str,
    /// Its owner's words.
    pub description: &'a str,
    /// What it wants to hear of.
    pub filter: &'a EventFilter,
    /// How its webhooks are signed.
    pub signature: SignatureKind,
    /// What they are signed with, sealed.
    pub key_sealed: &'a [u8],
    /// What verifies them, where that is no secret.
    pub public_key: Option<&'a str>,
    /// Whether it is sent to.
    pub enabled: bool,
}

/// Adds an endpoint. None, and nothing is added, if the organization has `most` already.
pub async fn add(
    tx: &mut Tx,
    tenant: Tenant,
    new: &NewEndpoint<'_>,
    most: i64,
) -> Result<Option<StoredEndpoint>, DbError> {
    let now = tx.now();
    // Two at once would both see room for one: the organization's row makes them take turns.
    sql("SELECT 1 FROM organizations WHERE id = $1 FOR UPDATE")
        .bind::<SqlUuid, _>(tenant.uuid())
        .execute(tx.conn())
        .await?;
    sql(concat!(
        "INSERT INTO webhook_endpoints AS e (
           id, organization_id, url, description, event_types, signature, key_sealed, public_key,
           enabled, created_at, updated_at)
         SELECT $2, $1, $3, $4, $5, $6, $7, $8, $9, $10, $10
         WHERE (SELECT count(*) FROM webhook_endpoints
                WHERE organization_id = $1 AND deleted_at IS NULL) < $11
         RETURNING ",
        columns!()
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(new.id.uuid())
    .bind::<Text, _>(new.url)
    .bind::<Text, _>(new.description)
    .bind::<Array<Text>, _>(new.filter.patterns())
    .bind::<Text, _>(new.signature.as_str())
    .bind::<Binary, _>(new.key_sealed)
    .bind::<Nullable<Text>, _>(new.public_key)
    .bind::<Bool, _>(new.enabled)
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(most)
    .get_result::<EndpointRow>(tx.conn())
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// The organization's endpoints, newest first.
pub async fn list(
    conn: &mut Conn,
    tenant: Tenant,
    before: Option<WebhookEndpointId>,
    limit: i64,
) -> Result<Vec<StoredEndpoint>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM webhook_endpoints e
         WHERE e.organization_id = $1 AND e.deleted_at IS NULL AND ($2 IS NULL OR e.id < $2)
         ORDER BY e.id DESC LIMIT $3"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Nullable<SqlUuid>, _>(before.map(WebhookEndpointId::uuid))
    .bind::<BigInt, _>(limit)
    .load::<EndpointRow>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// One endpoint.
pub async fn find(
    conn: &mut Conn,
    tenant: Tenant,
    id: WebhookEndpointId,
) -> Result<Option<StoredEndpoint>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM webhook_endpoints e
         WHERE e.organization_id = $1 AND e.id = $2 AND e.deleted_at IS NULL"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result::<EndpointRow>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// One endpoint, whose row is held until this transaction ends.
pub async fn lock(
    tx: &mut Tx,
    tenant: Tenant,
    id: WebhookEndpointId,
) -> Result<Option<StoredEndpoint>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM webhook_endpoints e
         WHERE e.organization_id = $1 AND e.id = $2 AND e.deleted_at IS NULL FOR UPDATE"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result::<EndpointRow>(tx.conn())
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// What is to be changed of an endpoint; what is none stays.
#[derive(Debug, Default)]
pub struct Change<'a> {
    /// Where it is.
    pub url: Option<&'a str>,
    /// Its owner's words.
    pub description: Option<&'a str>,
    /// What it wants to hear of.
    pub filter: Option<&'a EventFilter>,
    /// Whether it is sent to. Enabled anew or moved, it starts in good health.
    pub enabled: Option<bool>,
}

/// Changes an endpoint, and cancels what waits for one that is disabled.
pub async fn change(
    tx: &mut Tx,
    tenant: Tenant,
    id: WebhookEndpointId,
    change: &Change<'_>,
) -> Result<Option<StoredEndpoint>, DbError> {
    let now = tx.now();
    let patterns = change.filter.map(EventFilter::patterns);
    let row = sql(concat!(
        "UPDATE webhook_endpoints AS e SET
           url = coalesce($3, e.url), description = coalesce($4, e.description),
           event_types = coalesce($5, e.event_types), enabled = coalesce($6, e.enabled),
           disabled_reason = CASE WHEN $6 THEN NULL ELSE e.disabled_reason END,
           failures = CASE WHEN $6 OR $3 <> e.url THEN 0 ELSE e.failures END,
           failing_since = CASE WHEN $6 OR $3 <> e.url THEN NULL ELSE e.failing_since END,
           paused_until = CASE WHEN $6 OR $3 <> e.url THEN NULL ELSE e.paused_until END,
           updated_at = $7
         WHERE e.organization_id = $1 AND e.id = $2 AND e.deleted_at IS NULL
         RETURNING ",
        columns!()
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Nullable<Text>, _>(change.url)
    .bind::<Nullable<Text>, _>(change.description)
    .bind::<Nullable<Array<Text>>, _>(patterns)
    .bind::<Nullable<Bool>, _>(change.enabled)
    .bind::<Timestamptz, _>(now)
    .get_result::<EndpointRow>(tx.conn())
    .await
    .optional()?;
    if change.enabled == Some(false) && row.is_some() {
        cancel_waiting(tx, tenant, id).await?;
    }
    row.map(TryInto::try_into).transpose()
}

/// Another key for an endpoint.
pub struct NewKey<'a> {
    /// How it signs.
    pub signature: SignatureKind,
    /// The key, sealed.
    pub sealed: &'a [u8],
    /// What verifies it, where that is no secret.
    pub public: Option<&'a str>,
    /// Until when the key before signs beside it.
    pub old_until: DateTime<Utc>,
}

/// Gives an endpoint another key; the one before signs beside it for a while. One
/// that was still signing from an earlier change stops.
pub async fn rotate(
    tx: &mut Tx,
    tenant: Tenant,
    id: WebhookEndpointId,
    new: &NewKey<'_>,
) -> Result<Option<StoredEndpoint>, DbError> {
    let now = tx.now();
    sql(concat!(
        "UPDATE webhook_endpoints AS e SET
           old_key_sealed = CASE WHEN $6 > $7 THEN e.key_sealed END,
           old_key_until = CASE WHEN $6 > $7 THEN $6 END,
           signature = $3, key_sealed = $4, public_key = $5, updated_at = $7
         WHERE e.organization_id = $1 AND e.id = $2 AND e.deleted_at IS NULL
         RETURNING ",
        columns!()
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Text, _>(new.signature.as_str())
    .bind::<Binary, _>(new.sealed)
    .bind::<Nullable<Text>, _>(new.public)
    .bind::<Timestamptz, _>(new.old_until)
    .bind::<Timestamptz, _>(now)
    .get_result::<EndpointRow>(tx.conn())
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// Ends the pause of an endpoint whose breaker has tripped, so that it is tried now.
pub async fn wake(tx: &mut Tx, tenant: Tenant, id: WebhookEndpointId) -> Result<(), DbError> {
    let now = tx.now();
    sql("UPDATE webhook_endpoints SET paused_until = $3
         WHERE organization_id = $1 AND id = $2 AND paused_until > $3")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Deletes an endpoint, and cancels what waits for it. False if there is none.
pub async fn delete(tx: &mut Tx, tenant: Tenant, id: WebhookEndpointId) -> Result<bool, DbError> {
    let now = tx.now();
    let deleted = sql(
        "UPDATE webhook_endpoints SET enabled = false, deleted_at = $3, updated_at = $3
         WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    if deleted == 1 {
        cancel_waiting(tx, tenant, id).await?;
    }
    Ok(deleted == 1)
}

/// Cancels what waits for an endpoint. What is being sent ends as it ends.
pub(super) async fn cancel_waiting(
    tx: &mut Tx,
    tenant: Tenant,
    id: WebhookEndpointId,
) -> Result<(), DbError> {
    let now = tx.now();
    sql(
        "UPDATE partner_deliveries SET state = 'cancelled', finished_at = $3, updated_at = $3
         WHERE organization_id = $1 AND endpoint_id = $2 AND state = 'pending'",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}
