//! Partner webhooks: events in, requests out.
//!
//! ```text
//! event ──tell──> partner_events, one partner_deliveries row for each endpoint that wants it
//! due rows ──claim (lease)──> Sender ──POST──> partner ──record──> log, state, health
//! ```
//!
//! - A delivery is sent at least once: a process that dies between the request and
//!   its record leaves a lease that runs out, and the same bytes are sent again under
//!   the same `webhook-id`, by which receivers drop copies.
//! - An endpoint, and an organization, has only so many requests under way, over all
//!   processes: whoever is slow fills its own places and nobody else's.
//! - Nothing outside Postgres is called while a transaction is open.
//! - No redirect is followed, and no answer is read beyond `MOST_READ`.
//!

mod dispatcher;
mod gone;
mod post;
mod sender;
mod tell;

pub(crate) use dispatcher::measure;
pub use dispatcher::{Dispatcher, Limits};
pub use post::Post;
pub use sender::Sender;
pub use tell::tell;
