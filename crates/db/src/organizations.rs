//! Organizations.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::id::{Organization, OrganizationId};
use domain::payer::{Country, Language};
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// An organization as stored.
#[derive(Debug, Clone)]
pub struct StoredOrganization {
    /// Its id.
    pub id: OrganizationId,
    /// What it calls itself to payers.
    pub name: String,
    /// Its name in addresses; of one organization alone.
    pub slug: String,
    /// `active` or `paused`.
    pub state: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct OrganizationRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    slug: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

impl From<OrganizationRow> for StoredOrganization {
    fn from(row: OrganizationRow) -> Self {
        Self {
            id: OrganizationId::from_uuid(row.id),
            name: row.name,
            slug: row.slug,
            state: row.state,
            created_at: row.created_at,
        }
    }
}

/// Makes an organization, as whoever registers it asks; nothing if another has
/// the slug.
pub async fn register(
    tx: &mut Tx,
    name: &str,
    slug: &str,
) -> Result<Option<(Tenant, StoredOrganization)>, DbError> {
    let id = tx.new_id::<Organization>();
    let now = tx.now();
    let row: Option<OrganizationRow> = sql(
        "INSERT INTO organizations (id, name, slug, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (slug) DO NOTHING RETURNING id, name, slug, state, created_at",
    )
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Text, _>(name)
    .bind::<Text, _>(slug)
    .bind::<Timestamptz, _>(now)
    .get_result(tx.conn())
    .await
    .optional()?;
    Ok(row.map(|row| (Tenant::of(id), row.into())))
}

/// The organization.
pub async fn find(conn: &mut Conn, tenant: Tenant) -> Result<StoredOrganization, DbError> {
    let row: OrganizationRow =
        sql("SELECT id, name, slug, state, created_at FROM organizations WHERE id = $1")
            .bind::<SqlUuid, _>(tenant.uuid())
            .get_result(conn)
            .await?;
    Ok(row.into())
}

/// What an organization says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What it calls itself to payers.
    pub name: String,
    /// The IANA name of the clock that its people go by.
    pub time_zone: Option<String>,
    /// Where it is.
    pub country: Option<Country>,
    /// The language that it writes in where the payer's is not served.
    pub language: Option<Language>,
    /// Where it answers payers' questions.
    pub support_contact: Option<String>,
}

/// An organization with all that it says of itself.
#[derive(Debug, Clone)]
pub struct StoredProfile {
    /// The organization.
    pub organization: StoredOrganization,
    /// What it says of itself.
    pub profile: Profile,
    /// When any of it last changed.
    pub updated_at: DateTime<Utc>,
}

macro_rules! profile {
    ($end:literal) => {
        concat!(
            "SELECT id, name, slug, state, created_at, time_zone, country, message_language,
                    support_contact, coalesce(updated_at, created_at) AS updated_at
             FROM organizations WHERE id = $1",
            $end
        )
    };
}

#[derive(QueryableByName)]
struct ProfileRow {
    #[diesel(embed)]
    organization: OrganizationRow,
    #[diesel(sql_type = Nullable<Text>)]
    time_zone: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    country: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    message_language: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    support_contact: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
}

impl From<ProfileRow> for StoredProfile {
    fn from(row: ProfileRow) -> Self {
        Self {
            profile: Profile {
                name: row.organization.name.clone(),
                time_zone: row.time_zone,
                country: row
                    .country
                    .as_deref()
                    .and_then(|it| Country::parse(it).ok()),
                language: row
                    .message_language
                    .as_deref()
                    .and_then(Language::of_locale),
                support_contact: row.support_contact,
            },
            organization: row.organization.into(),
            updated_at: row.updated_at,
        }
    }
}

/// The organization with all that it says of itself.
pub async fn profile(conn: &mut Conn, tenant: Tenant) -> Result<StoredProfile, DbError> {
    let row: ProfileRow = sql(profile!(""))
        .bind::<SqlUuid, _>(tenant.uuid())
        .get_result(conn)
        .await?;
    Ok(row.into())
}

/// The same, for this transaction alone to change.
pub async fn lock_profile(tx: &mut Tx, tenant: Tenant) -> Result<StoredProfile, DbError> {
    let row: ProfileRow = sql(profile!(" FOR NO KEY UPDATE"))
        .bind::<SqlUuid, _>(tenant.uuid())
        .get_result(tx.conn())
        .await?;
    Ok(row.into())
}

/// Sets all that an organization says of itself.
pub async fn set_profile(tx: &mut Tx, tenant: Tenant, profile: &Profile) -> Result<(), DbError> {
    let now = tx.now();
    sql(
        "UPDATE organizations SET name = $2, time_zone = $3, country = $4,
           message_language = $5, support_contact = $6, updated_at = $7 WHERE id = $1",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(&profile.name)
    .bind::<Nullable<Text>, _>(profile.time_zone.as_deref())
    .bind::<Nullable<Text>, _>(profile.country.map(Country::as_str))
    .bind::<Nullable<Text>, _>(profile.language.as_ref().map(Language::as_str))
    .bind::<Nullable<Text>, _>(profile.support_contact.as_deref())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Makes the organization of that slug, or finds it; true if it is new.
pub async fn ensure(tx: &mut Tx, name: &str, slug: &str) -> Result<(Tenant, bool), DbError> {
    #[derive(QueryableByName)]
    struct Made {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Bool)]
        made: bool,
    }
    let id = tx.new_id::<Organization>();
    let now = tx.now();
    let row: Made = sql(
        "INSERT INTO organizations (id, name, slug, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (slug) DO UPDATE SET name = EXCLUDED.name
         RETURNING id, (xmax = 0) AS made",
    )
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Text, _>(name)
    .bind::<Text, _>(slug)
    .bind::<Timestamptz, _>(now)
    .get_result(tx.conn())
    .await?;
    Ok((Tenant::of(OrganizationId::from_uuid(row.id)), row.made))
}

/// The organization of that slug, for a command of the operator.
pub async fn by_slug(conn: &mut Conn, slug: &str) -> Result<Option<Tenant>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let row: Option<Row> = sql("SELECT id FROM organizations WHERE slug = $1")
        .bind::<Text, _>(slug)
        .get_result(conn)
        .await
        .optional()?;
    Ok(row.map(|row| Tenant::of(OrganizationId::from_uuid(row.id))))
}

/// What the organization calls itself to payers.
pub async fn name(conn: &mut Conn, tenant: Tenant) -> Result<String, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let row: Row = sql("SELECT name FROM organizations WHERE id = $1")
        .bind::<SqlUuid, _>(tenant.uuid())
        .get_result(conn)
        .await?;
    Ok(row.name)
}

/// Locks the organization's row until the transaction ends: what is set for the
/// whole organization, its policies among it, changes one after the other.
pub async fn lock(tx: &mut Tx, tenant: Tenant) -> Result<(), DbError> {
    sql("SELECT id FROM organizations WHERE id = $1 FOR UPDATE")
        .bind::<SqlUuid, _>(tenant.uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}
