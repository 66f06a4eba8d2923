//! What a report does to a recovery: the one use case behind webhooks and REST.
//!
//! ```text
//! failure    known already ───────────────> nothing
//!            of our own charge under way ─> nothing: its worker settles it
//!            recovery open ───────────────> joined, perhaps stricter now, replanned
//!            recovered or cancelled ──────> kept with it, changes nothing
//!            else ────────────────────────> a recovery is opened
//!            says nothing new ────────────> the PSP's own retry is told
//! payment    ────────────────────────────> recovered, whatever waits ends
//!            another was there before ────> told: one has to go back
//! on its way recovery open ───────────────> rests until it arrived or not
//! dispute    recovery open ───────────────> cancelled
//! cancelled  recovery open ───────────────> cancelled
//! refund     of all, recovery open ───────> cancelled; else noted
//!
//! each of the first two is a try on a card, which is counted once
//! ```
//!
//! Failures over REST come in batches, and those of PSPs together with others that
//! come at the same time: `failures` and `unheard_of` do for many what
//! [`failure`] does for one.
//!
//! All of it runs in the caller's transaction, which also keeps what makes a
//! second delivery no news. Locks are taken in one order everywhere, the
//! transaction's row before its recovery's, so that two reports wait for each
//! other and never for ever.

mod afterwards;
mod batch;
mod fact;
mod failure;
mod from_psp;
mod said_before;
mod success;
mod together;
mod told;
mod tried;
mod underway;
mod weighing;

pub(crate) use batch::{Batched, Consents, Item, Refused, failures};
pub use fact::{Connection, take};
pub use failure::{Effect, FailureReport, Ingested, failure};
pub(crate) use success::paid_through;
pub use success::{Paid, payment_succeeded};
pub(crate) use together::{Heard, unheard_of};
pub use tried::Tried;

use db::DbError;
use domain::Money;

/// Why a report is not taken.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// Postgres.
    #[error(transparent)]
    Db(#[from] DbError),
    /// What it says.
    #[error(transparent)]
    Refused(#[from] ReportFault),
}

/// What is wrong with what a report says.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub enum ReportFault {
    /// The report needs to say more: the transaction is not known yet.
    #[error("{field} is needed: {reason}")]
    Missing {
        /// Which field.
        field: &'static str,
        /// Why it is needed.
        reason: &'static str,
    },
    /// What is owed is not what was owed when it was first reported.
    #[error("the transaction owes {stored}, not {reported}")]
    AmountDiffers {
        /// As stored.
        stored: Money,
        /// As reported now.
        reported: Money,
    },
}
