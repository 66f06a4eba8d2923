//! What analytics reads: sums by organization, stretch of time and currency.
//!
//! ```text
//! event ──count──> rollup_counts ──fold──> rollups ──read──> analytics
//!   in the transaction that settles it   one process at a time
//! ```
//!
//! - [`count`] appends what events add, in the transaction that deletes their
//!   outbox rows: so once, whatever is delivered twice, and without
//!   waiting for another event of the same day.
//! - [`fold`] adds up what was appended; triggers keep the sums of longer stretches
//!   (`rollups_longer`) in step with what it writes.
//! - `read` answers the sums of a window.
//! - [`rebuild`] counts a day anew from the rows of what happened.
//!
//! A measure belongs to the day on which its recovery **opened** (what became of
//! the recoveries of a window: their rate, their funnel) or to the time at which
//! it **happened** (money that came in, messages that went out). [`Measure`] says
//! which.

mod count;
mod fold;
mod measure;
mod read;
mod rebuild;
mod turns;

pub use count::count;
pub use fold::fold;
pub use measure::{Dimension, Measure};
pub use read::{Sum, sums};
pub use rebuild::rebuild;
pub use turns::{turns, wait_for_turn};
