//! The next step of a recovery: [`db::plan`], over the PSPs that charge saved means.

use db::recoveries::StoredRecovery;
use db::{DbError, Tx};

pub use db::plan::Planned;
pub(crate) use db::plan::{Followed, followed};

/// See [`db::plan::next`].
pub async fn next(tx: &mut Tx, recovery: &StoredRecovery) -> Result<Planned, DbError> {
    db::plan::next(tx, recovery, psp::can_charge).await
}

/// See [`db::plan::next_by`].
pub(crate) async fn next_by(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    followed: &Followed,
) -> Result<Planned, DbError> {
    db::plan::next_by(tx, recovery, followed, psp::can_charge).await
}
