//! Messages to payers, one row a channel. States as in `domain::state`.
//!
//! A hand-over is marked before it starts ([`begin_hand_over`]) in the same
//! statement that sees the recovery still open, and ended by [`finish`]. A row
//! that is found `handing_over` with its lease run out was left by a process
//! that died in between: nobody can say whether the message went out, so it is
//! looked up where the provider can be asked, and else held as `unconfirmed`.

mod asked;
mod list;

pub use asked::{NewMessage, ask};
pub(crate) use asked::{Waiting, insert, write};
pub use list::{StoredNotification, Wanted, find, list};

use chrono::{DateTime, Utc};
use diesel::sql_types::{Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::consent::Bar;
use domain::id::{
    AttemptId, MessageTemplateId, NotificationId, OrganizationId, RecoveryId, RecoveryLinkId,
};
use domain::{Channel, NotificationState, RecoveryState};
use uuid::Uuid;

use crate::about::{About, AboutRow, about_columns, about_joins};
use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx, reach};

/// A message with what it takes to write it.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Its id.
    pub id: NotificationId,
    /// Whose it is.
    pub tenant: Tenant,
    /// What it is about.
    pub recovery: RecoveryId,
    /// The step that asked for it.
    pub attempt: AttemptId,
    /// The link in it.
    pub link: RecoveryLinkId,
    /// By which way.
    pub channel: Channel,
    /// To whom.
    pub address: String,
    /// Where it stands.
    pub state: NotificationState,
    /// Until when its hand-over is believed to be under way.
    pub lease_until: Option<DateTime<Utc>>,
    /// When its hand-over began or it last moved.
    pub updated_at: DateTime<Utc>,
    /// Hand-overs tried.
    pub tries: u32,
    /// Where the recovery stands.
    pub recovery_state: RecoveryState,
    /// Whether the merchant lets the recovery rest.
    pub recovery_paused: bool,
    /// What it has to say.
    pub about: About,
    /// With what it was last written, if it was.
    pub written: Option<WrittenWith>,
    /// Until when the link can be paid through.
    pub link_expires_at: DateTime<Utc>,
    /// What keeps the address from being written to, if anything.
    pub barred: Option<Bar>,
    /// Whether operators hold it ([`crate::holds`]).
    pub held: bool,
}

/// What a message was written with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenWith {
    /// The organization's template and its version; `None` for Tinko's own.
    pub template: Option<(MessageTemplateId, i32)>,
    /// The language, as a BCP 47 tag.
    pub language: String,
    /// Why the organization's template could not be used, where it has one.
    pub fault: Option<String>,
}

#[derive(QueryableByName)]
struct LetterRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    recovery_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    attempt_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    link_id: Uuid,
    #[diesel(sql_type = Text)]
    channel: String,
    #[diesel(sql_type = Text)]
    address: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    lease_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = Integer)]
    tries: i32,
    #[diesel(sql_type = Text)]
    recovery_state: String,
    #[diesel(sql_type = Bool)]
    recovery_paused: bool,
    #[diesel(embed)]
    about: AboutRow,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    template_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Integer>)]
    template_version: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    language: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    template_fault: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    link_expires_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Text>)]
    barred: Option<String>,
    #[diesel(sql_type = Bool)]
    held: bool,
}

impl TryFrom<LetterRow> for Letter {
    type Error = DbError;
    fn try_from(row: LetterRow) -> Result<Self, DbError> {
        Ok(Self {
            id: NotificationId::from_uuid(row.id),
            tenant: Tenant::of(OrganizationId::from_uuid(row.organization_id)),
            recovery: RecoveryId::from_uuid(row.recovery_id),
            attempt: AttemptId::from_uuid(row.attempt_id),
            link: RecoveryLinkId::from_uuid(row.link_id),
            channel: row
                .channel
                .parse()
                .map_err(|fault| DbError::corrupt("notifications.channel", fault))?,
            address: row.address,
            state: row
                .state
                .parse()
                .map_err(|fault| DbError::corrupt("notifications.state", fault))?,
            lease_until: row.lease_until,
            updated_at: row.updated_at,
            tries: u32::try_from(row.tries).unwrap_or(0),
            recovery_state: row
                .recovery_state
                .parse()
                .map_err(|fault| DbError::corrupt("recoveries.state", fault))?,
            recovery_paused: row.recovery_paused,
            about: row.about.try_into()?,
            written: row.language.map(|language| WrittenWith {
                template: row
                    .template_id
                    .map(MessageTemplateId::from_uuid)
                    .zip(row.template_version),
                language,
                fault: row.template_fault,
            }),
            link_expires_at: row.link_expires_at,
            barred: reach::read(row.barred)?,
            held: row.held,
        })
    }
}

/// A message with what it takes to write it, in one read.
///
/// Which message is hidden from Postgres, which would plan the joins of six partitioned
/// tables anew for each, to look through one month less (`docs/decisions/0068`).
pub async fn letter(
    conn: &mut Conn,
    tenant: Tenant,
    id: NotificationId,
) -> Result<Option<Letter>, DbError> {
    sql(concat!(
        "SELECT n.id, n.organization_id, n.recovery_id, n.attempt_id, n.link_id, n.channel,
                n.address, n.state, n.lease_until, n.updated_at, n.tries,
                n.template_id, n.template_version, n.language, n.template_fault,
                r.state AS recovery_state, r.paused_at IS NOT NULL AS recovery_paused, l.expires_at AS link_expires_at,
                why_unreachable(n.organization_id, n.channel, n.address) AS barred,
                EXISTS (SELECT FROM holds h WHERE h.ended_at IS NULL
                  AND (h.organization_id IS NULL OR h.organization_id = n.organization_id)
                  AND (h.channel IS NULL OR h.channel = n.channel)) AS held, ",
        about_columns!(),
        " FROM notifications n
          JOIN recovery_links l ON l.id = n.link_id AND (l.organization_id = n.organization_id) IS TRUE
          JOIN recoveries r ON r.id = n.recovery_id AND (r.organization_id = n.organization_id) IS TRUE",
        about_joins!(),
        "WHERE n.organization_id = $1 AND n.id = (SELECT $2)"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result::<LetterRow>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// Marks that the hand-over starts now. False if the message must not go out:
/// another process has it, its recovery is paused or no longer open, operators hold it, or
/// the payer must not be written to any more. The recovery's row is share-locked for the statement,
/// so a payment that commits first is seen. What the letter is written with is kept.
pub async fn begin_hand_over(
    conn: &mut Conn,
    letter: &Letter,
    worker: Uuid,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Result<bool, DbError> {
    let written = letter.written.as_ref();
    let template = written.and_then(|written| written.template);
    let moved = sql("WITH alive AS (
           SELECT id FROM recoveries
           WHERE organization_id = $1 AND id = $3 AND state = 'open' AND paused_at IS NULL
           FOR SHARE
         )
         UPDATE notifications
         SET state = 'handing_over', claimed_by = $4, lease_until = $6, tries = tries + 1,
             updated_at = $5, template_id = $7, template_version = $8, language = $9,
             template_fault = $10
         WHERE organization_id = $1 AND id = $2 AND state = 'queued'
           AND EXISTS (SELECT 1 FROM alive)
           AND why_unreachable(organization_id, channel, address) IS NULL
           AND NOT EXISTS (SELECT FROM holds h WHERE h.ended_at IS NULL
             AND (h.organization_id IS NULL OR h.organization_id = notifications.organization_id)
             AND (h.channel IS NULL OR h.channel = notifications.channel))")
    .bind::<SqlUuid, _>(letter.tenant.uuid())
    .bind::<SqlUuid, _>(letter.id.uuid())
    .bind::<SqlUuid, _>(letter.recovery.uuid())
    .bind::<SqlUuid, _>(worker)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(lease_until)
    .bind::<Nullable<SqlUuid>, _>(template.map(|(id, _)| id.uuid()))
    .bind::<Nullable<Integer>, _>(template.map(|(_, version)| version))
    .bind::<Nullable<Text>, _>(written.map(|written| written.language.as_str()))
    .bind::<Nullable<Text>, _>(written.and_then(|written| written.fault.as_deref()))
    .execute(conn)
    .await?;
    Ok(moved == 1)
}

/// Takes over a hand-over whose process died: its lease has run out.
pub async fn take_over(
    conn: &mut Conn,
    letter: &Letter,
    worker: Uuid,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Result<bool, DbError> {
    let moved = sql("UPDATE notifications SET claimed_by = $3, lease_until = $5
         WHERE organization_id = $1 AND id = $2 AND state = 'handing_over' AND lease_until <= $4")
    .bind::<SqlUuid, _>(letter.tenant.uuid())
    .bind::<SqlUuid, _>(letter.id.uuid())
    .bind::<SqlUuid, _>(worker)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(lease_until)
    .execute(conn)
    .await?;
    Ok(moved == 1)
}

/// What the provider said.
#[derive(Debug, Clone, Default)]
pub struct HandOver<'a> {
    /// Which provider.
    pub provider: Option<&'a str>,
    /// The message's id there.
    pub message_id: Option<&'a str>,
    /// What went wrong, without the payer's address.
    pub error: Option<&'a str>,
}

/// Ends a hand-over that `worker` holds. False if it no longer does. What the
/// letter was written with in the end is kept.
pub async fn finish(
    tx: &mut Tx,
    letter: &Letter,
    worker: Uuid,
    state: NotificationState,
    result: &HandOver<'_>,
) -> Result<bool, DbError> {
    let now = tx.now();
    let written = letter.written.as_ref();
    let template = written.and_then(|written| written.template);
    let moved = sql("UPDATE notifications
         SET state = $4, claimed_by = NULL, lease_until = NULL,
             provider = coalesce($5, provider),
             provider_message_id = coalesce($6, provider_message_id), error = $7,
             sent_at = CASE WHEN $4 = 'sent' THEN $8 ELSE sent_at END,
             failed_at = CASE WHEN $4 = 'failed' THEN $8 ELSE failed_at END,
             updated_at = $8, template_id = $9, template_version = $10, language = $11,
             template_fault = $12
         WHERE organization_id = $1 AND id = $2 AND state = 'handing_over' AND claimed_by = $3")
    .bind::<SqlUuid, _>(letter.tenant.uuid())
    .bind::<SqlUuid, _>(letter.id.uuid())
    .bind::<SqlUuid, _>(worker)
    .bind::<Text, _>(state.as_str())
    .bind::<Nullable<Text>, _>(result.provider)
    .bind::<Nullable<Text>, _>(result.message_id)
    .bind::<Nullable<Text>, _>(result.error)
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<SqlUuid>, _>(template.map(|(id, _)| id.uuid()))
    .bind::<Nullable<Integer>, _>(template.map(|(_, version)| version))
    .bind::<Nullable<Text>, _>(written.map(|written| written.language.as_str()))
    .bind::<Nullable<Text>, _>(written.and_then(|written| written.fault.as_deref()))
    .execute(tx.conn())
    .await?;
    Ok(moved == 1)
}

/// Ends a message that was never handed over: `withdrawn` or `failed`.
pub async fn drop_queued(
    tx: &mut Tx,
    letter: &Letter,
    state: NotificationState,
    reason: &str,
) -> Result<bool, DbError> {
    let now = tx.now();
    let moved = sql(
        "UPDATE notifications SET state = $3, error = $4, updated_at = $5
         WHERE organization_id = $1 AND id = $2 AND state = 'queued'",
    )
    .bind::<SqlUuid, _>(letter.tenant.uuid())
    .bind::<SqlUuid, _>(letter.id.uuid())
    .bind::<Text, _>(state.as_str())
    .bind::<Text, _>(reason)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(moved == 1)
}

/// Withdraws every message of a recovery that is not yet being handed over;
/// answers how many.
pub async fn withdraw_queued(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    reason: &str,
) -> Result<usize, DbError> {
    let now = tx.now();
    Ok(sql(
        "UPDATE notifications SET state = 'withdrawn', error = $3, updated_at = $4
         WHERE organization_id = $1 AND recovery_id = $2 AND state = 'queued'",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .bind::<Text, _>(reason)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?)
}

/// Withdraws the messages that hold this link and are not yet being handed over;
/// answers how many.
pub async fn withdraw_queued_with(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    link: RecoveryLinkId,
    reason: &str,
) -> Result<usize, DbError> {
    let now = tx.now();
    Ok(sql(
        "UPDATE notifications SET state = 'withdrawn', error = $4, updated_at = $5
         WHERE organization_id = $1 AND recovery_id = $2 AND link_id = $3 AND state = 'queued'",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .bind::<SqlUuid, _>(link.uuid())
    .bind::<Text, _>(reason)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?)
}

/// A message as the API shows it: without the payer's address.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its id.
    pub id: NotificationId,
    /// The step that asked for it.
    pub attempt: AttemptId,
    /// By which way.
    pub channel: Channel,
    /// Where it stands.
    pub state: NotificationState,
    /// What went wrong.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When the provider took it.
    pub sent_at: Option<DateTime<Utc>>,
}

/// The messages of a recovery, oldest first; at most 200.
pub async fn of_recovery(
    conn: &mut Conn,
    tenant: Tenant,
    recovery: RecoveryId,
) -> Result<Vec<Sent>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = SqlUuid)]
        attempt_id: Uuid,
        #[diesel(sql_type = Text)]
        channel: String,
        #[diesel(sql_type = Text)]
        state: String,
        #[diesel(sql_type = Nullable<Text>)]
        error: Option<String>,
        #[diesel(sql_type = Timestamptz)]
        created_at: DateTime<Utc>,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        sent_at: Option<DateTime<Utc>>,
    }
    sql(
        "SELECT id, attempt_id, channel, state, error, created_at, sent_at FROM notifications
         WHERE organization_id = $1 AND recovery_id = $2 ORDER BY id LIMIT 200",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .load::<Row>(conn)
    .await?
    .into_iter()
    .map(|row| {
        Ok(Sent {
            id: NotificationId::from_uuid(row.id),
            attempt: AttemptId::from_uuid(row.attempt_id),
            channel: row
                .channel
                .parse()
                .map_err(|fault| DbError::corrupt("notifications.channel", fault))?,
            state: row
                .state
                .parse()
                .map_err(|fault| DbError::corrupt("notifications.state", fault))?,
            error: row.error,
            created_at: row.created_at,
            sent_at: row.sent_at,
        })
    })
    .collect()
}
