//! The schema: embedded migrations, and whether Postgres has them all.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::{AsyncMigrationHarness, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use secrecy::SecretString;

use crate::connect::connect;
use crate::pooler::{Route, probe};
use crate::sql::sql;
use crate::{Conn, DbError, Tx};

/// Every migration that this build knows, in order.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// Between two looks at whether another process has done migrating.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Brings the schema up to date; answers the names of the migrations that ran.
///
/// Several processes may call it at once: one migrates, the others wait for its
/// session lock. So it refuses to go through a pooler that shares connections: the
/// lock would be taken on one, and stay there for whoever is given it next.
pub async fn migrate(database_url: &SecretString) -> Result<Vec<String>, DbError> {
    if probe(database_url).await? != Route::Direct {
        return Err(DbError::MigrationThroughPooler);
    }
    let mut conn = connect(database_url).await?;
    // The lock ends with this connection, so a process that dies gives it back.
    while !try_lock(&mut conn).await? {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    // The harness is synchronous at heart and blocks its thread.
    tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(conn);
        let ran = harness
            .run_pending_migrations(MIGRATIONS)
            .map_err(|error| DbError::Migration(error.to_string()))?;
        Ok(ran.iter().map(ToString::to_string).collect())
    })
    .await
    .map_err(|error| DbError::Migration(error.to_string()))?
}

/// Asked again and again rather than waited for: a statement that waits holds a
/// snapshot, and `CREATE INDEX CONCURRENTLY` in a migration would wait for it.
async fn try_lock(conn: &mut Conn) -> Result<bool, DbError> {
    #[derive(QueryableByName)]
    struct Locked {
        #[diesel(sql_type = Bool)]
        locked: bool,
    }
    let row: Locked =
        sql("SELECT pg_try_advisory_lock(hashtextextended('tinko.migrations', 0)) AS locked")
            .get_result(conn)
            .await?;
    Ok(row.locked)
}

/// Why the schema is not fit to be used by this build, if it is not.
pub async fn schema_trouble(conn: &mut Conn) -> Result<Option<String>, DbError> {
    #[derive(QueryableByName)]
    struct Newest {
        #[diesel(sql_type = Nullable<Text>)]
        version: Option<String>,
    }
    let wanted = MigrationSource::<Pg>::migrations(&MIGRATIONS)
        .map_err(|error| DbError::Migration(error.to_string()))?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .max();
    let found: Result<Newest, _> =
        sql("SELECT max(version) AS version FROM __diesel_schema_migrations")
            .get_result(conn)
            .await;
    let found = match found {
        Ok(newest) => newest.version,
        Err(diesel::result::Error::DatabaseError(_, info))
            if info.message().contains("__diesel_schema_migrations") =>
        {
            None
        }
        Err(error) => return Err(error.into()),
    };
    // A newer schema is fine: migrations are additive, and a rolling upgrade
    // migrates before the last old replica has gone.
    Ok((found < wanted).then(|| {
        format!(
            "the schema is at migration {}, this build needs {}: run `api migrate`",
            found.as_deref().unwrap_or("none"),
            wanted.as_deref().unwrap_or("none"),
        )
    }))
}

/// Makes the month partitions from now to `months_ahead`, and those of the year past
/// whose rows had to wait in a default partition; answers those made.
pub async fn ensure_partitions(
    conn: &mut Conn,
    now: chrono::DateTime<chrono::Utc>,
    months_ahead: i32,
) -> Result<Vec<String>, DbError> {
    names(
        conn,
        "SELECT part AS name FROM ensure_partitions($1, $2::int) AS part
         UNION ALL SELECT part FROM ensure_missed_partitions($1, 12) AS part",
        now,
        months_ahead,
    )
    .await
}

/// The month partitions that ought to be there and are not.
pub async fn missing_partitions(
    conn: &mut Conn,
    now: chrono::DateTime<chrono::Utc>,
    months_ahead: i32,
) -> Result<Vec<String>, DbError> {
    names(
        conn,
        "SELECT part AS name FROM missing_partitions($1, $2::int) AS part",
        now,
        months_ahead,
    )
    .await
}

/// Drops the month partitions that are older than `months` months, and older than
/// their table has to keep; answers those dropped. Gives up after two seconds of
/// waiting for a lock: whoever works on the tables goes before.
pub async fn prune_partitions(
    tx: &mut Tx,
    now: chrono::DateTime<chrono::Utc>,
    months: i32,
) -> Result<Vec<String>, DbError> {
    sql("SET LOCAL lock_timeout = '2s'")
        .execute(tx.conn())
        .await?;
    names(
        tx.conn(),
        "SELECT part AS name FROM prune_partitions($1, $2::int) AS part",
        now,
        months,
    )
    .await
}

async fn names(
    conn: &mut Conn,
    text: &'static str,
    now: chrono::DateTime<chrono::Utc>,
    months_ahead: i32,
) -> Result<Vec<String>, DbError> {
    #[derive(QueryableByName)]
    struct Name {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let rows = sql(text)
        .bind::<Timestamptz, _>(now)
        .bind::<BigInt, _>(i64::from(months_ahead))
        .load::<Name>(conn)
        .await?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}
