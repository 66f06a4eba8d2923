//! Statistics of tables that have none, or too old ones.
//!
//! Of a table that it was never told of, Postgres knows its size and nothing else. It then
//! takes an organization's rows to be as few as one recovery's, so that one index seems as
//! good as another, and a plan that is kept for a statement is kept until it hears better.
//! Autovacuum tells it, within a minute (`autovacuum_naptime`): in a new installation that is
//! thousands of payments, and so it is as each month's partitions begin. The outbox is worse
//! off: it is emptied between two floods, and what is planned then reads it from end to end.
//! So tables are looked at once they hold something, and again once they hold many times
//! what they held; the rest is left to autovacuum.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};

use crate::sql::sql;
use crate::{Conn, DbError};

/// Rows that a table has to have got: what is read through to find one of fewer is not felt.
const ENOUGH: i64 = 500;

/// How many times the rows that Postgres knows of a table it has to hold.
const OUTGROWN: i64 = 10;

/// Has Postgres look at tables that have got rows and were never looked at, or that have
/// outgrown what it knows of them; answers which. One that somebody else looks at just now
/// is passed over, and so is, with a warning in Postgres' log, one that belongs to another
/// role.
pub async fn analyze_outgrown(conn: &mut Conn) -> Result<Vec<String>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let outgrown: Vec<Row> = sql("SELECT format('%I.%I', schemaname, s.relname) AS name
         FROM pg_stat_user_tables AS s JOIN pg_class AS c ON c.oid = s.relid
         WHERE n_mod_since_analyze >= $1
           AND (last_analyze IS NULL AND last_autoanalyze IS NULL
                OR n_live_tup >= greatest($1, $2 * c.reltuples))
         ORDER BY 1")
    .bind::<BigInt, _>(ENOUGH)
    .bind::<BigInt, _>(OUTGROWN)
    .load(conn)
    .await?;
    for table in &outgrown {
        let analyze = format!("ANALYZE (SKIP_LOCKED) {}", table.name);
        conn.batch_execute(&analyze).await?;
    }
    Ok(outgrown.into_iter().map(|table| table.name).collect())
}
