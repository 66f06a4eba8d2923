//! Which recoveries are compared, a page at a time.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::id::{ConnectionId, RecoveryId, RecoveryLinkId, TransactionId};
use domain::state::{Provider, RecoveryState};
use uuid::Uuid;

use super::StoredRun;
use crate::sql::sql;
use crate::{Conn, DbError};

/// A recovery lives for at most 60 days of its policy and 30 of a link
/// (`domain::policy`); with some to spare, so that the walk can begin there.
const LONGEST_LIFE: TimeDelta = TimeDelta::days(120);

/// A recovery to compare, with what is known of its payments.
#[derive(Debug, Clone)]
pub struct Member {
    /// The recovery.
    pub recovery: RecoveryId,
    /// What it wins back.
    pub transaction: TransactionId,
    /// Where it stood when it was read.
    pub state: RecoveryState,
    /// The merchant's own payment: through which account, under which id.
    pub payment: Option<(ConnectionId, String)>,
    /// The payer's newest checkout that has an id at its PSP.
    pub checkout: Option<MemberCheckout>,
}

/// A payer's checkout.
#[derive(Debug, Clone)]
pub struct MemberCheckout {
    /// Through which account.
    pub connection: ConnectionId,
    /// At which PSP.
    pub provider: Provider,
    /// Its id there.
    pub reference: String,
    /// The link that the payer came by.
    pub link: RecoveryLinkId,
}

/// A page of the walk.
#[derive(Debug, Clone)]
pub struct Walked {
    /// The recoveries to compare, in the order of their ids.
    pub members: Vec<Member>,
    /// The last recovery of the page, compared or not; none if nothing was left.
    pub to: Option<RecoveryId>,
    /// Whether nothing is left after it.
    pub done: bool,
}

#[derive(QueryableByName)]
struct WalkRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Bool)]
    wanted: bool,
    #[diesel(sql_type = SqlUuid)]
    transaction_id: Uuid,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    connection_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    payment_ref: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    checkout_connection_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    checkout_provider: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    checkout_reference: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    checkout_link_id: Option<Uuid>,
}

impl TryFrom<WalkRow> for Member {
    type Error = DbError;
    fn try_from(row: WalkRow) -> Result<Self, DbError> {
        let checkout = match (
            row.checkout_connection_id,
            row.checkout_provider,
            row.checkout_reference,
            row.checkout_link_id,
        ) {
            (Some(connection), Some(provider), Some(reference), Some(link)) => {
                Some(MemberCheckout {
                    connection: ConnectionId::from_uuid(connection),
                    provider: provider
                        .parse()
                        .map_err(|fault| DbError::corrupt("checkouts.provider", fault))?,
                    reference,
                    link: RecoveryLinkId::from_uuid(link),
                })
            }
            _ => None,
        };
        Ok(Self {
            recovery: RecoveryId::from_uuid(row.id),
            transaction: TransactionId::from_uuid(row.transaction_id),
            state: row
                .state
                .parse()
                .map_err(|fault| DbError::corrupt("recoveries.state", fault))?,
            payment: row
                .connection_id
                .map(ConnectionId::from_uuid)
                .zip(row.payment_ref),
            checkout,
        })
    }
}

/// What the rows `w` of recoveries are read with.
macro_rules! with_payments {
    () => {
        "SELECT w.id, w.state, w.transaction_id, t.connection_id, t.payment_ref,
                c.connection_id AS checkout_connection_id, c.provider AS checkout_provider,
                c.reference AS checkout_reference, c.link_id AS checkout_link_id,
                w.recent AND (t.payment_ref IS NOT NULL AND t.connection_id IS NOT NULL
                              OR c.reference IS NOT NULL) AS wanted
         FROM walked w
         JOIN transactions t ON t.organization_id = $1 AND t.id = w.transaction_id
         LEFT JOIN LATERAL (
           SELECT k.connection_id, k.provider, k.reference, k.link_id FROM checkouts k
           WHERE k.recovery_id = w.id AND k.organization_id = $1 AND k.reference IS NOT NULL
           ORDER BY (k.state = 'paid') DESC, k.id DESC LIMIT 1) AS c ON true
         ORDER BY w.id"
    };
}

/// The next `limit` recoveries of the organization, and which of them are to be
/// compared: those that were opened before the run began, are open or ended
/// within its days, and have a payment or a checkout at a PSP. None leaves that
/// set while the run goes on, so none is missed by ending meanwhile.
pub async fn walk(conn: &mut Conn, run: &StoredRun, limit: i64) -> Result<Walked, DbError> {
    let since = since(run);
    let rows = sql(concat!(
        "WITH walked AS (
           SELECT r.id, r.state, r.transaction_id,
                  (r.state = 'open' OR r.closed_at >= $3) AS recent
           FROM recoveries r
           WHERE r.organization_id = $1 AND r.id > coalesce($2, uuid7_floor($4))
             AND r.id < uuid7_floor($5)
           ORDER BY r.id LIMIT $6) ",
        with_payments!()
    ))
    .bind::<SqlUuid, _>(run.tenant.uuid())
    .bind::<Nullable<SqlUuid>, _>(run.reached.map(domain::Id::uuid))
    .bind::<Timestamptz, _>(since)
    .bind::<Timestamptz, _>(since - LONGEST_LIFE)
    .bind::<Timestamptz, _>(run.began_at + TimeDelta::milliseconds(1))
    .bind::<BigInt, _>(limit)
    .load::<WalkRow>(conn)
    .await?;
    let done = i64::try_from(rows.len()).unwrap_or(i64::MAX) < limit;
    let to = rows.last().map(|row| RecoveryId::from_uuid(row.id));
    let wanted = rows.into_iter().filter(|row| row.wanted);
    let members = wanted.map(TryInto::try_into).collect::<Result<_, _>>()?;
    Ok(Walked { members, to, done })
}

/// One recovery of the walk, as it is now.
pub async fn member(
    conn: &mut Conn,
    run: &StoredRun,
    recovery: RecoveryId,
) -> Result<Option<Member>, DbError> {
    sql(concat!(
        "WITH walked AS (
           SELECT r.id, r.state, r.transaction_id, true AS recent FROM recoveries r
           WHERE r.organization_id = $1 AND r.id = $2) ",
        with_payments!()
    ))
    .bind::<SqlUuid, _>(run.tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .get_result::<WalkRow>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

fn since(run: &StoredRun) -> DateTime<Utc> {
    run.began_at - TimeDelta::days(i64::from(run.days))
}
