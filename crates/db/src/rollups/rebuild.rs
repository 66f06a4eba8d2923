//! Counting a day anew.
//!
//! While a day is counted the organization's events wait, for as long as that
//! takes. An event that is still owed then has been counted with the day, since
//! its rows are there: it is noted in `rollup_skips`, and adds nothing to that day
//! when it is consumed. All is read by one statement, so by one snapshot, that
//! begins after the last event counted has committed.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use diesel::sql_types::{Array, BigInt, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::analytics::speed;

use crate::sql::{CLOCK_SKEW, sql};
use crate::{DbError, Tenant, Tx};

/// Counts what belongs to that UTC day of the organization anew, from the rows of
/// recoveries, failures, links, messages and the timeline. What was summed of it
/// before is dropped; the next [`super::fold`] adds the new counts up. Safe while
/// events flow; commit at once.
pub async fn rebuild(tx: &mut Tx, tenant: Tenant, day: NaiveDate) -> Result<(), DbError> {
    let from = day.and_time(NaiveTime::MIN).and_utc();
    let to = from + TimeDelta::days(1);
    // In the order in which everybody takes them.
    sql("SELECT pg_advisory_xact_lock(hashtext('tinko.rollups.fold'), 0)")
        .execute(tx.conn())
        .await?;
    sql("SELECT pg_advisory_xact_lock(hashtext('tinko.rollups'), hashtext($1::text))")
        .bind::<SqlUuid, _>(tenant.uuid())
        .execute(tx.conn())
        .await?;
    drop_day(tx, tenant, from, to).await?;
    count_day(tx, tenant, from, to).await
}

async fn drop_day(
    tx: &mut Tx,
    tenant: Tenant,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<(), DbError> {
    for statement in [
        sql("DELETE FROM rollup_counts WHERE organization_id = $1 AND at >= $2 AND at < $3"),
        sql("DELETE FROM rollups WHERE organization_id = $1 AND bucket >= $2 AND bucket < $3"),
    ] {
        statement
            .bind::<SqlUuid, _>(tenant.uuid())
            .bind::<Timestamptz, _>(from)
            .bind::<Timestamptz, _>(to)
            .execute(tx.conn())
            .await?;
    }
    Ok(())
}

#[expect(
    clippy::too_many_lines,
    reason = "one statement, so that all is read by one snapshot"
)]
async fn count_day(
    tx: &mut Tx,
    tenant: Tenant,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<(), DbError> {
    sql("WITH opened AS MATERIALIZED (
           SELECT r.*,
                  EXISTS (SELECT 1 FROM notifications n
                          WHERE n.organization_id = $1 AND n.recovery_id = r.id
                            AND n.sent_at IS NOT NULL) AS contacted,
                  EXISTS (SELECT 1 FROM recovery_links l
                          WHERE l.organization_id = $1 AND l.recovery_id = r.id
                            AND l.opened_at IS NOT NULL) AS visited
           FROM rollup_recoveries r
           WHERE r.organization_id = $1 AND r.opened_at >= $2 AND r.opened_at < $3
             AND r.id >= uuid7_floor($4) AND r.id < uuid7_floor($5)
         ), happened AS MATERIALIZED (
           SELECT t.recovery_id, t.kind, t.at, t.detail FROM timeline t
           WHERE t.organization_id = $1 AND t.at >= $2 AND t.at < $3
             AND t.id >= uuid7_floor($4) AND t.id < uuid7_floor($5)
         ), reached AS (
           INSERT INTO recovery_milestones AS m (organization_id, recovery_id, contacted, visited)
           SELECT $1, id, contacted, visited FROM opened WHERE contacted OR visited
           ON CONFLICT (organization_id, recovery_id)
           DO UPDATE SET contacted = EXCLUDED.contacted, visited = EXCLUDED.visited
         ), owed AS (
           INSERT INTO rollup_skips (organization_id, outbox_id, from_at, to_at)
           SELECT $1, id, $2, $3 FROM outbox WHERE organization_id = $1 AND stream = 'events'
           ON CONFLICT DO NOTHING
         ), found AS (
           SELECT m.measure, o.opened_at AS at, o.currency, o.category, o.code, o.arm,
                  NULL AS channel, NULL AS way, NULL AS speed,
                  CASE WHEN m.measure = 'won' THEN o.recovered_minor ELSE o.amount_minor END AS minor
           FROM opened o
           CROSS JOIN LATERAL (VALUES
             ('opened', true), ('contacted', o.contacted), ('visited', o.visited),
             ('won', o.state = 'recovered'),
             ('ended', o.state IN ('exhausted', 'cancelled', 'expired'))) AS m (measure, holds)
           WHERE m.holds
           UNION ALL
           SELECT 'recovered', r.closed_at, r.currency, NULL, NULL, NULL,
                  (SELECT u.channel FROM recovery_links u
                   WHERE u.organization_id = $1 AND u.recovery_id = r.id AND u.state = 'used'
                   ORDER BY u.id LIMIT 1),
                  r.recovered_by,
                  width_bucket(floor(extract(epoch FROM r.closed_at - r.opened_at))::bigint, $6)::text,
                  r.recovered_minor
           FROM happened h
           JOIN recoveries r ON r.organization_id = $1 AND r.id = h.recovery_id
           WHERE h.kind = 'recovery.recovered' AND r.state = 'recovered'
           UNION ALL
           SELECT k.measure, h.at, r.currency, NULL, NULL, NULL, h.detail ->> 'channel', NULL, NULL, 0
           FROM happened h
           JOIN (VALUES
             ('attempt.succeeded', 'charge_succeeded'), ('attempt.declined', 'charge_declined'),
             ('message.sent', 'sent'), ('message.delivered', 'delivered'),
             ('message.bounced', 'bounced'), ('message.failed', 'failed'),
             ('message.unconfirmed', 'unconfirmed'), ('link.opened', 'visits'))
             AS k (kind, measure) ON k.kind = h.kind
           JOIN recoveries r ON r.organization_id = $1 AND r.id = h.recovery_id
         )
         INSERT INTO rollup_counts (
           organization_id, measure, at, currency, category, code, arm, channel, way, speed,
           number, minor)
         SELECT $1, measure, date_bin('15 minutes', at, '2000-01-01 00:00:00+00'), currency,
                category, code, arm, channel, way, speed, count(*),
                least(sum(minor), 9223372036854775807)::bigint
         FROM found
         GROUP BY measure, date_bin('15 minutes', at, '2000-01-01 00:00:00+00'), currency,
                  category, code, arm, channel, way, speed")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(to)
    .bind::<Timestamptz, _>(from - CLOCK_SKEW)
    .bind::<Timestamptz, _>(to + CLOCK_SKEW)
    .bind::<Array<BigInt>, _>(speed::bounds().to_vec())
    .execute(tx.conn())
    .await?;
    Ok(())
}
