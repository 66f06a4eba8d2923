//! Following the timeline: every entry once, in one order, none left out.
//!
//! Ids and times are given before a transaction commits, so an entry with a lower
//! id may come to be seen after one with a higher id; who reads on from the highest
//! seen loses it. Here entries are ordered by the transaction that wrote them, then
//! by id, and shown only once every transaction up to theirs has ended: those below
//! `pg_snapshot_xmin`, the oldest that is still running. What is shown later then
//! always lies after what was shown before, in every process that asks. The price
//! is that a writing transaction which stays open holds everyone's feed back for as
//! long. See `docs/decisions/0026-following-the-timeline.md`.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{OrganizationId, RecoveryId, TimelineEntryId};
use serde_json::Value;
use uuid::Uuid;

use crate::sql::sql;
use crate::timeline::Entry;
use crate::{Conn, DbError, Tenant};

/// How long before an entry's commit its id can have been made, generously: no
/// transaction of ours lives for a minute.
const OPEN: TimeDelta = TimeDelta::days(1);

/// A place in the order. What lies after it has not been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    xact: u64,
    /// The entry; or, of a place before all of a transaction's entries, its time
    /// in the last six bytes, which sorts before every UUID of version 7.
    entry: Uuid,
}

/// An entry, where it stands, and what it is about.
#[derive(Debug, Clone)]
pub struct Moved {
    /// Whose it is.
    pub organization: OrganizationId,
    /// Its place.
    pub position: Position,
    /// The recovery.
    pub recovery: RecoveryId,
    /// What happened.
    pub entry: Entry,
}

/// Text that is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an id that this stream has given")]
pub struct InvalidPosition;

impl Position {
    fn before(xact: u64, now: DateTime<Utc>) -> Self {
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        Self {
            xact,
            entry: Uuid::from_u64_pair(0, millis),
        }
    }

    /// Whether no reader can have come so far when `horizon` was read: it was made
    /// up, or is of another database.
    pub const fn is_beyond(&self, horizon: &Self) -> bool {
        self.xact > horizon.xact
    }

    /// When it was reached, about.
    pub fn at(&self) -> DateTime<Utc> {
        let (high, low) = self.entry.as_u64_pair();
        let millis = if high == 0 { low } else { high >> 16 };
        let millis = i64::try_from(millis).unwrap_or(i64::MAX);
        DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

impl fmt::Display for Position {
    /// Sorts as the positions do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.xact, self.entry.simple())
    }
}

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (xact, entry) = text.split_once('-').ok_or(InvalidPosition)?;
        if xact.len() != 16 || entry.len() != 32 || !hex(xact) || !hex(entry) {
            return Err(InvalidPosition);
        }
        Ok(Self {
            xact: u64::from_str_radix(xact, 16).map_err(|_| InvalidPosition)?,
            entry: Uuid::try_parse(entry).map_err(|_| InvalidPosition)?,
        })
    }
}

/// The place before everything that has not ended: who reads on from here sees
/// what commits from now on.
pub async fn horizon(conn: &mut Conn, now: DateTime<Utc>) -> Result<Position, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        xmin: String,
    }
    let row: Row = sql("SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin")
        .get_result(conn)
        .await?;
    Ok(Position::before(number(&row.xmin)?, now))
}

/// What comes after each organization's position, at most `limit` entries of each,
/// in order; in one statement, whatever their number.
pub async fn after(
    conn: &mut Conn,
    positions: &[(Tenant, Position)],
    limit: i64,
) -> Result<Vec<Moved>, DbError> {
    let Some(oldest) = positions.iter().map(|(_, position)| position.at()).min() else {
        return Ok(Vec::new());
    };
    let organizations: Vec<Uuid> = positions.iter().map(|(tenant, _)| tenant.uuid()).collect();
    let xacts: Vec<String> = positions
        .iter()
        .map(|(_, position)| position.xact.to_string())
        .collect();
    let entries: Vec<Uuid> = positions
        .iter()
        .map(|(_, position)| position.entry)
        .collect();
    // The bound on the id changes nothing but the partitions that are looked at.
    let rows: Vec<MovedRow> = sql(
        "SELECT w.organization_id, e.xact::text AS xact, e.id, e.recovery_id, e.at, e.kind, e.actor,
                e.why, e.detail, e.trace_id
         FROM unnest($1, $2, $3) AS w (organization_id, xact, id)
         CROSS JOIN LATERAL (
           SELECT t.* FROM timeline t
           WHERE t.organization_id = w.organization_id
             AND t.xact >= w.xact::xid8
             AND (t.xact, t.id) > (w.xact::xid8, w.id)
             AND t.xact < pg_snapshot_xmin(pg_current_snapshot())
             AND t.id >= uuid7_floor($4)
           ORDER BY t.xact, t.id
           LIMIT $5
         ) e
         ORDER BY w.organization_id, e.xact, e.id",
    )
    .bind::<Array<SqlUuid>, _>(organizations)
    .bind::<Array<Text>, _>(xacts)
    .bind::<Array<SqlUuid>, _>(entries)
    .bind::<Timestamptz, _>(floor(oldest))
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

#[derive(QueryableByName)]
struct MovedRow {
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = Text)]
    xact: String,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    recovery_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    actor: String,
    #[diesel(sql_type = Text)]
    why: String,
    #[diesel(sql_type = Jsonb)]
    detail: Value,
    #[diesel(sql_type = Nullable<Text>)]
    trace_id: Option<String>,
}

impl TryFrom<MovedRow> for Moved {
    type Error = DbError;

    fn try_from(row: MovedRow) -> Result<Self, DbError> {
        Ok(Self {
            organization: OrganizationId::from_uuid(row.organization_id),
            position: Position {
                xact: number(&row.xact)?,
                entry: row.id,
            },
            recovery: RecoveryId::from_uuid(row.recovery_id),
            entry: Entry {
                id: TimelineEntryId::from_uuid(row.id),
                at: row.at,
                kind: row.kind,
                actor: row.actor,
                why: row.why,
                detail: row.detail,
                trace_id: row.trace_id,
            },
        })
    }
}

/// Before this no entry can have been born that comes after a position of `at`.
fn floor(at: DateTime<Utc>) -> DateTime<Utc> {
    let floor = at.checked_sub_signed(OPEN);
    floor.map_or(DateTime::UNIX_EPOCH, |floor| {
        floor.max(DateTime::UNIX_EPOCH)
    })
}

fn number(xact: &str) -> Result<u64, DbError> {
    xact.parse()
        .map_err(|fault| DbError::corrupt("timeline.xact", fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(millis: u64, rest: u64) -> Uuid {
        Uuid::from_u64_pair(millis << 16 | 0x7000, rest)
    }

    #[test]
    fn positions_sort_as_their_texts_and_a_start_lies_before_its_transactions_entries() {
        let now = DateTime::from_timestamp_millis(1_764_000_000_123).unwrap();
        let start = Position::before(9, now);
        let first = Position {
            xact: 9,
            entry: entry(1_700_000_000_000, 1),
        };
        let second = Position {
            xact: 9,
            entry: entry(1_764_000_000_123, 0),
        };
        let later = Position {
            xact: 10,
            entry: entry(1, 0),
        };
        let mut texts = Vec::new();
        for pair in [start, first, second, later].windows(2) {
            assert!(pair[0] < pair[1]);
            texts.push(pair[0].to_string());
        }
        assert!(texts.is_sorted());
        assert_eq!((start.at(), second.at()), (now, now));
        for position in [start, first, second, later] {
            assert_eq!(position.to_string().parse(), Ok(position));
        }
    }

    #[test]
    fn what_no_stream_has_given_is_no_position() {
        let good = Position::before(9, DateTime::UNIX_EPOCH).to_string();
        for bad in [
            "",
            "9",
            "9-9",
            &good[1..],
            &good.replace('-', "_"),
            &format!("+{}", &good[1..]),
        ] {
            assert_eq!(bad.parse::<Position>(), Err(InvalidPosition), "{bad}");
        }
    }
}
