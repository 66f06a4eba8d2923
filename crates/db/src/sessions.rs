//! People's sessions, and the refresh tokens that keep them going.
//!
//! ```text
//! login ──> session, token 1 ──refresh──> token 2 ──refresh──> token 3 …
//!                     └──────────used again──────────> the session ends, all tokens with it
//! ```
//!
//! A refresh token works once. Its second use means that two hold it, and
//! nobody can say which of them is the person: the session ends for both
//! (RFC 9700, section 4.14.2).

use chrono::{DateTime, Utc};
use diesel::sql_types::{Binary, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::Role;
use domain::id::{OrganizationId, UserId, UserSession, UserSessionId};
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// How a session came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By registering the organization.
    Registration,
    /// By a password.
    Password,
    /// By a code that was mailed.
    Code,
    /// By accepting an invitation.
    Invitation,
}

impl Method {
    /// Its word in Postgres and in the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Password => "password",
            Self::Code => "code",
            Self::Invitation => "invitation",
        }
    }
}

/// Why a session ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// The person logged out.
    Logout,
    /// Someone who may do so ended it.
    Revoked,
    /// One of its refresh tokens was used twice.
    Reuse,
    /// The person was disabled.
    Disabled,
    /// The person has another password.
    Password,
}

impl EndedBy {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Revoked => "revoked",
            Self::Reuse => "reuse",
            Self::Disabled => "disabled",
            Self::Password => "password",
        }
    }
}

/// A session to begin.
pub struct NewSession<'a> {
    /// Whose.
    pub user: UserId,
    /// How.
    pub method: Method,
    /// What the browser calls itself.
    pub user_agent: Option<&'a str>,
    /// From where.
    pub address: Option<&'a str>,
    /// When it ends if nothing happens.
    pub expires_at: DateTime<Utc>,
    /// SHA-256 of its first refresh token.
    pub token_hash: &'a [u8; 32],
}

/// Begins a session.
pub async fn begin(
    tx: &mut Tx,
    tenant: Tenant,
    new: &NewSession<'_>,
) -> Result<UserSessionId, DbError> {
    let id = tx.new_id::<UserSession>();
    let now = tx.now();
    sql("WITH begun AS (
           INSERT INTO user_sessions (id, organization_id, user_id, method, user_agent, address,
                                      created_at, last_used_at, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8) RETURNING id, organization_id, created_at)
         INSERT INTO refresh_tokens (token_hash, organization_id, session_id, created_at)
         SELECT $9, organization_id, id, created_at FROM begun")
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(new.user.uuid())
    .bind::<Text, _>(new.method.as_str())
    .bind::<Nullable<Text>, _>(new.user_agent)
    .bind::<Nullable<Text>, _>(new.address)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(new.expires_at)
    .bind::<Binary, _>(new.token_hash.as_slice())
    .execute(tx.conn())
    .await?;
    Ok(id)
}

/// Who a living session belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Living {
    /// The organization.
    pub tenant: Tenant,
    /// The person.
    pub user: UserId,
    /// What the person may do now, whatever the token said when it was made.
    pub role: Role,
}

/// Whose session this is, if it is a living one of an active organization's person.
pub async fn authenticate(
    conn: &mut Conn,
    id: UserSessionId,
    now: DateTime<Utc>,
) -> Result<Option<Living>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        organization_id: Uuid,
        #[diesel(sql_type = SqlUuid)]
        user_id: Uuid,
        #[diesel(sql_type = Text)]
        role: String,
    }
    let row: Option<Row> = sql("SELECT s.organization_id, s.user_id, u.role
         FROM user_sessions s JOIN users u ON u.id = s.user_id
         JOIN organizations o ON o.id = s.organization_id
         WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > $2
           AND u.disabled_at IS NULL AND o.state = 'active'")
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .get_result(conn)
    .await
    .optional()?;
    row.map(|row| {
        Ok(Living {
            tenant: Tenant::of(OrganizationId::from_uuid(row.organization_id)),
            user: UserId::from_uuid(row.user_id),
            role: crate::users::role(&row.role)?,
        })
    })
    .transpose()
}

/// A session as one of its refresh tokens finds it.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    /// The organization.
    pub tenant: Tenant,
    /// The person.
    pub user: UserId,
    /// The session.
    pub session: UserSessionId,
}

/// What became of a refresh token.
#[derive(Debug)]
pub enum Refreshed {
    /// The session goes on with the new token.
    Renewed(Held),
    /// The token had been used before: the session has ended with this transaction.
    Reused(Held),
    /// There is no such token, or its session has ended.
    Refused,
}

/// Uses up a refresh token and puts `new_hash` in its place.
pub async fn refresh(
    tx: &mut Tx,
    old_hash: &[u8; 32],
    new_hash: &[u8; 32],
    expires_at: DateTime<Utc>,
) -> Result<Refreshed, DbError> {
    let now = tx.now();
    let Some(found) = lock(tx, old_hash).await? else {
        return Ok(Refreshed::Refused);
    };
    let held = found.held();
    if found.ended || found.expires_at <= now {
        return Ok(Refreshed::Refused);
    }
    if found.used {
        end(tx, held.tenant, held.session, EndedBy::Reuse).await?;
        return Ok(Refreshed::Reused(held));
    }
    sql("WITH used AS (
           UPDATE refresh_tokens SET used_at = $4 WHERE token_hash = $1
           RETURNING organization_id, session_id
         ), going_on AS (
           UPDATE user_sessions s SET last_used_at = $4, expires_at = $3
           FROM used WHERE s.id = used.session_id)
         INSERT INTO refresh_tokens (token_hash, organization_id, session_id, created_at)
         SELECT $2, organization_id, session_id, $4 FROM used")
    .bind::<Binary, _>(old_hash.as_slice())
    .bind::<Binary, _>(new_hash.as_slice())
    .bind::<Timestamptz, _>(expires_at)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(Refreshed::Renewed(held))
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    user_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    session_id: Uuid,
    #[diesel(sql_type = Bool)]
    used: bool,
    #[diesel(sql_type = Bool)]
    ended: bool,
    #[diesel(sql_type = Timestamptz)]
    expires_at: DateTime<Utc>,
}

impl Found {
    const fn held(&self) -> Held {
        Held {
            tenant: Tenant::of(OrganizationId::from_uuid(self.organization_id)),
            user: UserId::from_uuid(self.user_id),
            session: UserSessionId::from_uuid(self.session_id),
        }
    }
}

/// Two uses of one token at a time meet here: the second sees what the first did.
async fn lock(tx: &mut Tx, token_hash: &[u8; 32]) -> Result<Option<Found>, DbError> {
    Ok(sql(
        "SELECT t.organization_id, s.user_id, t.session_id, t.used_at IS NOT NULL AS used,
                s.ended_at IS NOT NULL OR u.disabled_at IS NOT NULL OR o.state <> 'active' AS ended,
                s.expires_at
         FROM refresh_tokens t JOIN user_sessions s ON s.id = t.session_id
         JOIN users u ON u.id = s.user_id JOIN organizations o ON o.id = s.organization_id
         WHERE t.token_hash = $1 FOR UPDATE OF t, s",
    )
    .bind::<Binary, _>(token_hash.as_slice())
    .get_result(tx.conn())
    .await
    .optional()?)
}

/// Ends a session; false if it had ended, or is not the organization's.
pub async fn end(
    tx: &mut Tx,
    tenant: Tenant,
    id: UserSessionId,
    why: EndedBy,
) -> Result<bool, DbError> {
    let now = tx.now();
    let ended = sql("UPDATE user_sessions SET ended_at = $3, ended_by = $4
         WHERE organization_id = $1 AND id = $2 AND ended_at IS NULL")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(why.as_str())
    .execute(tx.conn())
    .await?;
    Ok(ended == 1)
}

/// Ends every session of a person; answers how many there were.
pub async fn end_all(
    tx: &mut Tx,
    tenant: Tenant,
    user: UserId,
    why: EndedBy,
) -> Result<usize, DbError> {
    end_others(tx, tenant, user, None, why).await
}

/// Ends every session of a person but `kept`; answers how many there were.
pub async fn end_others(
    tx: &mut Tx,
    tenant: Tenant,
    user: UserId,
    kept: Option<UserSessionId>,
    why: EndedBy,
) -> Result<usize, DbError> {
    let now = tx.now();
    Ok(sql("UPDATE user_sessions SET ended_at = $3, ended_by = $4
         WHERE organization_id = $1 AND user_id = $2 AND ended_at IS NULL AND expires_at > $3
           AND id IS DISTINCT FROM $5")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(user.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(why.as_str())
    .bind::<Nullable<SqlUuid>, _>(kept.map(UserSessionId::uuid))
    .execute(tx.conn())
    .await?)
}

/// A session as its person sees it.
#[derive(Debug, Clone)]
pub struct StoredSession {
    /// Its id.
    pub id: UserSessionId,
    /// `registration`, `password`, `code` or `invitation`.
    pub method: String,
    /// What the browser called itself.
    pub user_agent: Option<String>,
    /// From where the login came.
    pub address: Option<String>,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// The last login or refresh.
    pub last_used_at: DateTime<Utc>,
    /// When it ends if nothing happens.
    pub expires_at: DateTime<Utc>,
}

/// A person's sessions that go on, newest first.
pub async fn list(
    conn: &mut Conn,
    tenant: Tenant,
    user: UserId,
    now: DateTime<Utc>,
    before: Option<UserSessionId>,
    limit: i64,
) -> Result<Vec<StoredSession>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Text)]
        method: String,
        #[diesel(sql_type = Nullable<Text>)]
        user_agent: Option<String>,
        #[diesel(sql_type = Nullable<Text>)]
        address: Option<String>,
        #[diesel(sql_type = Timestamptz)]
        created_at: DateTime<Utc>,
        #[diesel(sql_type = Timestamptz)]
        last_used_at: DateTime<Utc>,
        #[diesel(sql_type = Timestamptz)]
        expires_at: DateTime<Utc>,
    }
    let rows: Vec<Row> = sql(
        "SELECT id, method, user_agent, address, created_at, last_used_at, expires_at
         FROM user_sessions
         WHERE organization_id = $1 AND user_id = $2 AND ended_at IS NULL AND expires_at > $3
           AND ($4 IS NULL OR id < $4)
         ORDER BY id DESC LIMIT $5",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(user.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<SqlUuid>, _>(before.map(UserSessionId::uuid))
    .bind::<diesel::sql_types::BigInt, _>(limit)
    .load(conn)
    .await?;
    let session = |row: Row| StoredSession {
        id: UserSessionId::from_uuid(row.id),
        method: row.method,
        user_agent: row.user_agent,
        address: row.address,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        expires_at: row.expires_at,
    };
    Ok(rows.into_iter().map(session).collect())
}

/// Whose session it is, if it goes on.
pub async fn owner(
    conn: &mut Conn,
    tenant: Tenant,
    id: UserSessionId,
) -> Result<Option<UserId>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        user_id: Uuid,
    }
    let row: Option<Row> = sql("SELECT user_id FROM user_sessions
         WHERE organization_id = $1 AND id = $2 AND ended_at IS NULL")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.map(|row| UserId::from_uuid(row.user_id)))
}

/// Ends the session that a refresh token belongs to; nothing if there is none
/// that goes on.
pub async fn log_out(tx: &mut Tx, token_hash: &[u8; 32]) -> Result<Option<Held>, DbError> {
    let Some(found) = lock(tx, token_hash).await? else {
        return Ok(None);
    };
    let held = found.held();
    let ended = end(tx, held.tenant, held.session, EndedBy::Logout).await?;
    Ok(ended.then_some(held))
}

/// Forgets sessions that ended or expired before `before`, with their tokens, at
/// most `limit` of them; answers how many.
pub async fn forget(conn: &mut Conn, before: DateTime<Utc>, limit: i64) -> Result<usize, DbError> {
    Ok(sql("DELETE FROM user_sessions WHERE id IN (
           SELECT id FROM user_sessions WHERE expires_at < $1 LIMIT $2)")
    .bind::<Timestamptz, _>(before)
    .bind::<diesel::sql_types::BigInt, _>(limit)
    .execute(conn)
    .await?)
}
