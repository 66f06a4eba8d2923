//! The attempts of an organization: page by page, and counted.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::AttemptId;
use domain::{AttemptKind, AttemptState};

use super::{AttemptRow, StoredAttempt, attempt_columns};
use crate::id_range::IdRange;
use crate::sql::sql;
use crate::{Conn, DbError, Tenant};

/// Which attempts are wanted, newest first.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// In this state alone.
    pub state: Option<AttemptState>,
    /// Of this kind alone.
    pub kind: Option<AttemptKind>,
    /// Planned from then on.
    pub from: Option<DateTime<Utc>>,
    /// Planned before then.
    pub to: Option<DateTime<Utc>>,
    /// Older than this one.
    pub before: Option<AttemptId>,
    /// At most so many.
    pub limit: i64,
}

/// A statement with a state and one without, so that each has its index.
macro_rules! page {
    ($state:literal) => {
        concat!(
            "SELECT ",
            attempt_columns!(),
            " FROM attempts a
              WHERE a.organization_id = $1 AND a.id >= $2 AND a.id < $3 AND ",
            $state,
            " AND ($5 IS NULL OR a.kind = $5) ORDER BY a.id DESC LIMIT $6"
        )
    };
}

/// The attempts of an organization.
pub async fn list(
    conn: &mut Conn,
    tenant: Tenant,
    wanted: &Wanted,
) -> Result<Vec<StoredAttempt>, DbError> {
    let before = wanted.before.map(domain::Id::uuid);
    let ids = IdRange::new(wanted.from, wanted.to, before);
    sql(match wanted.state {
        Some(_) => page!("a.state = $4"),
        None => page!("$4 IS NULL"),
    })
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(ids.low)
    .bind::<SqlUuid, _>(ids.high)
    .bind::<Nullable<Text>, _>(wanted.state.map(AttemptState::as_str))
    .bind::<Nullable<Text>, _>(wanted.kind.map(AttemptKind::as_str))
    .bind::<BigInt, _>(wanted.limit)
    .load::<AttemptRow>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// Attempts counted by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, QueryableByName)]
pub struct Stats {
    /// All of them.
    #[diesel(sql_type = BigInt)]
    pub all: i64,
    /// Not settled yet.
    #[diesel(sql_type = BigInt)]
    pub pending: i64,
    /// Message attempts that asked for their messages.
    #[diesel(sql_type = BigInt)]
    pub written: i64,
    /// Charges that went through.
    #[diesel(sql_type = BigInt)]
    pub charged: i64,
    /// Charges that were declined.
    #[diesel(sql_type = BigInt)]
    pub declined: i64,
    /// Recoveries that they are steps of.
    #[diesel(sql_type = BigInt)]
    pub recoveries: i64,
}

/// Counts the newest `limit` attempts that were planned from `from` on: the
/// bound keeps it cheap for whoever has millions of them.
pub async fn stats(
    conn: &mut Conn,
    tenant: Tenant,
    from: DateTime<Utc>,
    limit: i64,
) -> Result<Stats, DbError> {
    let ids = IdRange::new(Some(from), None, None);
    Ok(sql("SELECT count(*) AS \"all\",
                count(*) FILTER (WHERE state IN ('scheduled', 'claimed', 'in_doubt')) AS pending,
                count(*) FILTER (WHERE kind = 'message' AND state = 'succeeded') AS written,
                count(*) FILTER (WHERE kind = 'charge' AND state = 'succeeded') AS charged,
                count(*) FILTER (WHERE kind = 'charge' AND state = 'declined') AS declined,
                count(DISTINCT recovery_id) AS recoveries
         FROM (SELECT kind, state, recovery_id FROM attempts
               WHERE organization_id = $1 AND id >= $2 ORDER BY id DESC LIMIT $3) AS newest")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(ids.low)
    .bind::<BigInt, _>(limit)
    .get_result(conn)
    .await?)
}

/// How many of an organization's attempts are due at `now`, up to `limit`.
pub async fn count_due(
    conn: &mut Conn,
    tenant: Tenant,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<i64, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        due: i64,
    }
    let row: Row = sql("SELECT count(*) AS due
         FROM (SELECT FROM attempts
               WHERE organization_id = $1 AND state = 'scheduled' AND due_at <= $2 LIMIT $3) AS due")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(limit)
    .get_result(conn)
    .await?;
    Ok(row.due)
}
