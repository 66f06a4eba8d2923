//! The links of an organization, page by page.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{RecoveryId, RecoveryLinkId};
use domain::{LinkState, TransactionRef};
use uuid::Uuid;

use super::{LinkRow, StoredLink};
use crate::id_range::IdRange;
use crate::sql::{Statement, sql};
use crate::{Conn, DbError, Tenant};

/// Which links are wanted, newest first.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// In this state at `now`: a link whose time has passed is expired, whether
    /// that was noted or not.
    pub state: Option<LinkState>,
    /// Of these recoveries alone.
    pub recoveries: Option<Vec<RecoveryId>>,
    /// Older than this one.
    pub before: Option<RecoveryLinkId>,
    /// At most so many.
    pub limit: i64,
}

/// A link of a list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The link, in the state that it has now.
    pub link: StoredLink,
    /// What it pays for.
    pub transaction_ref: TransactionRef,
    /// When its recovery was paid, for a used one.
    pub used_at: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(embed)]
    link: LinkRow,
    #[diesel(sql_type = Text)]
    transaction_ref: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    used_at: Option<DateTime<Utc>>,
}

/// A statement for each way to begin, so that each has its index: rows that a
/// filter would pass over one by one are not read.
macro_rules! page {
    ($chosen:literal) => {
        concat!(
            "SELECT l.*, t.transaction_ref
             FROM (
               SELECT l.id, l.organization_id, l.recovery_id, l.attempt_id, s.state, l.channel,
                      l.expires_at, l.opened_at, l.created_at, l.used_at
               FROM recovery_links l,
                    LATERAL (SELECT CASE WHEN l.state IN ('created', 'opened') AND l.expires_at <= $5
                                         THEN 'expired' ELSE l.state END AS state) AS s
               WHERE l.organization_id = $1 AND l.id < $2 AND ",
            $chosen,
            "    AND ($3 IS NULL OR s.state = $3)
               ORDER BY l.id DESC LIMIT $6
             ) AS l
             JOIN recoveries r ON r.id = l.recovery_id AND r.organization_id = l.organization_id
             JOIN transactions t ON t.id = r.transaction_id AND t.organization_id = r.organization_id
             ORDER BY l.id DESC"
        )
    };
}

/// The links of an organization as they are at `now`.
pub async fn list(
    conn: &mut Conn,
    tenant: Tenant,
    wanted: &Wanted,
    now: DateTime<Utc>,
) -> Result<Vec<Listed>, DbError> {
    let recoveries = wanted.recoveries.as_ref();
    let recoveries = recoveries.map(|ids| ids.iter().map(|id| id.uuid()).collect::<Vec<Uuid>>());
    let before = wanted.before.map(domain::Id::uuid);
    statement(wanted)
        .bind::<SqlUuid, _>(tenant.uuid())
        .bind::<SqlUuid, _>(IdRange::new(None, None, before).high)
        .bind::<Nullable<Text>, _>(wanted.state.map(LinkState::as_str))
        .bind::<Nullable<Array<SqlUuid>>, _>(recoveries)
        .bind::<Timestamptz, _>(now)
        .bind::<BigInt, _>(wanted.limit)
        .load::<Row>(conn)
        .await?
        .into_iter()
        .map(|row| {
            Ok(Listed {
                link: row.link.try_into()?,
                transaction_ref: TransactionRef::parse(&row.transaction_ref)
                    .map_err(|fault| DbError::corrupt("transactions.transaction_ref", fault))?,
                used_at: row.used_at,
            })
        })
        .collect()
}

fn statement<'a>(wanted: &Wanted) -> Statement<'a> {
    sql(match (&wanted.recoveries, wanted.state) {
        (Some(_), _) => page!("l.recovery_id = ANY ($4)"),
        // A link lives for thirty days at most.
        (None, Some(LinkState::Created | LinkState::Opened)) => {
            page!("l.state = $3 AND l.id >= uuid7_floor($5 - interval '31 days')")
        }
        (None, Some(LinkState::Used | LinkState::Revoked)) => page!("l.state = $3"),
        (None, Some(LinkState::Expired) | None) => page!("true"),
    })
}
