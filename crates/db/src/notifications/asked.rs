//! Messages that a transaction asks for, each with a link of its own. They are written as
//! it commits, with all else that nothing reads before (`docs/decisions/0065`).

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Binary, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::Channel;
use domain::id::{AttemptId, Notification, NotificationId, RecoveryId, RecoveryLinkId};
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// A message to ask for.
#[derive(Clone)]
pub struct NewMessage {
    /// About which recovery.
    pub recovery: RecoveryId,
    /// By which attempt.
    pub attempt: AttemptId,
    /// Its link. The id comes from the caller, who derived the token from it.
    pub link: RecoveryLinkId,
    /// SHA-256 of the link's token.
    pub token_hash: [u8; 32],
    /// Until when the link is good.
    pub expires_at: DateTime<Utc>,
    /// By which channel.
    pub channel: Channel,
    /// To which address.
    pub address: String,
}

/// A message that waits for its transaction to commit.
pub(crate) struct Waiting {
    id: NotificationId,
    tenant: Tenant,
    new: NewMessage,
}

/// Asks for a message.
pub fn ask(tx: &mut Tx, tenant: Tenant, new: NewMessage) -> NotificationId {
    let id = tx.new_id::<Notification>();
    tx.messages.push(Waiting { id, tenant, new });
    id
}

/// Writes what was asked for until now, for whoever ends what waits.
pub(crate) async fn write(tx: &mut Tx) -> Result<(), DbError> {
    let messages = std::mem::take(&mut tx.messages);
    let now = tx.now();
    insert(tx.conn(), now, &messages).await
}

/// Writes messages and their links, in one statement.
pub(crate) async fn insert(
    mut conn: &Conn,
    now: DateTime<Utc>,
    messages: &[Waiting],
) -> Result<(), DbError> {
    if messages.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = messages.iter().map(|it| it.id.uuid()).collect();
    let organizations: Vec<Uuid> = messages.iter().map(|it| it.tenant.uuid()).collect();
    let recoveries: Vec<Uuid> = messages.iter().map(|it| it.new.recovery.uuid()).collect();
    let attempts: Vec<Uuid> = messages.iter().map(|it| it.new.attempt.uuid()).collect();
    let links: Vec<Uuid> = messages.iter().map(|it| it.new.link.uuid()).collect();
    let hashes: Vec<&[u8]> = messages.iter().map(|it| &it.new.token_hash[..]).collect();
    let ends: Vec<DateTime<Utc>> = messages.iter().map(|it| it.new.expires_at).collect();
    let channels: Vec<&str> = messages.iter().map(|it| it.new.channel.as_str()).collect();
    let addresses: Vec<&str> = messages.iter().map(|it| it.new.address.as_str()).collect();
    sql("WITH asked AS (
           SELECT * FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10)
             AS it (id, organization_id, recovery_id, attempt_id, link_id, token_hash, expires_at, channel, address)),
         linked AS (
           INSERT INTO recovery_links (id, organization_id, recovery_id, attempt_id, token_hash,
                                       state, channel, expires_at, created_at)
           SELECT link_id, organization_id, recovery_id, attempt_id, token_hash,
                  'created', channel, expires_at, $1
           FROM asked)
         INSERT INTO notifications (id, organization_id, recovery_id, attempt_id, link_id, channel,
                                    address, state, created_at, updated_at)
         SELECT id, organization_id, recovery_id, attempt_id, link_id, channel, address, 'queued', $1, $1
         FROM asked")
    .bind::<Timestamptz, _>(now)
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<SqlUuid>, _>(organizations)
    .bind::<Array<SqlUuid>, _>(recoveries)
    .bind::<Array<SqlUuid>, _>(attempts)
    .bind::<Array<SqlUuid>, _>(links)
    .bind::<Array<Binary>, _>(hashes)
    .bind::<Array<Timestamptz>, _>(ends)
    .bind::<Array<Text>, _>(channels)
    .bind::<Array<Text>, _>(addresses)
    .execute(&mut conn)
    .await?;
    Ok(())
}
