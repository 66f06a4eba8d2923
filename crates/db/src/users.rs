//! Merchants' people.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::Role;
use domain::id::{OrganizationId, User, UserId};
use secrecy::SecretString;
use uuid::Uuid;

use crate::organizations::StoredOrganization;
use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// A person as stored; never the password's hash.
#[derive(Debug, Clone)]
pub struct StoredUser {
    /// The id.
    pub id: UserId,
    /// The address to log in with, in lower case.
    pub email: String,
    /// What the person is called.
    pub full_name: Option<String>,
    /// What the person may do.
    pub role: Role,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// When the address was shown to be the person's.
    pub email_verified_at: Option<DateTime<Utc>>,
    /// The last login.
    pub last_login_at: Option<DateTime<Utc>>,
    /// Since when the person may not log in.
    pub disabled_at: Option<DateTime<Utc>>,
}

/// Whom a login is about.
#[derive(Debug)]
pub struct Account {
    /// The organization, as proof: only to be used once the login has succeeded.
    pub tenant: Tenant,
    /// The person.
    pub user: StoredUser,
    /// The organization.
    pub organization: StoredOrganization,
    /// What the password is held against; none before an invitation is accepted.
    pub password_hash: Option<SecretString>,
}

impl Account {
    /// Whether neither the person nor the organization has been shut out.
    pub fn may_log_in(&self) -> bool {
        self.user.disabled_at.is_none() && self.organization.state == "active"
    }
}

/// A person to be stored.
pub struct NewUser<'a> {
    /// The address, in lower case.
    pub email: &'a str,
    /// What the person is called.
    pub full_name: Option<&'a str>,
    /// What the person may do.
    pub role: Role,
    /// The password's hash as a PHC string.
    pub password_hash: Option<&'a SecretString>,
}

macro_rules! columns {
    () => {
        "u.id, u.email, u.full_name, u.role, u.created_at, u.email_verified_at,
         u.last_login_at, u.disabled_at"
    };
}

#[derive(QueryableByName)]
pub(crate) struct UserRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    email: String,
    #[diesel(sql_type = Nullable<Text>)]
    full_name: Option<String>,
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    email_verified_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_login_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    disabled_at: Option<DateTime<Utc>>,
}

impl TryFrom<UserRow> for StoredUser {
    type Error = DbError;
    fn try_from(row: UserRow) -> Result<Self, DbError> {
        Ok(Self {
            id: UserId::from_uuid(row.id),
            email: row.email,
            full_name: row.full_name,
            role: role(&row.role)?,
            created_at: row.created_at,
            email_verified_at: row.email_verified_at,
            last_login_at: row.last_login_at,
            disabled_at: row.disabled_at,
        })
    }
}

pub(crate) fn role(text: &str) -> Result<Role, DbError> {
    text.parse()
        .map_err(|fault| DbError::corrupt("users.role", fault))
}

#[derive(QueryableByName)]
struct AccountRow {
    #[diesel(embed)]
    user: UserRow,
    #[diesel(sql_type = Nullable<Text>)]
    password_hash: Option<String>,
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = Text)]
    organization_name: String,
    #[diesel(sql_type = Text)]
    organization_slug: String,
    #[diesel(sql_type = Text)]
    organization_state: String,
    #[diesel(sql_type = Timestamptz)]
    organization_created_at: DateTime<Utc>,
}

impl TryFrom<AccountRow> for Account {
    type Error = DbError;
    fn try_from(row: AccountRow) -> Result<Self, DbError> {
        let id = OrganizationId::from_uuid(row.organization_id);
        Ok(Self {
            tenant: Tenant::of(id),
            user: row.user.try_into()?,
            organization: StoredOrganization {
                id,
                name: row.organization_name,
                slug: row.organization_slug,
                state: row.organization_state,
                created_at: row.organization_created_at,
            },
            password_hash: row.password_hash.map(SecretString::from),
        })
    }
}

macro_rules! account {
    ($where:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            ", u.password_hash, o.id AS organization_id, o.name AS organization_name,
               o.slug AS organization_slug, o.state AS organization_state,
               o.created_at AS organization_created_at
             FROM users u JOIN organizations o ON o.id = u.organization_id ",
            $where
        )
    };
}

/// Stores a person; nobody if the organization has one of that address.
pub async fn add(
    tx: &mut Tx,
    tenant: Tenant,
    user: &NewUser<'_>,
) -> Result<Option<StoredUser>, DbError> {
    use secrecy::ExposeSecret;
    let id = tx.new_id::<User>();
    let now = tx.now();
    let row: Option<UserRow> = sql(concat!(
        "INSERT INTO users AS u (id, organization_id, email, full_name, role, password_hash, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (organization_id, email) DO NOTHING RETURNING ",
        columns!()
    ))
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(user.email)
    .bind::<Nullable<Text>, _>(user.full_name)
    .bind::<Text, _>(user.role.as_str())
    .bind::<Nullable<Text>, _>(user.password_hash.map(ExposeSecret::expose_secret))
    .bind::<Timestamptz, _>(now)
    .get_result(tx.conn())
    .await
    .optional()?;
    row.map(TryInto::try_into).transpose()
}

/// The account that an address logs in to. One address may belong to people of
/// several organizations: `slug` says which is meant. Without it, it is the one
/// where the address was shown to be the person's, then the oldest, so that
/// nobody can get in the way by registering with another's address.
pub async fn by_email(
    conn: &mut Conn,
    email: &str,
    slug: Option<&str>,
) -> Result<Option<Account>, DbError> {
    let row: Option<AccountRow> = sql(account!(
        "WHERE u.email = $1 AND ($2 IS NULL OR o.slug = $2)
         ORDER BY u.disabled_at IS NOT NULL, u.email_verified_at IS NULL, u.id LIMIT 1"
    ))
    .bind::<Text, _>(email)
    .bind::<Nullable<Text>, _>(slug)
    .get_result(conn)
    .await
    .optional()?;
    row.map(TryInto::try_into).transpose()
}

/// A person of the organization with the organization, for whoever has proved
/// to be that person.
pub async fn account(
    conn: &mut Conn,
    tenant: Tenant,
    id: UserId,
) -> Result<Option<Account>, DbError> {
    let row: Option<AccountRow> = sql(account!("WHERE u.organization_id = $1 AND u.id = $2"))
        .bind::<SqlUuid, _>(tenant.uuid())
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(conn)
        .await
        .optional()?;
    row.map(TryInto::try_into).transpose()
}

/// Notes a login, and whether it showed the address to be the person's.
pub async fn logged_in(
    tx: &mut Tx,
    tenant: Tenant,
    id: UserId,
    verified: bool,
) -> Result<(), DbError> {
    let now = tx.now();
    sql("UPDATE users SET last_login_at = $3,
           email_verified_at = CASE WHEN $4 THEN coalesce(email_verified_at, $3)
                                    ELSE email_verified_at END
         WHERE organization_id = $1 AND id = $2")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<diesel::sql_types::Bool, _>(verified)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A person of the organization.
pub async fn find(
    conn: &mut Conn,
    tenant: Tenant,
    id: UserId,
) -> Result<Option<StoredUser>, DbError> {
    let row: Option<UserRow> = sql(concat!(
        "SELECT ",
        columns!(),
        " FROM users u WHERE u.organization_id = $1 AND u.id = $2"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result(conn)
    .await
    .optional()?;
    row.map(TryInto::try_into).transpose()
}

/// The organization's people, newest first.
pub async fn list(
    conn: &mut Conn,
    tenant: Tenant,
    before: Option<UserId>,
    limit: i64,
) -> Result<Vec<StoredUser>, DbError> {
    let rows: Vec<UserRow> = sql(concat!(
        "SELECT ",
        columns!(),
        " FROM users u WHERE u.organization_id = $1 AND ($2 IS NULL OR u.id < $2)
         ORDER BY u.id DESC LIMIT $3"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Nullable<SqlUuid>, _>(before.map(UserId::uuid))
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Gives a person another password; false if the one that they have is no longer
/// `old`, where one is named.
pub async fn set_password(
    tx: &mut Tx,
    tenant: Tenant,
    id: UserId,
    old: Option<&SecretString>,
    new: &SecretString,
) -> Result<bool, DbError> {
    use secrecy::ExposeSecret;
    let set = sql("UPDATE users SET password_hash = $3
         WHERE organization_id = $1 AND id = $2 AND ($4 IS NULL OR password_hash = $4)")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Text, _>(new.expose_secret())
    .bind::<Nullable<Text>, _>(old.map(ExposeSecret::expose_secret))
    .execute(tx.conn())
    .await?;
    Ok(set == 1)
}

/// Notes that the address was shown to be the person's.
pub async fn verified(tx: &mut Tx, tenant: Tenant, id: UserId) -> Result<(), DbError> {
    let now = tx.now();
    sql(
        "UPDATE users SET email_verified_at = coalesce(email_verified_at, $3)
         WHERE organization_id = $1 AND id = $2",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Calls a person something else, or nothing.
pub async fn rename(
    tx: &mut Tx,
    tenant: Tenant,
    id: UserId,
    full_name: Option<&str>,
) -> Result<Option<StoredUser>, DbError> {
    let row: Option<UserRow> = sql(concat!(
        "UPDATE users u SET full_name = $3 WHERE u.organization_id = $1 AND u.id = $2 RETURNING ",
        columns!()
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Nullable<Text>, _>(full_name)
    .get_result(tx.conn())
    .await
    .optional()?;
    row.map(TryInto::try_into).transpose()
}

/// Locks a person's row, so that what is asked for and what is used at the same
/// time come one after the other.
pub async fn lock(tx: &mut Tx, tenant: Tenant, id: UserId) -> Result<(), DbError> {
    sql("SELECT id FROM users WHERE organization_id = $1 AND id = $2 FOR NO KEY UPDATE")
        .bind::<SqlUuid, _>(tenant.uuid())
        .bind::<SqlUuid, _>(id.uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// What became of a change to a person.
#[derive(Debug)]
pub enum Changed {
    /// It was made; the person as they are now.
    Done(Box<StoredUser>),
    /// There is no such person.
    NotFound,
    /// The organization would be left without an administrator.
    LastAdmin,
}

/// Gives a person a role.
pub async fn set_role(
    tx: &mut Tx,
    tenant: Tenant,
    id: UserId,
    role: Role,
) -> Result<Changed, DbError> {
    let found = match one_of_several(tx, tenant, id, role != Role::Admin).await? {
        Ok(found) => found,
        Err(changed) => return Ok(changed),
    };
    sql("UPDATE users SET role = $3 WHERE organization_id = $1 AND id = $2")
        .bind::<SqlUuid, _>(tenant.uuid())
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Text, _>(role.as_str())
        .execute(tx.conn())
        .await?;
    Ok(Changed::Done(Box::new(StoredUser { role, ..found })))
}

/// Shuts a person out from now on, or lets them in again.
pub async fn set_disabled(
    tx: &mut Tx,
    tenant: Tenant,
    id: UserId,
    disabled: bool,
) -> Result<Changed, DbError> {
    let found = match one_of_several(tx, tenant, id, disabled).await? {
        Ok(found) => found,
        Err(changed) => return Ok(changed),
    };
    let since = found.disabled_at.or(Some(tx.now())).filter(|_| disabled);
    sql("UPDATE users SET disabled_at = $3 WHERE organization_id = $1 AND id = $2")
        .bind::<SqlUuid, _>(tenant.uuid())
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Nullable<Timestamptz>, _>(since)
        .execute(tx.conn())
        .await?;
    Ok(Changed::Done(Box::new(StoredUser {
        disabled_at: since,
        ..found
    })))
}

/// The person, and if `loses` an administrator, that there is another one. The
/// organization's row serializes these changes, so that two administrators
/// cannot shut each other out at once.
async fn one_of_several(
    tx: &mut Tx,
    tenant: Tenant,
    id: UserId,
    loses: bool,
) -> Result<Result<StoredUser, Changed>, DbError> {
    #[derive(QueryableByName)]
    struct Others {
        #[diesel(sql_type = BigInt)]
        others: i64,
    }
    sql("SELECT id FROM organizations WHERE id = $1 FOR UPDATE")
        .bind::<SqlUuid, _>(tenant.uuid())
        .execute(tx.conn())
        .await?;
    let Some(found) = find(tx.conn(), tenant, id).await? else {
        return Ok(Err(Changed::NotFound));
    };
    // Who has not accepted the invitation yet can't look after anything.
    let row: Others = sql("SELECT count(*) AS others FROM users
         WHERE organization_id = $1 AND id <> $2 AND role = 'admin' AND disabled_at IS NULL
           AND last_login_at IS NOT NULL")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result(tx.conn())
    .await?;
    let is_admin = found.role == Role::Admin && found.disabled_at.is_none();
    if loses && is_admin && row.others == 0 {
        return Ok(Err(Changed::LastAdmin));
    }
    Ok(Ok(found))
}
