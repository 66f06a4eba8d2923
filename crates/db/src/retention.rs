//! Old months go: detached under a lock of a moment, then dropped, when nobody reads
//! them any more; and with them the keys that made copies of their rows no news.
//!
//! A month stays, whatever its age, while something that is not over has a row in it:
//! an open recovery, a charge in doubt, a webhook on its way to a partner.

use chrono::{DateTime, Months, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::sql::sql;
use crate::{Conn, DbError, Tx};

/// Tables that are kept equally long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Failures, attempts, notifications, decisions, timelines.
    History,
    /// PSPs' events as they were sent.
    PspEvents,
    /// Webhooks to partners.
    Partners,
    /// Who changed what.
    Audit,
    /// What rules look back for: each table has its own months, and no setting.
    Rules,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::PspEvents => "psp_events",
            Self::Partners => "partners",
            Self::Audit => "audit",
            Self::Rules => "rules",
        }
    }
}

/// Whole months for which rows are kept besides the current one; none for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// [`Kind::History`].
    pub history: Option<u8>,
    /// [`Kind::PspEvents`].
    pub psp_events: Option<u8>,
    /// [`Kind::Partners`].
    pub partners: Option<u8>,
    /// [`Kind::Audit`].
    pub audit: Option<u8>,
}

impl Kept {
    /// What is to be retired by itself: a kind, and its months unless its tables say.
    pub fn kinds(&self) -> Vec<(Kind, Option<u8>)> {
        let set = [
            (Kind::History, self.history),
            (Kind::PspEvents, self.psp_events),
            (Kind::Partners, self.partners),
            (Kind::Audit, self.audit),
        ];
        let mut kinds: Vec<_> = set.into_iter().filter(|(_, kept)| kept.is_some()).collect();
        kinds.push((Kind::Rules, None));
        kinds
    }
}

/// Detaches the oldest month of a table of `kind` that is old enough; answers its
/// name, and nothing once there is none. `months` are those that stay besides the
/// current one, or none where the tables say. Gives up after two seconds of waiting
/// for a lock: whoever works on the table goes before.
pub async fn detach_one(
    tx: &mut Tx,
    kind: Kind,
    months: Option<u8>,
) -> Result<Option<String>, DbError> {
    sql("SET LOCAL lock_timeout = '2s'")
        .execute(tx.conn())
        .await?;
    let at = tx.now();
    let row: Name = sql("SELECT detach_old_partition($1, $2, $3::int) AS name")
        .bind::<Timestamptz, _>(at)
        .bind::<Text, _>(kind.as_str())
        .bind::<Nullable<BigInt>, _>(months.map(i64::from))
        .get_result(tx.conn())
        .await?;
    Ok(row.name)
}

/// Drops one month that was detached; answers its name, and nothing once there is none.
pub async fn drop_one(tx: &mut Tx) -> Result<Option<String>, DbError> {
    let at = tx.now();
    let row: Name = sql("SELECT drop_retired_partition($1) AS name")
        .bind::<Timestamptz, _>(at)
        .get_result(tx.conn())
        .await?;
    Ok(row.name)
}

/// Keys that make copies of rows no news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// Of failures, kept as [`Kind::History`]: a report older than that is no copy, but
    /// a mistake.
    Failures,
    /// Of PSPs' events, kept as [`Kind::PspEvents`].
    PspEvents,
}

/// Forgets keys that are older than the months of their rows. At most `limit` at once;
/// answers how many.
pub async fn forget_keys(
    conn: &mut Conn,
    keys: Keys,
    now: DateTime<Utc>,
    months: u8,
    limit: i64,
) -> Result<usize, DbError> {
    let statement = match keys {
        Keys::Failures => {
            "DELETE FROM failure_keys WHERE ctid = ANY (ARRAY(
               SELECT ctid FROM failure_keys WHERE created_at < $1 LIMIT $2))"
        }
        Keys::PspEvents => {
            "DELETE FROM psp_event_keys WHERE ctid = ANY (ARRAY(
               SELECT ctid FROM psp_event_keys WHERE received_at < $1 LIMIT $2))"
        }
    };
    let forgotten = sql(statement)
        .bind::<Timestamptz, _>(oldest_kept(now, months))
        .bind::<BigInt, _>(limit)
        .execute(conn)
        .await?;
    Ok(forgotten)
}

/// A month more than the rows are kept, so that no key goes before its row.
fn oldest_kept(now: DateTime<Utc>, months: u8) -> DateTime<Utc> {
    now - Months::new(u32::from(months) + 1)
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
}
