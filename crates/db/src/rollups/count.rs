//! Counting one event.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::analytics::speed;
use serde_json::Value;

use super::Measure;
use crate::events::Event;
use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// Counts what an event adds to the sums, in the transaction that has settled it.
/// Events that are not counted change nothing.
pub async fn count(tx: &mut Tx, event: &Event<'_>) -> Result<(), DbError> {
    let conn = tx.conn();
    match event.kind {
        "recovery.opened" => {
            take_turn(conn, event.tenant).await?;
            by_opening(conn, event, Measure::Opened).await
        }
        "recovery.recovered" => {
            take_turn(conn, event.tenant).await?;
            by_opening(conn, event, Measure::Won).await?;
            end_taken_back(conn, event).await?;
            recovered(conn, event).await
        }
        "recovery.exhausted" | "recovery.cancelled" | "recovery.expired" => {
            take_turn(conn, event.tenant).await?;
            by_opening(conn, event, Measure::Ended).await
        }
        "link.opened" => {
            take_turn(conn, event.tenant).await?;
            if milestone(conn, event, Milestone::Visited).await? {
                by_opening(conn, event, Measure::Visited).await?;
            }
            by_time(conn, event, Measure::Visits).await
        }
        kind => {
            let Some(measure) = of_kind(kind) else {
                return Ok(());
            };
            take_turn(conn, event.tenant).await?;
            if measure == Measure::Sent && milestone(conn, event, Milestone::Contacted).await? {
                by_opening(conn, event, Measure::Contacted).await?;
            }
            by_time(conn, event, measure).await
        }
    }
}

/// What an event counts as that is counted by its time alone.
fn of_kind(kind: &str) -> Option<Measure> {
    Some(match kind {
        "attempt.succeeded" => Measure::ChargeSucceeded,
        "attempt.declined" => Measure::ChargeDeclined,
        "message.sent" => Measure::Sent,
        "message.delivered" => Measure::Delivered,
        "message.bounced" => Measure::Bounced,
        "message.failed" => Measure::Failed,
        "message.unconfirmed" => Measure::Unconfirmed,
        _ => return None,
    })
}

/// Waits for a rebuild of the organization's days, and holds one off until this
/// transaction ends. Others that count are not held up.
async fn take_turn(conn: &mut Conn, tenant: Tenant) -> Result<(), DbError> {
    sql("SELECT pg_advisory_xact_lock_shared(hashtext('tinko.rollups'), hashtext($1::text))")
        .bind::<SqlUuid, _>(tenant.uuid())
        .execute(conn)
        .await?;
    Ok(())
}

/// One more of a measure that belongs to the recovery's opening.
async fn by_opening(conn: &mut Conn, event: &Event<'_>, measure: Measure) -> Result<(), DbError> {
    sql("INSERT INTO rollup_counts (
           organization_id, measure, at, currency, category, code, arm, number, minor)
         SELECT r.organization_id, $4, r.opened_at, r.currency, r.category, r.code, r.arm, 1,
                CASE WHEN $4 = 'won' THEN coalesce(r.recovered_minor, 0) ELSE r.amount_minor END
         FROM rollup_recoveries r
         WHERE r.organization_id = $1 AND r.id = $2
           AND NOT EXISTS (
             SELECT 1 FROM rollup_skips s
             WHERE s.organization_id = $1 AND s.outbox_id = $3
               AND r.opened_at >= s.from_at AND r.opened_at < s.to_at)")
    .bind::<SqlUuid, _>(event.tenant.uuid())
    .bind::<SqlUuid, _>(event.recovery.uuid())
    .bind::<SqlUuid, _>(event.outbox.uuid())
    .bind::<Text, _>(measure.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// A recovery that was given up takes a late payment too: then it is over
/// without money no more.
async fn end_taken_back(conn: &mut Conn, event: &Event<'_>) -> Result<(), DbError> {
    sql("INSERT INTO rollup_counts (
           organization_id, measure, at, currency, category, code, arm, number, minor)
         SELECT r.organization_id, 'ended', r.opened_at, r.currency, r.category, r.code, r.arm,
                -1, -r.amount_minor
         FROM rollup_recoveries r
         WHERE r.organization_id = $1 AND r.id = $2
           AND EXISTS (
             SELECT 1 FROM timeline t
             WHERE t.organization_id = $1 AND t.recovery_id = $2
               AND t.kind IN ('recovery.exhausted', 'recovery.cancelled', 'recovery.expired'))
           AND NOT EXISTS (
             SELECT 1 FROM rollup_skips s
             WHERE s.organization_id = $1 AND s.outbox_id = $3
               AND r.opened_at >= s.from_at AND r.opened_at < s.to_at)")
    .bind::<SqlUuid, _>(event.tenant.uuid())
    .bind::<SqlUuid, _>(event.recovery.uuid())
    .bind::<SqlUuid, _>(event.outbox.uuid())
    .execute(conn)
    .await?;
    Ok(())
}

/// The money that came in: when, by which way and link, and how long it took.
async fn recovered(conn: &mut Conn, event: &Event<'_>) -> Result<(), DbError> {
    sql("INSERT INTO rollup_counts (
           organization_id, measure, at, currency, channel, way, speed, number, minor)
         SELECT r.organization_id, 'recovered', r.closed_at, r.currency, l.channel, r.recovered_by,
                width_bucket(floor(extract(epoch FROM r.closed_at - r.opened_at))::bigint, $4)::text,
                1, r.recovered_minor
         FROM rollup_recoveries r
         LEFT JOIN LATERAL (
           SELECT u.channel FROM recovery_links u
           WHERE u.organization_id = $1 AND u.recovery_id = $2 AND u.state = 'used'
           ORDER BY u.id LIMIT 1) AS l ON true
         WHERE r.organization_id = $1 AND r.id = $2 AND r.state = 'recovered'
           AND NOT EXISTS (
             SELECT 1 FROM rollup_skips s
             WHERE s.organization_id = $1 AND s.outbox_id = $3
               AND r.closed_at >= s.from_at AND r.closed_at < s.to_at)")
    .bind::<SqlUuid, _>(event.tenant.uuid())
    .bind::<SqlUuid, _>(event.recovery.uuid())
    .bind::<SqlUuid, _>(event.outbox.uuid())
    .bind::<Array<BigInt>, _>(speed::bounds().to_vec())
    .execute(conn)
    .await?;
    Ok(())
}

/// One more of a measure that belongs to the event's own time.
async fn by_time(conn: &mut Conn, event: &Event<'_>, measure: Measure) -> Result<(), DbError> {
    let channel = channel_of(event);
    let at: DateTime<Utc> = event.at;
    sql("INSERT INTO rollup_counts (
           organization_id, measure, at, currency, channel, number, minor)
         SELECT r.organization_id, $4, $5, r.currency, $6, 1, 0
         FROM recoveries r
         WHERE r.organization_id = $1 AND r.id = $2
           AND NOT EXISTS (
             SELECT 1 FROM rollup_skips s
             WHERE s.organization_id = $1 AND s.outbox_id = $3
               AND $5 >= s.from_at AND $5 < s.to_at)")
    .bind::<SqlUuid, _>(event.tenant.uuid())
    .bind::<SqlUuid, _>(event.recovery.uuid())
    .bind::<SqlUuid, _>(event.outbox.uuid())
    .bind::<Text, _>(measure.as_str())
    .bind::<Timestamptz, _>(at)
    .bind::<Nullable<Text>, _>(channel)
    .execute(conn)
    .await?;
    Ok(())
}

/// The channel that a message went by or a link came by.
fn channel_of(event: &Event<'_>) -> Option<String> {
    let data: Value = serde_json::from_str(event.data).ok()?;
    Some(data.get("channel")?.as_str()?.to_owned())
}

enum Milestone {
    Contacted,
    Visited,
}

/// Whether this is the first event that brings the recovery there.
async fn milestone(
    conn: &mut Conn,
    event: &Event<'_>,
    milestone: Milestone,
) -> Result<bool, DbError> {
    let statement = match milestone {
        Milestone::Contacted => sql(
            "INSERT INTO recovery_milestones (organization_id, recovery_id, contacted)
             VALUES ($1, $2, true)
             ON CONFLICT (organization_id, recovery_id) DO UPDATE SET contacted = true
             WHERE NOT recovery_milestones.contacted",
        ),
        Milestone::Visited => sql(
            "INSERT INTO recovery_milestones (organization_id, recovery_id, visited)
             VALUES ($1, $2, true)
             ON CONFLICT (organization_id, recovery_id) DO UPDATE SET visited = true
             WHERE NOT recovery_milestones.visited",
        ),
    };
    let changed = statement
        .bind::<SqlUuid, _>(event.tenant.uuid())
        .bind::<SqlUuid, _>(event.recovery.uuid())
        .execute(conn)
        .await?;
    Ok(changed == 1)
}
