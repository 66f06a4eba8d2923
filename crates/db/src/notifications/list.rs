//! The messages of an organization, page by page and one by one.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::consent::PayerAddress;
use domain::id::{AttemptId, MessageTemplateId, NotificationId, RecoveryId, RecoveryLinkId};
use domain::{Channel, NotificationState};
use uuid::Uuid;

use super::WrittenWith;
use crate::id_range::IdRange;
use crate::sql::{Statement, sql};
use crate::{Conn, DbError, Tenant};

/// Which messages are wanted, newest first.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// On this channel alone.
    pub channel: Option<Channel>,
    /// In this state alone.
    pub state: Option<NotificationState>,
    /// About this recovery alone.
    pub recovery: Option<RecoveryId>,
    /// To this address alone, in lower case.
    pub address: Option<String>,
    /// Asked for from then on.
    pub from: Option<DateTime<Utc>>,
    /// Asked for before then.
    pub to: Option<DateTime<Utc>>,
    /// Older than this one.
    pub before: Option<NotificationId>,
    /// At most so many.
    pub limit: i64,
}

/// A message as it is kept.
#[derive(Debug, Clone)]
pub struct StoredNotification {
    /// Its id.
    pub id: NotificationId,
    /// What it is about.
    pub recovery: RecoveryId,
    /// The step that asked for it.
    pub attempt: AttemptId,
    /// The link in it.
    pub link: RecoveryLinkId,
    /// By which way.
    pub channel: Channel,
    /// To whom; none where what is kept does not read.
    pub address: Option<PayerAddress>,
    /// Where it stands.
    pub state: NotificationState,
    /// Hand-overs tried.
    pub tries: u32,
    /// With what it was last written, if it was.
    pub written: Option<WrittenWith>,
    /// Who carries it.
    pub provider: Option<String>,
    /// The provider's id of it.
    pub message_id: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it last moved.
    pub updated_at: DateTime<Utc>,
    /// When the provider took it.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it arrived, by the provider's word.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When it was refused or came back.
    pub failed_at: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
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
    #[diesel(sql_type = Integer)]
    tries: i32,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    template_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Integer>)]
    template_version: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    language: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    template_fault: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    provider: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    provider_message_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    error: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    sent_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    delivered_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    failed_at: Option<DateTime<Utc>>,
}

macro_rules! columns {
    () => {
        "n.id, n.recovery_id, n.attempt_id, n.link_id, n.channel, n.address, n.state, n.tries,
         n.template_id, n.template_version, n.language, n.template_fault, n.provider,
         n.provider_message_id, n.error, n.created_at, n.updated_at, n.sent_at, n.delivered_at,
         n.failed_at"
    };
}

impl TryFrom<Row> for StoredNotification {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let channel: Channel = row
            .channel
            .parse()
            .map_err(|fault| DbError::corrupt("notifications.channel", fault))?;
        Ok(Self {
            id: NotificationId::from_uuid(row.id),
            recovery: RecoveryId::from_uuid(row.recovery_id),
            attempt: AttemptId::from_uuid(row.attempt_id),
            link: RecoveryLinkId::from_uuid(row.link_id),
            channel,
            address: PayerAddress::parse(channel, &row.address).ok(),
            state: row
                .state
                .parse()
                .map_err(|fault| DbError::corrupt("notifications.state", fault))?,
            tries: u32::try_from(row.tries).unwrap_or(0),
            written: row.language.map(|language| WrittenWith {
                template: row
                    .template_id
                    .map(MessageTemplateId::from_uuid)
                    .zip(row.template_version),
                language,
                fault: row.template_fault,
            }),
            provider: row.provider,
            message_id: row.provider_message_id,
            error: row.error,
            created_at: row.created_at,
            updated_at: row.updated_at,
            sent_at: row.sent_at,
            delivered_at: row.delivered_at,
            failed_at: row.failed_at,
        })
    }
}

/// A statement for each way to begin, so that each has its index.
macro_rules! page {
    ($chosen:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM notifications n
              WHERE n.organization_id = $1 AND n.id >= $2 AND n.id < $3 AND ",
            $chosen,
            " AND ($4 IS NULL OR n.recovery_id = $4) AND ($5 IS NULL OR lower(n.address) = $5)
              AND ($6 IS NULL OR n.state = $6) AND ($7 IS NULL OR n.channel = $7)
              ORDER BY n.id DESC LIMIT $8"
        )
    };
}

fn statement<'a>(wanted: &Wanted) -> Statement<'a> {
    sql(if wanted.recovery.is_some() {
        page!("n.recovery_id = $4")
    } else if wanted.address.is_some() {
        page!("lower(n.address) = $5")
    } else if wanted.state.is_some() {
        page!("n.state = $6")
    } else {
        page!("true")
    })
}

/// The messages of an organization.
pub async fn list(
    conn: &mut Conn,
    tenant: Tenant,
    wanted: &Wanted,
) -> Result<Vec<StoredNotification>, DbError> {
    let before = wanted.before.map(domain::Id::uuid);
    let ids = IdRange::new(wanted.from, wanted.to, before);
    statement(wanted)
        .bind::<SqlUuid, _>(tenant.uuid())
        .bind::<SqlUuid, _>(ids.low)
        .bind::<SqlUuid, _>(ids.high)
        .bind::<Nullable<SqlUuid>, _>(wanted.recovery.map(domain::Id::uuid))
        .bind::<Nullable<Text>, _>(wanted.address.as_deref())
        .bind::<Nullable<Text>, _>(wanted.state.map(NotificationState::as_str))
        .bind::<Nullable<Text>, _>(wanted.channel.map(Channel::as_str))
        .bind::<BigInt, _>(wanted.limit)
        .load::<Row>(conn)
        .await?
        .into_iter()
        .map(TryInto::try_into)
        .collect()
}

/// The organization's message of that id.
pub async fn find(
    conn: &mut Conn,
    tenant: Tenant,
    id: NotificationId,
) -> Result<Option<StoredNotification>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM notifications n WHERE n.organization_id = $1 AND n.id = $2"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result::<Row>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}
