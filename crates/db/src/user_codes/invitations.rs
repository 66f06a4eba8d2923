//! Invitations: people who are nobody's users yet.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::UserCodeId;
use domain::{CodePurpose, NotificationState, Role};
use uuid::Uuid;

use super::{NewCode, mail};
use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// An invitation that was neither accepted, nor revoked, nor made anew.
#[derive(Debug, Clone)]
pub struct StoredInvitation {
    /// Its id.
    pub id: UserCodeId,
    /// Whom, in lower case.
    pub email: String,
    /// As what.
    pub role: Role,
    /// By which user or key.
    pub made_by: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
    /// How far its mail has come.
    pub mail: NotificationState,
}

/// What became of an invitation that was asked for.
#[derive(Debug)]
pub enum Invited {
    /// It was made, in place of an older one of the same address.
    Made(StoredInvitation),
    /// The organization has a user of that address.
    AlreadyUser,
}

/// Invites an address. The organization's row serializes invitations, so that
/// two of one address leave one open.
pub async fn make(
    tx: &mut Tx,
    tenant: Tenant,
    (email, role): (&str, Role),
    made_by: &str,
    new: &NewCode<'_>,
) -> Result<Invited, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        users: i64,
    }
    sql("SELECT id FROM organizations WHERE id = $1 FOR NO KEY UPDATE")
        .bind::<SqlUuid, _>(tenant.uuid())
        .execute(tx.conn())
        .await?;
    let known: Row =
        sql("SELECT count(*) AS users FROM users WHERE organization_id = $1 AND email = $2")
            .bind::<SqlUuid, _>(tenant.uuid())
            .bind::<Text, _>(email)
            .get_result(tx.conn())
            .await?;
    if known.users > 0 {
        return Ok(Invited::AlreadyUser);
    }
    let now = tx.now();
    sql(
        "UPDATE user_codes SET closed_at = $3, closed_by = 'replaced'
         WHERE organization_id = $1 AND email = $2 AND purpose = 'invitation'
           AND closed_at IS NULL",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(email)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    let expires_at = new.expires_at(now);
    sql(
        "INSERT INTO user_codes (id, organization_id, email, role, made_by, purpose, token_hash,
                                 tries_left, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind::<SqlUuid, _>(new.id.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(email)
    .bind::<Text, _>(role.as_str())
    .bind::<Text, _>(made_by)
    .bind::<Text, _>(CodePurpose::Invitation.as_str())
    .bind::<Nullable<Binary>, _>(new.token_hash.map(<[u8; 32]>::as_slice))
    .bind::<Integer, _>(i32::from(new.purpose.tries()))
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(expires_at)
    .execute(tx.conn())
    .await?;
    Ok(Invited::Made(StoredInvitation {
        id: new.id,
        email: email.to_owned(),
        role,
        made_by: Some(made_by.to_owned()),
        created_at: now,
        expires_at,
        mail: NotificationState::Queued,
    }))
}

/// The organization's open invitations, the expired ones with them, newest first.
pub async fn list(
    conn: &mut Conn,
    tenant: Tenant,
    before: Option<UserCodeId>,
    limit: i64,
) -> Result<Vec<StoredInvitation>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Text)]
        email: String,
        #[diesel(sql_type = Text)]
        role: String,
        #[diesel(sql_type = Nullable<Text>)]
        made_by: Option<String>,
        #[diesel(sql_type = Timestamptz)]
        created_at: DateTime<Utc>,
        #[diesel(sql_type = Timestamptz)]
        expires_at: DateTime<Utc>,
        #[diesel(sql_type = Text)]
        mail_state: String,
    }
    let rows: Vec<Row> = sql(
        "SELECT id, email, role, made_by, created_at, expires_at, mail_state FROM user_codes
         WHERE organization_id = $1 AND purpose = 'invitation' AND closed_at IS NULL
           AND ($2 IS NULL OR id < $2)
         ORDER BY id DESC LIMIT $3",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Nullable<SqlUuid>, _>(before.map(UserCodeId::uuid))
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    let invitation = |row: Row| {
        Ok(StoredInvitation {
            id: UserCodeId::from_uuid(row.id),
            email: row.email,
            role: crate::users::role(&row.role)?,
            made_by: row.made_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
            mail: mail::state(&row.mail_state)?,
        })
    };
    rows.into_iter().map(invitation).collect()
}

/// Takes an invitation back; false if there is no such open one.
pub async fn revoke(tx: &mut Tx, tenant: Tenant, id: UserCodeId) -> Result<bool, DbError> {
    let now = tx.now();
    let revoked = sql("UPDATE user_codes SET closed_at = $3, closed_by = 'revoked'
         WHERE organization_id = $1 AND id = $2 AND purpose = 'invitation' AND closed_at IS NULL")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(revoked == 1)
}
