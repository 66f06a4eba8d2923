//! An organization's own words for messages: a change is a new version, and what
//! was sent can be read in the version that it was written with.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::Channel;
use domain::id::{MessageTemplate, MessageTemplateId};
use domain::payer::Language;
use serde_json::Value;
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// The most templates that an organization has in use: some ten languages of every
/// channel and kind, and a bound on what a list answers.
pub const MOST: i64 = 500;

/// A template in one of its versions, its content as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTemplate {
    /// Its id, the same for all versions.
    pub id: MessageTemplateId,
    /// For which channel.
    pub channel: Channel,
    /// In which language, as a BCP 47 tag.
    pub language: String,
    /// For which messages: `default`, `neutral` or a failure category.
    pub kind: String,
    /// Counts up with each change.
    pub version: i32,
    /// The content, as `wording` writes and reads it.
    pub content: Value,
    /// When the template was made.
    pub created_at: DateTime<Utc>,
    /// When this version was made.
    pub updated_at: DateTime<Utc>,
    /// When it was taken out of use.
    pub retired_at: Option<DateTime<Utc>>,
}

macro_rules! columns {
    () => {
        "SELECT t.id, t.channel, t.language, t.kind, v.version, v.content, t.created_at,
                v.created_at AS updated_at, t.retired_at
         FROM message_templates t
         JOIN message_template_versions v
           ON v.organization_id = t.organization_id AND v.template_id = t.id "
    };
}

#[derive(QueryableByName)]
struct TemplateRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    channel: String,
    #[diesel(sql_type = Text)]
    language: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Integer)]
    version: i32,
    #[diesel(sql_type = Jsonb)]
    content: Value,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    retired_at: Option<DateTime<Utc>>,
}

impl TryFrom<TemplateRow> for StoredTemplate {
    type Error = DbError;
    fn try_from(row: TemplateRow) -> Result<Self, DbError> {
        Ok(Self {
            id: MessageTemplateId::from_uuid(row.id),
            channel: row
                .channel
                .parse()
                .map_err(|fault| DbError::corrupt("message_templates.channel", fault))?,
            language: row.language,
            kind: row.kind,
            version: row.version,
            content: row.content,
            created_at: row.created_at,
            updated_at: row.updated_at,
            retired_at: row.retired_at,
        })
    }
}

/// What a template is for.
#[derive(Debug, Clone, Copy)]
pub struct Slot<'a> {
    /// Which channel.
    pub channel: Channel,
    /// Which language.
    pub language: &'a Language,
    /// Which messages.
    pub kind: &'a str,
}

/// What became of a new template.
#[derive(Debug)]
pub enum Added {
    /// It is in use.
    Now(MessageTemplateId),
    /// There is one for the same messages already.
    Taken(MessageTemplateId),
    /// The organization has as many as it may.
    Full,
}

/// Takes a template into use, as version 1.
pub async fn add(
    tx: &mut Tx,
    tenant: Tenant,
    slot: &Slot<'_>,
    content: &Value,
) -> Result<Added, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let id = tx.new_id::<MessageTemplate>();
    let now = tx.now();
    let made = sql(
        "INSERT INTO message_templates (
           id, organization_id, channel, language, kind, version, created_at, updated_at)
         SELECT $2, $1, $3, $4, $5, 1, $6, $6
         WHERE (SELECT count(*) FROM message_templates
                WHERE organization_id = $1 AND retired_at IS NULL) < $7
         ON CONFLICT (organization_id, channel, language, kind) WHERE retired_at IS NULL DO NOTHING",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Text, _>(slot.channel.as_str())
    .bind::<Text, _>(slot.language.as_str())
    .bind::<Text, _>(slot.kind)
    .bind::<Timestamptz, _>(now)
    .bind::<diesel::sql_types::BigInt, _>(MOST)
    .execute(tx.conn())
    .await?;
    if made == 1 {
        add_version(tx, tenant, id, 1, content).await?;
        return Ok(Added::Now(id));
    }
    let taken: Option<Row> = sql("SELECT id FROM message_templates
         WHERE organization_id = $1 AND channel = $2 AND language = $3 AND kind = $4
           AND retired_at IS NULL")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(slot.channel.as_str())
    .bind::<Text, _>(slot.language.as_str())
    .bind::<Text, _>(slot.kind)
    .get_result(tx.conn())
    .await
    .optional()?;
    Ok(taken.map_or(Added::Full, |row| {
        Added::Taken(MessageTemplateId::from_uuid(row.id))
    }))
}

async fn add_version(
    tx: &mut Tx,
    tenant: Tenant,
    id: MessageTemplateId,
    version: i32,
    content: &Value,
) -> Result<(), DbError> {
    let now = tx.now();
    sql("INSERT INTO message_template_versions (
           organization_id, template_id, version, content, created_at)
         VALUES ($1, $2, $3, $4, $5)")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Integer, _>(version)
    .bind::<Jsonb, _>(content)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Makes a new version, of the version `of` where that is given; answers its
/// number. `None` if the template is not in use, or has moved on from `of`.
pub async fn change(
    tx: &mut Tx,
    tenant: Tenant,
    id: MessageTemplateId,
    of: Option<i32>,
    content: &Value,
) -> Result<Option<i32>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Integer)]
        version: i32,
    }
    let now = tx.now();
    let moved: Option<Row> = sql("UPDATE message_templates
         SET version = version + 1, updated_at = $3
         WHERE organization_id = $1 AND id = $2 AND retired_at IS NULL
           AND ($4 IS NULL OR version = $4)
         RETURNING version")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<Integer>, _>(of)
    .get_result(tx.conn())
    .await
    .optional()?;
    let Some(Row { version }) = moved else {
        return Ok(None);
    };
    add_version(tx, tenant, id, version, content).await?;
    Ok(Some(version))
}

/// Takes a template out of use. False if it is not in use.
pub async fn retire(tx: &mut Tx, tenant: Tenant, id: MessageTemplateId) -> Result<bool, DbError> {
    let now = tx.now();
    let changed = sql("UPDATE message_templates SET retired_at = $3
         WHERE organization_id = $1 AND id = $2 AND retired_at IS NULL")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(changed == 1)
}

/// Locks a template until the transaction ends, and answers how it is.
pub async fn lock(
    tx: &mut Tx,
    tenant: Tenant,
    id: MessageTemplateId,
) -> Result<Option<StoredTemplate>, DbError> {
    sql("SELECT id FROM message_templates WHERE organization_id = $1 AND id = $2 FOR UPDATE")
        .bind::<SqlUuid, _>(tenant.uuid())
        .bind::<SqlUuid, _>(id.uuid())
        .execute(tx.conn())
        .await?;
    find(tx.conn(), tenant, id, None).await
}

/// A template in its newest version, or in `version`; those out of use as well.
pub async fn find(
    conn: &mut Conn,
    tenant: Tenant,
    id: MessageTemplateId,
    version: Option<i32>,
) -> Result<Option<StoredTemplate>, DbError> {
    sql(concat!(
        columns!(),
        "WHERE t.organization_id = $1 AND t.id = $2 AND v.version = coalesce($3, t.version)"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Nullable<Integer>, _>(version)
    .get_result::<TemplateRow>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// Those in use, in their newest versions, by channel, language and kind.
pub async fn list(
    conn: &mut Conn,
    tenant: Tenant,
    channel: Option<Channel>,
) -> Result<Vec<StoredTemplate>, DbError> {
    sql(concat!(
        columns!(),
        "AND v.version = t.version
         WHERE t.organization_id = $1 AND t.retired_at IS NULL AND ($2 IS NULL OR t.channel = $2)
         ORDER BY t.channel, t.language, t.kind"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Nullable<Text>, _>(channel.map(Channel::as_str))
    .load::<TemplateRow>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// The template for a message: of the first of `languages` that has one, and
/// there of the first of `kinds`.
pub async fn best(
    conn: &mut Conn,
    tenant: Tenant,
    channel: Channel,
    languages: &[String],
    kinds: &[&str],
) -> Result<Option<StoredTemplate>, DbError> {
    sql(concat!(
        columns!(),
        "AND v.version = t.version
         WHERE t.organization_id = $1 AND t.channel = $2 AND t.retired_at IS NULL
           AND t.language = ANY($3) AND t.kind = ANY($4)
         ORDER BY array_position($3, t.language), array_position($4, t.kind) LIMIT 1"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(channel.as_str())
    .bind::<Array<Text>, _>(languages)
    .bind::<Array<Text>, _>(kinds)
    .get_result::<TemplateRow>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// What an organization has set for all of its messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageSettings {
    /// The organization's name, as messages carry it.
    pub name: String,
    /// The language that it writes in where the payer's is not served.
    pub language: Option<Language>,
    /// Where it answers payers' questions.
    pub support_contact: Option<String>,
}

/// What is set.
pub async fn settings(conn: &mut Conn, tenant: Tenant) -> Result<MessageSettings, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Nullable<Text>)]
        message_language: Option<String>,
        #[diesel(sql_type = Nullable<Text>)]
        support_contact: Option<String>,
    }
    let row: Row =
        sql("SELECT name, message_language, support_contact FROM organizations WHERE id = $1")
            .bind::<SqlUuid, _>(tenant.uuid())
            .get_result(conn)
            .await?;
    Ok(MessageSettings {
        name: row.name,
        language: row
            .message_language
            .as_deref()
            .and_then(Language::of_locale),
        support_contact: row.support_contact,
    })
}

/// Sets the language and the support contact.
pub async fn set(
    tx: &mut Tx,
    tenant: Tenant,
    language: Option<&Language>,
    support_contact: Option<&str>,
) -> Result<(), DbError> {
    let now = tx.now();
    sql("UPDATE organizations
         SET message_language = $2, support_contact = $3, updated_at = $4 WHERE id = $1")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Nullable<Text>, _>(language.map(Language::as_str))
    .bind::<Nullable<Text>, _>(support_contact)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}
