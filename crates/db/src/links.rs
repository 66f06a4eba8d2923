//! Recovery links: a payer's way to pay without logging in. Tokens are stored hashed.

mod list;

pub use list::{Listed, Wanted, list};

use chrono::{DateTime, Utc};
use diesel::sql_types::{Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::LinkState;
use domain::id::{AttemptId, OrganizationId, RecoveryId, RecoveryLinkId, TransactionId};
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// A link as stored.
#[derive(Debug, Clone)]
pub struct StoredLink {
    /// Its id, from which its token is derived.
    pub id: RecoveryLinkId,
    /// Whose it is.
    pub tenant: Tenant,
    /// What it pays for.
    pub recovery: RecoveryId,
    /// The attempt that sent it, if one did.
    pub attempt: Option<AttemptId>,
    /// Where it stands.
    pub state: LinkState,
    /// How it reached the payer: a channel, or `link` when a partner passed it on.
    pub channel: String,
    /// Until when it can be paid through.
    pub expires_at: DateTime<Utc>,
    /// When it was first opened.
    pub opened_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

macro_rules! columns {
    () => {
        "l.id, l.organization_id, l.recovery_id, l.attempt_id, l.state, l.channel, l.expires_at,
         l.opened_at, l.created_at"
    };
}

#[derive(QueryableByName)]
struct LinkRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    recovery_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    attempt_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Text)]
    channel: String,
    #[diesel(sql_type = Timestamptz)]
    expires_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    opened_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

impl TryFrom<LinkRow> for StoredLink {
    type Error = DbError;
    fn try_from(row: LinkRow) -> Result<Self, DbError> {
        Ok(Self {
            id: RecoveryLinkId::from_uuid(row.id),
            tenant: Tenant::of(OrganizationId::from_uuid(row.organization_id)),
            recovery: RecoveryId::from_uuid(row.recovery_id),
            attempt: row.attempt_id.map(AttemptId::from_uuid),
            state: row
                .state
                .parse()
                .map_err(|fault| DbError::corrupt("recovery_links.state", fault))?,
            channel: row.channel,
            expires_at: row.expires_at,
            opened_at: row.opened_at,
            created_at: row.created_at,
        })
    }
}

/// Stores a link. The id comes from the caller, who derived the token from it.
#[expect(
    clippy::too_many_arguments,
    reason = "one row, one place that writes it"
)]
pub async fn add(
    tx: &mut Tx,
    tenant: Tenant,
    id: RecoveryLinkId,
    recovery: RecoveryId,
    attempt: Option<AttemptId>,
    token_hash: &[u8; 32],
    channel: &str,
    expires_at: DateTime<Utc>,
) -> Result<(), DbError> {
    let now = tx.now();
    sql(
        "INSERT INTO recovery_links (id, organization_id, recovery_id, attempt_id, token_hash,
                                     state, channel, expires_at, created_at)
         VALUES ($1, $2, $3, $4, $5, 'created', $6, $7, $8)",
    )
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .bind::<Nullable<SqlUuid>, _>(attempt.map(domain::Id::uuid))
    .bind::<Binary, _>(token_hash.as_slice())
    .bind::<Text, _>(channel)
    .bind::<Timestamptz, _>(expires_at)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The link whose token has this hash, in whatever state.
pub async fn by_token_hash(
    conn: &mut Conn,
    token_hash: &[u8; 32],
) -> Result<Option<StoredLink>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM recovery_links l WHERE l.token_hash = $1"
    ))
    .bind::<Binary, _>(token_hash.as_slice())
    .get_result::<LinkRow>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// The links of a recovery, oldest first; at most 200.
pub async fn of_recovery(
    conn: &mut Conn,
    tenant: Tenant,
    recovery: RecoveryId,
) -> Result<Vec<StoredLink>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM recovery_links l WHERE l.organization_id = $1 AND l.recovery_id = $2
          ORDER BY l.id LIMIT 200"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .load::<LinkRow>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// The links of every recovery of a transaction, oldest first; at most 200.
pub async fn of_transaction(
    conn: &mut Conn,
    tenant: Tenant,
    transaction: TransactionId,
) -> Result<Vec<StoredLink>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM recovery_links l
          JOIN recoveries r ON r.id = l.recovery_id AND r.organization_id = l.organization_id
          WHERE r.organization_id = $1 AND r.transaction_id = $2
          ORDER BY l.id LIMIT 200"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(transaction.uuid())
    .load::<LinkRow>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// Records the first visit; false if it was visited before or is dead.
pub async fn mark_opened(tx: &mut Tx, tenant: Tenant, id: RecoveryLinkId) -> Result<bool, DbError> {
    let now = tx.now();
    let moved = sql("UPDATE recovery_links SET state = 'opened', opened_at = $3
         WHERE organization_id = $1 AND id = $2 AND state = 'created' AND expires_at > $3")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(moved == 1)
}

/// Ends every live link of a recovery: `used` for the one paid through, if it is
/// known, `revoked` for the others.
pub async fn end_all(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    used: Option<RecoveryLinkId>,
) -> Result<(), DbError> {
    let now = tx.now();
    sql("UPDATE recovery_links
         SET state = CASE WHEN id = $3 THEN 'used' ELSE 'revoked' END,
             used_at = CASE WHEN id = $3 THEN $4 END
         WHERE organization_id = $1 AND recovery_id = $2 AND state IN ('created', 'opened')")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .bind::<Nullable<SqlUuid>, _>(used.map(domain::Id::uuid))
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The organization's link of that id, its row locked.
pub async fn lock(
    tx: &mut Tx,
    tenant: Tenant,
    id: RecoveryLinkId,
) -> Result<Option<StoredLink>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM recovery_links l WHERE l.organization_id = $1 AND l.id = $2 FOR UPDATE"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result::<LinkRow>(tx.conn())
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// The organization's link of that id.
pub async fn find(
    conn: &mut Conn,
    tenant: Tenant,
    id: RecoveryLinkId,
) -> Result<Option<StoredLink>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM recovery_links l WHERE l.organization_id = $1 AND l.id = $2"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result::<LinkRow>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// Ends one living link; false if it was not living.
pub async fn revoke(tx: &mut Tx, tenant: Tenant, id: RecoveryLinkId) -> Result<bool, DbError> {
    let now = tx.now();
    let moved = sql("UPDATE recovery_links SET state = 'revoked'
         WHERE organization_id = $1 AND id = $2 AND state IN ('created', 'opened')
           AND expires_at > $3")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(moved == 1)
}
