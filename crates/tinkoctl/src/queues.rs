//! `tinkoctl queues`: what waits where, and since when.
//!
//! What is owed is told by Postgres. Redis tells how far its readers are; where it is
//! away, Postgres' part is printed all the same.

use std::time::Duration;

use anyhow::bail;
use backbone::{BackboneSettings, group_of};
use chrono::TimeDelta;
use contracts::Stream;
use db::dead_letters::Choice;
use db::outbox::Standing;
use db::{Conn, Db, DbError};
use runtime::clock::SystemClock;
use serde::Serialize;
use streams::{Position, StreamsError};

use crate::print::Print;

/// Counts stop there: a longer queue is as long for whoever is on call.
const MANY: i64 = 10_000;

#[derive(Serialize)]
struct Queues {
    waiting: Vec<Waiting>,
    streams: Vec<Row>,
    /// Why nothing of Redis is told.
    redis_trouble: Option<String>,
}

#[derive(Serialize)]
struct Waiting {
    what: &'static str,
    /// At most 10,000 are counted, dead letters apart.
    count: i64,
    oldest_seconds: i64,
}

/// A stream, by what Postgres owes it and by what lies in Redis.
#[derive(Serialize)]
struct Row {
    stream: &'static str,
    unpublished: i64,
    oldest_unpublished_seconds: i64,
    unsettled: i64,
    oldest_unsettled_seconds: i64,
    redis: Option<InRedis>,
}

#[derive(Serialize)]
struct InRedis {
    group: &'static str,
    /// Whether the stream and its group are there.
    exists: bool,
    length: u64,
    /// Read and not acknowledged.
    pending: u64,
    oldest_pending_seconds: u64,
    /// Not read yet.
    lag: u64,
    dead: u64,
}

pub(crate) async fn run(settings: &BackboneSettings, db: &Db, print: Print) -> anyhow::Result<()> {
    let mut conn = db.read().await?;
    let now = SystemClock::shared().now();
    let waiting = waiting(&mut conn, now).await?;
    let standing = db::outbox::standing(&mut conn, now).await?;
    let mut rows: Vec<Row> = standing.into_iter().map(Row::from).collect();
    let positions = positions(settings).await;
    let trouble = match positions {
        Ok(positions) => {
            for (row, (stream, position)) in rows.iter_mut().zip(positions) {
                row.redis = Some(InRedis::new(stream, &position));
            }
            None
        }
        Err(error) => Some(error.to_string()),
    };
    let queues = Queues {
        waiting,
        streams: rows,
        redis_trouble: trouble,
    };
    print.answer(&queues, || text(&queues))?;
    if let Some(trouble) = queues.redis_trouble {
        bail!("Redis could not be reached: {trouble}");
    }
    Ok(())
}

async fn positions(settings: &BackboneSettings) -> Result<Vec<(Stream, Position)>, StreamsError> {
    let streams = backbone::streams(settings).await?;
    let mut positions = Vec::new();
    for stream in Stream::ALL {
        positions.push((stream, streams.position(stream, group_of(stream)).await?));
    }
    Ok(positions)
}

async fn waiting(
    conn: &mut Conn,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Vec<Waiting>, DbError> {
    let attempts = db::attempts::waiting(conn, now).await?;
    let owed = db::outbox::owed(conn, now).await?;
    let partners = db::partners::waiting(conn, now).await?;
    let sink = db::sink::waiting(conn, now).await?;
    let oldest_dead = Choice {
        limit: 1,
        ..Choice::default()
    };
    let oldest_dead = db::dead_letters::list(conn, &oldest_dead).await?;
    let dead_for = oldest_dead.first().map(|letter| now - letter.dead_at);
    let waits = |what, count, oldest: TimeDelta| Waiting {
        what,
        count,
        oldest_seconds: oldest.num_seconds().max(0),
    };
    Ok(vec![
        waits("attempts due", attempts.due, attempts.oldest_due),
        waits(
            "charges in doubt",
            attempts.in_doubt,
            attempts.oldest_in_doubt,
        ),
        waits(
            "events to publish",
            owed.unpublished,
            owed.oldest_unpublished,
        ),
        waits("dead letters", owed.dead, dead_for.unwrap_or_default()),
        waits("partner webhooks due", partners.due, partners.oldest),
        waits("events for the analytics sink", sink.events, sink.oldest),
    ])
}

impl From<Standing> for Row {
    fn from(standing: Standing) -> Self {
        Self {
            stream: standing.stream.as_str(),
            unpublished: standing.unpublished,
            oldest_unpublished_seconds: standing.oldest_unpublished.num_seconds().max(0),
            unsettled: standing.unsettled,
            oldest_unsettled_seconds: standing.oldest_unsettled.num_seconds().max(0),
            redis: None,
        }
    }
}

impl InRedis {
    fn new(stream: Stream, position: &Position) -> Self {
        let oldest = position.oldest_pending_age.as_ref();
        Self {
            group: group_of(stream),
            exists: position.exists,
            length: position.lag.saturating_add(position.pending),
            pending: position.pending,
            oldest_pending_seconds: oldest.map_or(0, Duration::as_secs),
            lag: position.lag,
            dead: position.dead,
        }
    }
}

fn text(queues: &Queues) -> String {
    let mut lines = vec![format!("{:<30} {:>8} {:>10}", "waiting", "count", "oldest")];
    for it in &queues.waiting {
        let (what, count, oldest) = (it.what, counted(it.count), age(it.count, it.oldest_seconds));
        lines.push(format!("{what:<30} {count:>8} {oldest:>10}"));
    }
    lines.push(format!(
        "\n{:<24} {:>10} {:>10} {:>10} {:>10}   {:<14} {:>8} {:>8} {:>10} {:>8}",
        "stream",
        "to publish",
        "oldest",
        "published",
        "oldest",
        "read by",
        "length",
        "pending",
        "oldest",
        "lag"
    ));
    lines.extend(queues.streams.iter().map(line));
    lines.join("\n")
}

fn line(row: &Row) -> String {
    let postgres = format!(
        "{:<24} {:>10} {:>10} {:>10} {:>10}",
        row.stream,
        counted(row.unpublished),
        age(row.unpublished, row.oldest_unpublished_seconds),
        counted(row.unsettled),
        age(row.unsettled, row.oldest_unsettled_seconds),
    );
    let Some(redis) = &row.redis else {
        return format!("{postgres}   not known");
    };
    let group = if redis.exists {
        redis.group
    } else {
        "nobody yet"
    };
    let pending = i64::try_from(redis.pending).unwrap_or(i64::MAX);
    let oldest = i64::try_from(redis.oldest_pending_seconds).unwrap_or(i64::MAX);
    format!(
        "{postgres}   {group:<14} {:>8} {:>8} {:>10} {:>8}",
        redis.length,
        redis.pending,
        age(pending, oldest),
        redis.lag
    )
}

fn counted(count: i64) -> String {
    if count < MANY {
        count.to_string()
    } else {
        format!("{MANY} +")
    }
}

/// Of nothing there is no age.
fn age(count: i64, seconds: i64) -> String {
    match seconds {
        _ if count == 0 => "-".to_owned(),
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
