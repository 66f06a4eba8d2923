//! How often logging in was tried lately, by account and by network address.
//!
//! A try is counted before it is known what comes of it, in one statement, so
//! that tries made at the same time count too; one that succeeds is taken back.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::sql::sql;
use crate::{Conn, DbError};

/// Who or what tries: the hash of an address, so that no list of addresses lies here.
pub type Subject = [u8; 32];

/// Counts one try of each of two subjects within `window`; answers how many each
/// has made, this one included.
pub async fn count(
    conn: &mut Conn,
    subjects: [Subject; 2],
    now: DateTime<Utc>,
    window: TimeDelta,
) -> Result<[i32; 2], DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Binary)]
        subject: Vec<u8>,
        #[diesel(sql_type = Integer)]
        tries: i32,
    }
    // In the order of their bytes, so that two of these never wait for each other.
    let mut ordered: Vec<&[u8]> = subjects.iter().map(<[u8; 32]>::as_slice).collect();
    ordered.sort_unstable();
    ordered.dedup();
    let rows: Vec<Row> = sql("INSERT INTO login_tries AS t (subject, tries, began_at)
         SELECT subject, 1, $2 FROM unnest($1) AS subject ORDER BY subject
         ON CONFLICT (subject) DO UPDATE SET
           tries = CASE WHEN t.began_at > $3 THEN least(t.tries + 1, 1000000) ELSE 1 END,
           began_at = CASE WHEN t.began_at > $3 THEN t.began_at ELSE $2 END
         RETURNING subject, tries")
    .bind::<Array<Binary>, _>(ordered)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now - window)
    .load(conn)
    .await?;
    let tries = |subject: &Subject| {
        rows.iter()
            .find(|row| row.subject == subject)
            .map_or(i32::MAX, |row| row.tries)
    };
    Ok([tries(&subjects[0]), tries(&subjects[1])])
}

/// A try succeeded: the account's failures are forgotten, the network address
/// is not held to have failed.
pub async fn succeeded(conn: &mut Conn, account: Subject, address: Subject) -> Result<(), DbError> {
    sql(
        "WITH forgiven AS (DELETE FROM login_tries WHERE subject = $1)
         UPDATE login_tries SET tries = greatest(tries - 1, 0) WHERE subject = $2",
    )
    .bind::<Binary, _>(account.as_slice())
    .bind::<Binary, _>(address.as_slice())
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets what these have tried.
pub async fn forgive(conn: &mut Conn, subjects: &[Subject]) -> Result<(), DbError> {
    let subjects: Vec<&[u8]> = subjects.iter().map(<[u8; 32]>::as_slice).collect();
    sql("DELETE FROM login_tries WHERE subject = ANY ($1)")
        .bind::<Array<Binary>, _>(subjects)
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets counts that began before `before`, at most `limit` of them; answers how many.
pub async fn forget(conn: &mut Conn, before: DateTime<Utc>, limit: i64) -> Result<usize, DbError> {
    Ok(sql("DELETE FROM login_tries WHERE subject IN (
           SELECT subject FROM login_tries WHERE began_at < $1 LIMIT $2)")
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(limit)
    .execute(conn)
    .await?)
}
