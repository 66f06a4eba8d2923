//! Counting events: those of one transaction together, a statement for each way to count.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::analytics::speed;
use serde_json::Value;
use uuid::Uuid;

use super::Measure;
use crate::events::Event;
use crate::sql::{Statement, sql};
use crate::{Conn, DbError};

/// Counts what events add to the sums, in the transaction that has settled them and has
/// their organizations' turns ([`super::wait_for_turn`], [`super::turns`]). Events that
/// are not counted change nothing.
pub async fn count(conn: &Conn, events: &[Event<'_>]) -> Result<(), DbError> {
    let mut counted = Counted::default();
    for event in events {
        counted.add(event);
    }
    tokio::try_join!(
        by_opening(conn, &counted.by_opening),
        by_time(conn, &counted.by_time),
        ends_taken_back(conn, &counted.recovered),
        recovered(conn, &counted.recovered),
        firsts(conn, Milestone::Contacted, &counted.contacted),
        firsts(conn, Milestone::Visited, &counted.visited),
    )?;
    Ok(())
}

/// What is to be counted, by how it is counted.
#[derive(Default)]
struct Counted<'a> {
    /// By the recovery's opening.
    by_opening: Vec<(Event<'a>, Measure)>,
    /// By the event's own time.
    by_time: Vec<(Event<'a>, Measure)>,
    recovered: Vec<Event<'a>>,
    /// By recovery: the earliest event that says so.
    contacted: BTreeMap<Uuid, Event<'a>>,
    visited: BTreeMap<Uuid, Event<'a>>,
}

impl<'a> Counted<'a> {
    fn add(&mut self, event: &Event<'a>) {
        let event = *event;
        match event.kind {
            "recovery.opened" => self.by_opening.push((event, Measure::Opened)),
            "recovery.recovered" => {
                self.by_opening.push((event, Measure::Won));
                self.recovered.push(event);
            }
            "recovery.exhausted" | "recovery.cancelled" | "recovery.expired" => {
                self.by_opening.push((event, Measure::Ended));
            }
            "link.opened" => {
                keep_first(&mut self.visited, event);
                self.by_time.push((event, Measure::Visits));
            }
            kind => {
                let Some(measure) = of_kind(kind) else {
                    return;
                };
                if measure == Measure::Sent {
                    keep_first(&mut self.contacted, event);
                }
                self.by_time.push((event, measure));
            }
        }
    }
}

fn keep_first<'a>(firsts: &mut BTreeMap<Uuid, Event<'a>>, event: Event<'a>) {
    let first = firsts.entry(event.recovery.uuid()).or_insert(event);
    if event.outbox < first.outbox {
        *first = event;
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

/// Which organization, recovery and outbox row each of some events is of, to be bound.
struct Whose {
    organizations: Vec<Uuid>,
    recoveries: Vec<Uuid>,
    outbox: Vec<Uuid>,
}

impl Whose {
    fn of<'e, 'a: 'e>(events: impl Iterator<Item = &'e Event<'a>>) -> Self {
        let mut whose = Self {
            organizations: Vec::new(),
            recoveries: Vec::new(),
            outbox: Vec::new(),
        };
        for event in events {
            whose.organizations.push(event.tenant.uuid());
            whose.recoveries.push(event.recovery.uuid());
            whose.outbox.push(event.outbox.uuid());
        }
        whose
    }

    /// Binds them as `$1`, `$2` and `$3`, in the order of the fields.
    fn bind(self, statement: Statement<'_>) -> Statement<'_> {
        statement
            .bind::<Array<SqlUuid>, _>(self.organizations)
            .bind::<Array<SqlUuid>, _>(self.recoveries)
            .bind::<Array<SqlUuid>, _>(self.outbox)
    }
}

/// One more, each, of a measure that belongs to the recovery's opening. Each recovery is
/// found by its key, whatever Postgres knows of the tables when it plans: hence `LIMIT`.
async fn by_opening(mut conn: &Conn, events: &[(Event<'_>, Measure)]) -> Result<(), DbError> {
    if events.is_empty() {
        return Ok(());
    }
    let whose = Whose::of(events.iter().map(|(event, _)| event));
    let measures: Vec<&str> = events.iter().map(|(_, it)| it.as_str()).collect();
    let statement = sql("INSERT INTO rollup_counts (
           organization_id, measure, at, currency, category, code, arm, number, minor)
         SELECT e.organization_id, e.measure, r.opened_at, r.currency, r.category, r.code, r.arm, 1,
                CASE WHEN e.measure = 'won' THEN coalesce(r.recovered_minor, 0) ELSE r.amount_minor END
         FROM unnest($1, $2, $3, $4) AS e (organization_id, recovery_id, outbox_id, measure)
         CROSS JOIN LATERAL (
           SELECT o.* FROM rollup_recoveries o
           WHERE o.organization_id = e.organization_id AND o.id = e.recovery_id LIMIT 1) AS r
         WHERE NOT EXISTS (
           SELECT 1 FROM rollup_skips s
           WHERE s.organization_id = e.organization_id AND s.outbox_id = e.outbox_id
             AND r.opened_at >= s.from_at AND r.opened_at < s.to_at)");
    whose
        .bind(statement)
        .bind::<Array<Text>, _>(measures)
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// A recovery that was given up takes a late payment too: then it is over
/// without money no more.
async fn ends_taken_back(mut conn: &Conn, events: &[Event<'_>]) -> Result<(), DbError> {
    if events.is_empty() {
        return Ok(());
    }
    let whose = Whose::of(events.iter());
    let statement = sql("INSERT INTO rollup_counts (
           organization_id, measure, at, currency, category, code, arm, number, minor)
         SELECT e.organization_id, 'ended', r.opened_at, r.currency, r.category, r.code, r.arm,
                -1, -r.amount_minor
         FROM unnest($1, $2, $3) AS e (organization_id, recovery_id, outbox_id)
         CROSS JOIN LATERAL (
           SELECT o.* FROM rollup_recoveries o
           WHERE o.organization_id = e.organization_id AND o.id = e.recovery_id LIMIT 1) AS r
         WHERE EXISTS (
             SELECT 1 FROM timeline t
             WHERE t.organization_id = e.organization_id AND t.recovery_id = e.recovery_id
               AND t.kind IN ('recovery.exhausted', 'recovery.cancelled', 'recovery.expired'))
           AND NOT EXISTS (
             SELECT 1 FROM rollup_skips s
             WHERE s.organization_id = e.organization_id AND s.outbox_id = e.outbox_id
               AND r.opened_at >= s.from_at AND r.opened_at < s.to_at)");
    whose.bind(statement).execute(&mut conn).await?;
    Ok(())
}

/// The money that came in: when, by which way and link, and how long it took.
async fn recovered(mut conn: &Conn, events: &[Event<'_>]) -> Result<(), DbError> {
    if events.is_empty() {
        return Ok(());
    }
    let whose = Whose::of(events.iter());
    let statement = sql("INSERT INTO rollup_counts (
           organization_id, measure, at, currency, channel, way, speed, number, minor)
         SELECT e.organization_id, 'recovered', r.closed_at, r.currency, l.channel, r.recovered_by,
                width_bucket(floor(extract(epoch FROM r.closed_at - r.opened_at))::bigint, $4)::text,
                1, r.recovered_minor
         FROM unnest($1, $2, $3) AS e (organization_id, recovery_id, outbox_id)
         CROSS JOIN LATERAL (
           SELECT o.* FROM recoveries o
           WHERE o.organization_id = e.organization_id AND o.id = e.recovery_id LIMIT 1) AS r
         LEFT JOIN LATERAL (
           SELECT u.channel FROM recovery_links u
           WHERE u.organization_id = e.organization_id AND u.recovery_id = e.recovery_id
             AND u.state = 'used'
           ORDER BY u.id LIMIT 1) AS l ON true
         WHERE r.state = 'recovered'
           AND NOT EXISTS (
             SELECT 1 FROM rollup_skips s
             WHERE s.organization_id = e.organization_id AND s.outbox_id = e.outbox_id
               AND r.closed_at >= s.from_at AND r.closed_at < s.to_at)");
    whose
        .bind(statement)
        .bind::<Array<BigInt>, _>(speed::bounds().to_vec())
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// One more, each, of a measure that belongs to the event's own time.
async fn by_time(mut conn: &Conn, events: &[(Event<'_>, Measure)]) -> Result<(), DbError> {
    if events.is_empty() {
        return Ok(());
    }
    let whose = Whose::of(events.iter().map(|(event, _)| event));
    let measures: Vec<&str> = events.iter().map(|(_, it)| it.as_str()).collect();
    let times: Vec<DateTime<Utc>> = events.iter().map(|(event, _)| event.at).collect();
    let channels: Vec<Option<String>> = events.iter().map(|(event, _)| channel_of(event)).collect();
    let statement = sql("INSERT INTO rollup_counts (
           organization_id, measure, at, currency, channel, number, minor)
         SELECT e.organization_id, e.measure, e.at, r.currency, e.channel, 1, 0
         FROM unnest($1, $2, $3, $4, $5, $6)
           AS e (organization_id, recovery_id, outbox_id, measure, at, channel)
         CROSS JOIN LATERAL (
           SELECT o.currency FROM recoveries o
           WHERE o.organization_id = e.organization_id AND o.id = e.recovery_id LIMIT 1) AS r
         WHERE NOT EXISTS (
           SELECT 1 FROM rollup_skips s
           WHERE s.organization_id = e.organization_id AND s.outbox_id = e.outbox_id
             AND e.at >= s.from_at AND e.at < s.to_at)");
    whose
        .bind(statement)
        .bind::<Array<Text>, _>(measures)
        .bind::<Array<Timestamptz>, _>(times)
        .bind::<Array<Nullable<Text>>, _>(channels)
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// The channel that a message went by or a link came by.
fn channel_of(event: &Event<'_>) -> Option<String> {
    let data: Value = serde_json::from_str(event.data).ok()?;
    Some(data.get("channel")?.as_str()?.to_owned())
}

/// What counts once for a recovery, however often it happens.
#[derive(Clone, Copy)]
enum Milestone {
    Contacted,
    Visited,
}

impl Milestone {
    const fn measure(self) -> Measure {
        match self {
            Self::Contacted => Measure::Contacted,
            Self::Visited => Measure::Visited,
        }
    }
}

/// Counts those of the events that bring their recovery to a milestone for the first time.
async fn firsts(
    conn: &Conn,
    milestone: Milestone,
    events: &BTreeMap<Uuid, Event<'_>>,
) -> Result<(), DbError> {
    let reached = reach(conn, milestone, events).await?;
    let firsts: Vec<_> = reached
        .iter()
        .filter_map(|recovery| events.get(recovery))
        .map(|event| (*event, milestone.measure()))
        .collect();
    by_opening(conn, &firsts).await
}

/// Records that recoveries have come to a milestone, in the order of their ids, so that
/// two transactions with the same ones do not wait for each other; answers for which it is
/// the first time.
async fn reach(
    mut conn: &Conn,
    milestone: Milestone,
    events: &BTreeMap<Uuid, Event<'_>>,
) -> Result<Vec<Uuid>, DbError> {
    #[derive(QueryableByName)]
    struct Reached {
        #[diesel(sql_type = SqlUuid)]
        recovery_id: Uuid,
    }
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let whose = Whose::of(events.values());
    let statement = match milestone {
        Milestone::Contacted => sql(
            "INSERT INTO recovery_milestones (organization_id, recovery_id, contacted)
             SELECT *, true FROM unnest($1, $2)
             ON CONFLICT (organization_id, recovery_id) DO UPDATE SET contacted = true
             WHERE NOT recovery_milestones.contacted
             RETURNING recovery_id",
        ),
        Milestone::Visited => sql(
            "INSERT INTO recovery_milestones (organization_id, recovery_id, visited)
             SELECT *, true FROM unnest($1, $2)
             ON CONFLICT (organization_id, recovery_id) DO UPDATE SET visited = true
             WHERE NOT recovery_milestones.visited
             RETURNING recovery_id",
        ),
    };
    let reached: Vec<Reached> = statement
        .bind::<Array<SqlUuid>, _>(whose.organizations)
        .bind::<Array<SqlUuid>, _>(whose.recoveries)
        .load(&mut conn)
        .await?;
    Ok(reached.into_iter().map(|it| it.recovery_id).collect())
}
