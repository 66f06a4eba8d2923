//! Partner webhooks: endpoints, events as they are told, and deliveries.
//!
//! States as in `domain::partner`. An event is stored once, by its own id, with the
//! bytes that are sent; a delivery is one event on its way to one endpoint. What is
//! due is claimed under a lease ([`claim`]); a process that dies leaves a lease that
//! runs out, and its deliveries are sent again ([`take_back`]): at least once, with
//! the same `webhook-id`.

mod claims;
mod endpoints;
mod events;
mod log;
mod outcomes;

pub use claims::{Claim, Claimed, Waiting, claim, next_due, take_back, waiting};
pub use endpoints::{
    Change, NewEndpoint, NewKey, StoredEndpoint, add, change, delete, find, list, lock, rotate,
    wake,
};
pub use events::{
    Fact, Listener, MOST_REPLAYED, NewEvent, about, again, listeners, listeners_of_each, replay,
    store, tell,
};
pub use log::{StoredDelivery, StoredTry, deliveries, delivery, payload, tries};
pub use outcomes::{Outcome, Try, disable, record};
