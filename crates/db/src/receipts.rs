//! What providers tell of messages after they took them.
//!
//! A receipt names its message by our id, which Twilio's callback address, a
//! WhatsApp status and a mail's Message-ID carry, or by the provider's. It comes
//! late, twice and out of order: [`settle`] moves a row only where
//! `NotificationState::may_be_told` has it, under the row's lock.

use diesel::sql_types::{Array, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::consent::PayerAddress;
use domain::id::{AttemptId, NotificationId, OrganizationId, RecoveryId};
use domain::{Channel, NotificationState};
use uuid::Uuid;

use crate::contacts;
use crate::sql::sql;
use crate::{DbError, Tenant, Tx};

/// A message that a receipt is about, its row locked.
#[derive(Debug, Clone)]
pub struct Receipted {
    /// Whose it is: the receipt's signature was checked, and it names this row.
    pub tenant: Tenant,
    /// Its id.
    pub id: NotificationId,
    /// What it is about.
    pub recovery: RecoveryId,
    /// The step that asked for it.
    pub attempt: AttemptId,
    /// To whom.
    pub address: PayerAddress,
    /// Where it stands.
    pub state: NotificationState,
    /// Whether it was known to have been sent.
    pub was_sent: bool,
    /// The provider's id of it, as far as it is known.
    pub message_id: Option<String>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    recovery_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    attempt_id: Uuid,
    #[diesel(sql_type = Text)]
    channel: String,
    #[diesel(sql_type = Text)]
    address: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Bool)]
    was_sent: bool,
    #[diesel(sql_type = Nullable<Text>)]
    provider_message_id: Option<String>,
}

impl TryFrom<Row> for Receipted {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        Ok(Self {
            tenant: Tenant::of(OrganizationId::from_uuid(row.organization_id)),
            id: NotificationId::from_uuid(row.id),
            recovery: RecoveryId::from_uuid(row.recovery_id),
            attempt: AttemptId::from_uuid(row.attempt_id),
            address: contacts::address("notifications.address", &row.channel, &row.address)?,
            state: row
                .state
                .parse()
                .map_err(|fault| DbError::corrupt("notifications.state", fault))?,
            was_sent: row.was_sent,
            message_id: row.provider_message_id,
        })
    }
}

/// The message of our id, if it is one of that channel.
pub async fn by_id(
    tx: &mut Tx,
    channel: Channel,
    id: NotificationId,
) -> Result<Option<Receipted>, DbError> {
    sql(
        "SELECT id, organization_id, recovery_id, attempt_id, channel, address, state,
                sent_at IS NOT NULL AS was_sent, provider_message_id
         FROM notifications WHERE id = $1 AND channel = $2 FOR UPDATE",
    )
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Text, _>(channel.as_str())
    .get_result::<Row>(tx.conn())
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// The message that the provider knows by this id.
pub async fn by_message_id(
    tx: &mut Tx,
    provider: &str,
    message_id: &str,
) -> Result<Option<Receipted>, DbError> {
    sql(
        "SELECT id, organization_id, recovery_id, attempt_id, channel, address, state,
                sent_at IS NOT NULL AS was_sent, provider_message_id
         FROM notifications WHERE provider = $1 AND provider_message_id = $2
         ORDER BY id DESC LIMIT 1 FOR UPDATE",
    )
    .bind::<Text, _>(provider)
    .bind::<Text, _>(message_id)
    .get_result::<Row>(tx.conn())
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// What a provider says became of a message.
#[derive(Debug, Clone)]
pub struct Fate<'a> {
    /// Where it stands now.
    pub state: NotificationState,
    /// Which provider says so.
    pub provider: &'a str,
    /// The message's id there.
    pub message_id: Option<&'a str>,
    /// What went wrong, without the payer's address.
    pub error: Option<&'a str>,
}

/// Moves a message to where its provider says it is. False, and nothing changes,
/// if that is no news.
pub async fn settle(tx: &mut Tx, receipted: &Receipted, fate: &Fate<'_>) -> Result<bool, DbError> {
    let now = tx.now();
    let from: Vec<&str> = NotificationState::ALL
        .iter()
        .filter(|state| state.may_be_told(fate.state))
        .map(|state| state.as_str())
        .collect();
    let moved = sql("UPDATE notifications
         SET state = $3, claimed_by = NULL, lease_until = NULL,
             provider = coalesce(provider, $4),
             provider_message_id = coalesce(provider_message_id, $5), error = $6,
             sent_at = CASE WHEN $3 = 'failed' THEN sent_at ELSE coalesce(sent_at, $7) END,
             delivered_at = CASE WHEN $3 = 'delivered' THEN $7 ELSE delivered_at END,
             failed_at = CASE WHEN $3 IN ('bounced', 'failed') THEN $7 ELSE failed_at END,
             updated_at = $7
         WHERE organization_id = $1 AND id = $2 AND state = ANY ($8)")
    .bind::<SqlUuid, _>(receipted.tenant.uuid())
    .bind::<SqlUuid, _>(receipted.id.uuid())
    .bind::<Text, _>(fate.state.as_str())
    .bind::<Text, _>(fate.provider)
    .bind::<Nullable<Text>, _>(fate.message_id)
    .bind::<Nullable<Text>, _>(fate.error)
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Text>, _>(from)
    .execute(tx.conn())
    .await?;
    Ok(moved == 1)
}
