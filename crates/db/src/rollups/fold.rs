//! Adding up what was counted.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool};
use diesel_async::RunQueryDsl;

use crate::sql::sql;
use crate::{DbError, Tx};

/// Adds up to `limit` counts to the sums; answers how many sums have moved, none
/// if there was nothing to add or another process is at it.
///
/// A sum that would leave 64 bits stays at their end, rather than keep everybody's
/// counts from being added up.
pub async fn fold(tx: &mut Tx, limit: i64) -> Result<usize, DbError> {
    #[derive(QueryableByName)]
    struct Turn {
        #[diesel(sql_type = Bool)]
        mine: bool,
    }
    let turn: Turn =
        sql("SELECT pg_try_advisory_xact_lock(hashtext('tinko.rollups.fold'), 0) AS mine")
            .get_result(tx.conn())
            .await?;
    if !turn.mine {
        return Ok(0);
    }
    sql("DELETE FROM rollup_skips s
         WHERE NOT EXISTS (SELECT 1 FROM outbox o WHERE o.id = s.outbox_id)")
    .execute(tx.conn())
    .await?;
    let moved = sql("WITH taken AS (
           DELETE FROM rollup_counts
           WHERE id = ANY (ARRAY (SELECT id FROM rollup_counts ORDER BY id LIMIT $1))
           RETURNING organization_id, measure, at, currency, category, code, arm, channel, way,
                     speed, number, minor
         )
         INSERT INTO rollups AS r (
           organization_id, dimension, span_minutes, bucket, currency, measure, key, number, minor)
         SELECT t.organization_id, d.dimension, s.minutes,
                date_bin(make_interval(mins => s.minutes), t.at, '2000-01-01 00:00:00+00'),
                t.currency, t.measure, d.key, sum(t.number)::bigint,
                least(sum(t.minor), 9223372036854775807)::bigint
         FROM taken t
         CROSS JOIN LATERAL (VALUES
           ('all', ''), ('category', t.category), ('code', t.code), ('arm', t.arm),
           ('channel', t.channel), ('way', t.way), ('speed', t.speed)) AS d (dimension, key)
         CROSS JOIN (VALUES (15), (60), (1440)) AS s (minutes)
         WHERE d.key IS NOT NULL
         GROUP BY 1, 2, 3, 4, 5, 6, 7
         ORDER BY 1, 2, 3, 4, 5, 6, 7
         ON CONFLICT (organization_id, dimension, span_minutes, bucket, currency, measure, key)
         DO UPDATE SET number = r.number + EXCLUDED.number,
           minor = least(r.minor::numeric + EXCLUDED.minor, 9223372036854775807)::bigint")
    .bind::<BigInt, _>(limit)
    .execute(tx.conn())
    .await?;
    Ok(moved)
}
