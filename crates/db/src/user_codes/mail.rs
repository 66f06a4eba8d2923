//! Handing over the mail that carries a code or link, by the same moves as
//! payers' messages ([`crate::notifications`]): guarded, marked before the step
//! that cannot be undone, and never handed over twice.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::id::UserCodeId;
use domain::{CodePurpose, NotificationState, Role};
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// A mail to one of a merchant's people, as it stands.
#[derive(Debug, Clone)]
pub struct UserMail {
    /// The code or link that it carries.
    pub id: UserCodeId,
    /// Whose.
    pub tenant: Tenant,
    /// What it is for.
    pub purpose: CodePurpose,
    /// How far the hand-over has come.
    pub state: NotificationState,
    /// Until when a marked hand-over is believed to be under way.
    pub lease_until: Option<DateTime<Utc>>,
    /// Where to.
    pub email: String,
    /// What the user is called.
    pub full_name: Option<String>,
    /// As what someone is invited.
    pub role: Option<Role>,
    /// The organization's name.
    pub organization_name: String,
    /// Until when the code or link holds.
    pub expires_at: DateTime<Utc>,
    /// Whether it was not closed, and its user and organization may log in.
    pub open: bool,
}

pub(crate) fn state(text: &str) -> Result<NotificationState, DbError> {
    text.parse()
        .map_err(|fault| DbError::corrupt("user_codes.mail_state", fault))
}

/// The mail that carries this code or link.
pub async fn find(
    conn: &mut Conn,
    tenant: Tenant,
    id: UserCodeId,
) -> Result<Option<UserMail>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        purpose: String,
        #[diesel(sql_type = Text)]
        mail_state: String,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        mail_lease_until: Option<DateTime<Utc>>,
        #[diesel(sql_type = Text)]
        email: String,
        #[diesel(sql_type = Nullable<Text>)]
        full_name: Option<String>,
        #[diesel(sql_type = Nullable<Text>)]
        role: Option<String>,
        #[diesel(sql_type = Text)]
        organization_name: String,
        #[diesel(sql_type = Timestamptz)]
        expires_at: DateTime<Utc>,
        #[diesel(sql_type = Bool)]
        open: bool,
    }
    let row: Option<Row> = sql(
        "SELECT c.purpose, c.mail_state, c.mail_lease_until, coalesce(c.email, u.email) AS email,
                u.full_name, c.role, o.name AS organization_name, c.expires_at,
                c.closed_at IS NULL AND u.disabled_at IS NULL AND o.state = 'active' AS open
         FROM user_codes c JOIN organizations o ON o.id = c.organization_id
         LEFT JOIN users u ON u.id = c.user_id
         WHERE c.organization_id = $1 AND c.id = $2",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result(conn)
    .await
    .optional()?;
    row.map(|row| {
        Ok(UserMail {
            id,
            tenant,
            purpose: row
                .purpose
                .parse()
                .map_err(|fault| DbError::corrupt("user_codes.purpose", fault))?,
            state: state(&row.mail_state)?,
            lease_until: row.mail_lease_until,
            email: row.email,
            full_name: row.full_name,
            role: row.role.as_deref().map(crate::users::role).transpose()?,
            organization_name: row.organization_name,
            expires_at: row.expires_at,
            open: row.open,
        })
    })
    .transpose()
}

/// Marks that the hand-over starts now. False if the mail must not go out:
/// another process has it, or what it carries is closed or has expired.
pub async fn begin_hand_over(
    conn: &mut Conn,
    mail: &UserMail,
    worker: Uuid,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Result<bool, DbError> {
    let moved = sql("UPDATE user_codes
         SET mail_state = 'handing_over', mail_worker = $3, mail_lease_until = $5,
             mail_tries = mail_tries + 1
         WHERE organization_id = $1 AND id = $2 AND mail_state = 'queued'
           AND closed_at IS NULL AND expires_at > $4")
    .bind::<SqlUuid, _>(mail.tenant.uuid())
    .bind::<SqlUuid, _>(mail.id.uuid())
    .bind::<SqlUuid, _>(worker)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(lease_until)
    .execute(conn)
    .await?;
    Ok(moved == 1)
}

/// Ends a hand-over whose process died and whose lease has run out: nobody can say
/// whether the mail was sent. False if it is another's meanwhile.
pub async fn give_up(tx: &mut Tx, mail: &UserMail, error: &str) -> Result<bool, DbError> {
    let now = tx.now();
    let moved = sql("UPDATE user_codes
         SET mail_state = 'unconfirmed', mail_worker = NULL, mail_lease_until = NULL,
             mail_error = $4
         WHERE organization_id = $1 AND id = $2 AND mail_state = 'handing_over'
           AND mail_lease_until <= $3")
    .bind::<SqlUuid, _>(mail.tenant.uuid())
    .bind::<SqlUuid, _>(mail.id.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(error)
    .execute(tx.conn())
    .await?;
    Ok(moved == 1)
}

/// Ends a hand-over that `worker` holds. False if it no longer does.
pub async fn finish(
    tx: &mut Tx,
    mail: &UserMail,
    worker: Uuid,
    state: NotificationState,
    error: Option<&str>,
) -> Result<bool, DbError> {
    let now = tx.now();
    let moved = sql("UPDATE user_codes
         SET mail_state = $4, mail_worker = NULL, mail_lease_until = NULL, mail_error = $5,
             mail_sent_at = CASE WHEN $4 = 'sent' THEN $6 END
         WHERE organization_id = $1 AND id = $2 AND mail_state = 'handing_over'
           AND mail_worker = $3")
    .bind::<SqlUuid, _>(mail.tenant.uuid())
    .bind::<SqlUuid, _>(mail.id.uuid())
    .bind::<SqlUuid, _>(worker)
    .bind::<Text, _>(state.as_str())
    .bind::<Nullable<Text>, _>(error)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(moved == 1)
}

/// Ends a mail that was never handed over: `withdrawn` or `failed`.
pub async fn drop_queued(
    tx: &mut Tx,
    mail: &UserMail,
    state: NotificationState,
    reason: &str,
) -> Result<bool, DbError> {
    let moved = sql("UPDATE user_codes SET mail_state = $3, mail_error = $4
         WHERE organization_id = $1 AND id = $2 AND mail_state = 'queued'")
    .bind::<SqlUuid, _>(mail.tenant.uuid())
    .bind::<SqlUuid, _>(mail.id.uuid())
    .bind::<Text, _>(state.as_str())
    .bind::<Text, _>(reason)
    .execute(tx.conn())
    .await?;
    Ok(moved == 1)
}
