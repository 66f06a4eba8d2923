//! The next step of a recovery: [`db::plan`], over the PSPs that charge saved means.

use chrono::{DateTime, Utc};
use db::attempts::StoredAttempt;
use db::facts::{Matter, Read};
use db::recoveries::StoredRecovery;
use db::{Conn, DbError, Tx};

pub use db::plan::Planned;
pub(crate) use db::plan::{
    Decided, Followed, decide, due_message, followed, next_from, put, put_after, so_far, take,
};

/// See [`db::plan::next`].
pub async fn next(tx: &mut Tx, recovery: &StoredRecovery) -> Result<Planned, DbError> {
    db::plan::next(tx, recovery, psp::can_charge).await
}

/// See [`db::facts::of_matter`].
pub(crate) async fn read(
    conn: &Conn,
    now: DateTime<Utc>,
    recovery: &StoredRecovery,
    matter: Matter,
    past: &[StoredAttempt],
) -> Result<Read, DbError> {
    db::facts::of_matter(conn, now, recovery, matter, past, psp::can_charge).await
}
