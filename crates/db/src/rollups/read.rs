//! The sums of a window.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::Currency;
use domain::analytics::window::Piece;

use super::{Dimension, Measure};
use crate::sql::sql;
use crate::{Conn, DbError, Tenant};

/// One sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// Of which currency; numbers are kept apart by it too.
    pub currency: Currency,
    /// What was summed.
    pub measure: Measure,
    /// The dimension's value; empty for [`Dimension::All`].
    pub key: String,
    /// How many.
    pub number: i64,
    /// How much, in minor units.
    pub minor: i64,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    measure: String,
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = BigInt)]
    minor: i64,
}

/// The sums of a window that is made of `pieces`, by currency, measure and key.
/// `prefix` chooses keys that begin so. The cost is that of the window's buckets,
/// whatever was summed in them; of two tables, since each keeps lengths of its own.
pub async fn sums(
    conn: &mut Conn,
    tenant: Tenant,
    dimension: Dimension,
    pieces: &[Piece],
    currency: Option<Currency>,
    prefix: Option<&str>,
) -> Result<Vec<Sum>, DbError> {
    let spans: Vec<i32> = pieces.iter().map(|piece| piece.span.minutes()).collect();
    let from: Vec<DateTime<Utc>> = pieces.iter().map(|piece| piece.from).collect();
    let to: Vec<DateTime<Utc>> = pieces.iter().map(|piece| piece.to).collect();
    let code = currency.map(|currency| currency.code().to_owned());
    let rows: Vec<Row> = sql(
        "SELECT b.currency, b.measure, b.key, sum(b.number)::bigint AS number,
                least(sum(b.minor), 9223372036854775807)::bigint AS minor
         FROM unnest($3, $4, $5) AS w (minutes, from_at, to_at)
         CROSS JOIN LATERAL (
           SELECT r.currency, r.measure, r.key, r.number, r.minor FROM rollups r
           WHERE r.organization_id = $1 AND r.dimension = $2 AND r.span_minutes = w.minutes
             AND r.bucket >= w.from_at AND r.bucket < w.to_at
             AND ($6 IS NULL OR r.currency = $6)
             AND ($7 IS NULL OR starts_with(r.key, $7))
           UNION ALL
           SELECT l.currency, l.measure, l.key, l.number, l.minor FROM rollups_longer l
           WHERE l.organization_id = $1 AND l.dimension = $2 AND l.span_minutes = w.minutes
             AND l.bucket >= w.from_at AND l.bucket < w.to_at
             AND ($6 IS NULL OR l.currency = $6)
             AND ($7 IS NULL OR starts_with(l.key, $7))
             AND (l.number <> 0 OR l.minor <> 0)) AS b
         GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(dimension.as_str())
    .bind::<Array<Integer>, _>(spans)
    .bind::<Array<Timestamptz>, _>(from)
    .bind::<Array<Timestamptz>, _>(to)
    .bind::<Nullable<Text>, _>(code)
    .bind::<Nullable<Text>, _>(prefix)
    .load(conn)
    .await?;
    let mut sums: Vec<Sum> = rows
        .into_iter()
        .map(Sum::try_from)
        .collect::<Result<_, _>>()?;
    // Sorted here, since Postgres then adds up by hashing instead of sorting all buckets.
    sums.sort_by(|a, b| order(a).cmp(&order(b)));
    Ok(sums)
}

fn order(sum: &Sum) -> (&'static str, Measure, &str) {
    (sum.currency.code(), sum.measure, &sum.key)
}

impl TryFrom<Row> for Sum {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        Ok(Self {
            currency: Currency::parse(&row.currency)
                .map_err(|fault| DbError::corrupt("rollups.currency", fault))?,
            measure: row
                .measure
                .parse()
                .map_err(|fault| DbError::corrupt("rollups.measure", fault))?,
            key: row.key,
            number: row.number,
            minor: row.minor,
        })
    }
}
