//! One-time codes and links for merchants' people.
//!
//! ```text
//! open ──used──> closed      (someone logged in, joined, chose a password)
//!   ├──replaced──> closed    (a newer one was made)
//!   ├──revoked───> closed    (an administrator took the invitation back)
//!   └──spent─────> closed    (a wrong code too often)
//! ```
//!
//! One that is open for each user and purpose, and for each address invited. What
//! asks on behalf of an address that may be nobody's runs the same statements
//! whether it is or not, so that their time says nothing.
//!
//! - [`mail`]: handing over the mail that carries one
//! - [`invitations`]: people who are nobody's users yet

pub mod invitations;
pub mod mail;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Binary, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::id::{OrganizationId, UserCodeId, UserId};
use domain::{CodePurpose, Role};
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// The one user that an address stands for, as [`crate::users::by_email`] finds
/// them, if they may log in.
macro_rules! account {
    () => {
        "SELECT u.id, u.organization_id FROM users u JOIN organizations o ON o.id = u.organization_id
         WHERE u.email = $1 AND ($2 IS NULL OR o.slug = $2)
           AND u.disabled_at IS NULL AND o.state = 'active'
         ORDER BY u.email_verified_at IS NULL, u.id LIMIT 1"
    };
}

/// A code or link to make.
pub struct NewCode<'a> {
    /// Its id, from which code and token are derived.
    pub id: UserCodeId,
    /// What it is for.
    pub purpose: CodePurpose,
    /// SHA-256 of a link's token.
    pub token_hash: Option<&'a [u8; 32]>,
}

impl NewCode<'_> {
    fn expires_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + self.purpose.life()
    }
}

/// Makes a code for whoever logs in by that address, in place of the open one.
/// Nobody if the address is nobody's, or `allowed` is false; the statements are
/// the same.
pub async fn make_for_address(
    tx: &mut Tx,
    (email, slug): (&str, Option<&str>),
    allowed: bool,
    new: &NewCode<'_>,
) -> Result<Option<Tenant>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = SqlUuid)]
        organization_id: Uuid,
    }
    // Two requests at once meet here, so that the second replaces what the first made.
    let found: Option<Row> = sql(concat!(
        "SELECT u.id, u.organization_id FROM users u JOIN (",
        account!(),
        ") found ON found.id = u.id WHERE $3 FOR NO KEY UPDATE OF u"
    ))
    .bind::<Text, _>(email)
    .bind::<Nullable<Text>, _>(slug)
    .bind::<Bool, _>(allowed)
    .get_result(tx.conn())
    .await
    .optional()?;
    let user = found.as_ref().map(|row| row.id);
    let now = tx.now();
    sql(
        "UPDATE user_codes SET closed_at = $3, closed_by = 'replaced'
         WHERE user_id = $1 AND purpose = $2 AND closed_at IS NULL",
    )
    .bind::<Nullable<SqlUuid>, _>(user)
    .bind::<Text, _>(new.purpose.as_str())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    sql(
        "INSERT INTO user_codes (id, organization_id, user_id, purpose, token_hash, tries_left,
                                 created_at, expires_at)
         SELECT $1, organization_id, id, $3, $4, $5, $6, $7 FROM users WHERE id = $2",
    )
    .bind::<SqlUuid, _>(new.id.uuid())
    .bind::<Nullable<SqlUuid>, _>(user)
    .bind::<Text, _>(new.purpose.as_str())
    .bind::<Nullable<Binary>, _>(new.token_hash.map(<[u8; 32]>::as_slice))
    .bind::<Integer, _>(i32::from(new.purpose.tries()))
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(new.expires_at(now))
    .execute(tx.conn())
    .await?;
    Ok(found.map(|row| Tenant::of(OrganizationId::from_uuid(row.organization_id))))
}

/// A user's open code, locked.
#[derive(Debug, Clone, Copy)]
pub struct OpenCode {
    /// The organization: only to be used once the code has been shown.
    pub tenant: Tenant,
    /// Whose.
    pub user: UserId,
    /// The code's id.
    pub id: UserCodeId,
}

/// The open login code of whoever logs in by that address. Two tries at once
/// come one after the other: the second sees what the first left. The user is
/// locked before the code, here as everywhere.
pub async fn open_for_address(
    tx: &mut Tx,
    (email, slug): (&str, Option<&str>),
) -> Result<Option<OpenCode>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = SqlUuid)]
        user_id: Uuid,
        #[diesel(sql_type = SqlUuid)]
        organization_id: Uuid,
    }
    let now = tx.now();
    let row: Option<Row> = sql(concat!(
        "SELECT c.id, u.id AS user_id, c.organization_id FROM users u JOIN (",
        account!(),
        ") found ON found.id = u.id JOIN user_codes c ON c.user_id = u.id
         WHERE c.purpose = 'login' AND c.closed_at IS NULL AND c.expires_at > $3
           AND c.tries_left > 0 FOR NO KEY UPDATE OF u, c"
    ))
    .bind::<Text, _>(email)
    .bind::<Nullable<Text>, _>(slug)
    .bind::<Timestamptz, _>(now)
    .get_result(tx.conn())
    .await
    .optional()?;
    Ok(row.map(|row| OpenCode {
        tenant: Tenant::of(OrganizationId::from_uuid(row.organization_id)),
        user: UserId::from_uuid(row.user_id),
        id: UserCodeId::from_uuid(row.id),
    }))
}

/// Takes one try of a code: the right one uses it up, the last wrong one too.
/// Nothing happens to nobody's.
pub async fn tried(tx: &mut Tx, id: Option<UserCodeId>, right: bool) -> Result<(), DbError> {
    let now = tx.now();
    sql("UPDATE user_codes SET
           tries_left = CASE WHEN $2 THEN tries_left ELSE tries_left - 1 END,
           closed_at = CASE WHEN $2 OR tries_left = 1 THEN $3 END,
           closed_by = CASE WHEN $2 THEN 'used' WHEN tries_left = 1 THEN 'spent' END
         WHERE id = $1 AND closed_at IS NULL AND tries_left > 0")
    .bind::<Nullable<SqlUuid>, _>(id.map(UserCodeId::uuid))
    .bind::<Bool, _>(right)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// An open link, by its token.
#[derive(Debug, Clone)]
pub struct OpenLink {
    /// The organization: its token has been shown.
    pub tenant: Tenant,
    /// The row.
    pub id: UserCodeId,
    /// Whose; nobody's yet where it is an invitation.
    pub user: Option<UserId>,
    /// The address that it was sent to, in lower case.
    pub email: String,
    /// What the user is called.
    pub full_name: Option<String>,
    /// What the user may do, or will.
    pub role: Role,
    /// The organization's name.
    pub organization_name: String,
}

macro_rules! open_link {
    ($end:literal) => {
        concat!(
            "SELECT c.id, c.organization_id, c.user_id, coalesce(c.email, u.email) AS email,
                    u.full_name, coalesce(c.role, u.role) AS role, o.name AS organization_name
             FROM user_codes c JOIN organizations o ON o.id = c.organization_id
             LEFT JOIN users u ON u.id = c.user_id
             WHERE c.token_hash = $1 AND c.purpose = $2 AND c.closed_at IS NULL
               AND c.expires_at > $3 AND o.state = 'active' AND u.disabled_at IS NULL",
            $end
        )
    };
}

#[derive(QueryableByName)]
struct LinkRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    user_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    email: String,
    #[diesel(sql_type = Nullable<Text>)]
    full_name: Option<String>,
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Text)]
    organization_name: String,
}

impl TryFrom<LinkRow> for OpenLink {
    type Error = DbError;
    fn try_from(row: LinkRow) -> Result<Self, DbError> {
        Ok(Self {
            tenant: Tenant::of(OrganizationId::from_uuid(row.organization_id)),
            id: UserCodeId::from_uuid(row.id),
            user: row.user_id.map(UserId::from_uuid),
            email: row.email,
            full_name: row.full_name,
            role: crate::users::role(&row.role)?,
            organization_name: row.organization_name,
        })
    }
}

/// The open link of that token. Nothing is held: see [`lock_link`].
pub async fn find_link(
    conn: &mut Conn,
    token_hash: &[u8; 32],
    purpose: CodePurpose,
    now: DateTime<Utc>,
) -> Result<Option<OpenLink>, DbError> {
    let row: Option<LinkRow> = sql(open_link!(""))
        .bind::<Binary, _>(token_hash.as_slice())
        .bind::<Text, _>(purpose.as_str())
        .bind::<Timestamptz, _>(now)
        .get_result(conn)
        .await
        .optional()?;
    row.map(TryInto::try_into).transpose()
}

/// The open link of that token, for this transaction alone: who uses it at the
/// same time waits, and then finds it used.
pub async fn lock_link(
    tx: &mut Tx,
    token_hash: &[u8; 32],
    purpose: CodePurpose,
) -> Result<Option<OpenLink>, DbError> {
    let now = tx.now();
    let row: Option<LinkRow> = sql(open_link!(" FOR UPDATE OF c"))
        .bind::<Binary, _>(token_hash.as_slice())
        .bind::<Text, _>(purpose.as_str())
        .bind::<Timestamptz, _>(now)
        .get_result(tx.conn())
        .await
        .optional()?;
    row.map(TryInto::try_into).transpose()
}

/// Closes every open code of a user: what was sent before a new password opens
/// nothing after it.
pub async fn close_all(tx: &mut Tx, tenant: Tenant, user: UserId) -> Result<(), DbError> {
    let now = tx.now();
    sql(
        "UPDATE user_codes SET closed_at = $3, closed_by = 'replaced'
         WHERE organization_id = $1 AND user_id = $2 AND closed_at IS NULL",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(user.uuid())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Forgets codes and links that expired before `before`, at most `limit` of them;
/// answers how many.
pub async fn forget(conn: &mut Conn, before: DateTime<Utc>, limit: i64) -> Result<usize, DbError> {
    Ok(sql("DELETE FROM user_codes WHERE id IN (
           SELECT id FROM user_codes WHERE expires_at < $1 LIMIT $2)")
    .bind::<Timestamptz, _>(before)
    .bind::<diesel::sql_types::BigInt, _>(limit)
    .execute(conn)
    .await?)
}
