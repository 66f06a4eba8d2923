//! How much waits, for metrics.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;

use super::claims::{held_altogether, held_organizations};
use crate::sql::sql;
use crate::{Conn, DbError};

/// What is due and what is in doubt, of all organizations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Attempts that are due and not claimed.
    pub due: i64,
    /// How long ago the first of them was due.
    pub oldest_due: TimeDelta,
    /// Charges of which nobody knows yet whether they went through.
    pub in_doubt: i64,
    /// How long ago the first of those was due.
    pub oldest_in_doubt: TimeDelta,
}

/// Counts what waits. Bounded: above 10,000 it stops counting. What is held
/// ([`crate::holds`]) is not waited for, and not counted as due.
pub async fn waiting(conn: &mut Conn, now: DateTime<Utc>) -> Result<Waiting, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        due: i64,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        oldest_due: Option<DateTime<Utc>>,
        #[diesel(sql_type = BigInt)]
        in_doubt: i64,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        oldest_in_doubt: Option<DateTime<Utc>>,
    }
    let row: Row = sql(concat!(
        "SELECT d.due, d.oldest_due, u.in_doubt, u.oldest_in_doubt
         FROM (SELECT count(*) AS due, min(due_at) AS oldest_due FROM (
             SELECT due_at FROM attempts WHERE state = 'scheduled' AND due_at <= $1
               AND organization_id <> ALL (ARRAY (",
        held_organizations!(),
        ")) AND NOT EXISTS (",
        held_altogether!(),
        ")
             ORDER BY due_at LIMIT 10000) AS counted) AS d,
           (SELECT count(*) AS in_doubt, min(due_at) AS oldest_in_doubt FROM (
             SELECT due_at FROM attempts WHERE state = 'in_doubt' LIMIT 10000) AS counted) AS u"
    ))
    .bind::<Timestamptz, _>(now)
    .get_result(conn)
    .await?;
    let since = |at: Option<DateTime<Utc>>| at.map_or(TimeDelta::zero(), |at| now - at);
    Ok(Waiting {
        due: row.due,
        oldest_due: since(row.oldest_due),
        in_doubt: row.in_doubt,
        oldest_in_doubt: since(row.oldest_in_doubt),
    })
}
