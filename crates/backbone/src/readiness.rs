//! What readiness asks of Postgres and Redis.

use db::{Db, DbError};
use futures_util::FutureExt;
use runtime::admin::Health;
use runtime::clock::SharedClock;
use streams::Streams;

/// Months of partitions that must be there: this one and the next.
const MONTHS_AHEAD: i32 = 1;

/// Postgres is critical. Redis is not: work is delayed and none is lost.
pub(crate) fn health(db: &Db, streams: &Streams, clock: &SharedClock) -> Health {
    let (for_schema, clock) = (db.clone(), clock.clone());
    let streams = streams.clone();
    Health::new()
        .check("postgres", true, move || {
            let (db, clock) = (for_schema.clone(), clock.clone());
            async move { postgres(&db, &clock).await }.boxed()
        })
        .check("redis", false, move || {
            let streams = streams.clone();
            async move { streams.ping().await.map_err(|error| error.to_string()) }.boxed()
        })
}

/// Reachable, migrated, and with the partitions that the coming weeks need.
pub(crate) async fn postgres(db: &Db, clock: &SharedClock) -> Result<(), String> {
    let sentence = |error: DbError| error.to_string();
    let mut conn = db.read().await.map_err(sentence)?;
    if let Some(trouble) = db::schema_trouble(&mut conn).await.map_err(sentence)? {
        return Err(trouble);
    }
    let missing = db::missing_partitions(&mut conn, clock.now(), MONTHS_AHEAD)
        .await
        .map_err(sentence)?;
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("partitions are missing: {}", missing.join(", ")))
    }
}
