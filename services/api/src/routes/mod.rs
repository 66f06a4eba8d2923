//! One verb a file. [`crate::app::routes`] is the list of all of them.

pub(crate) mod api_keys;
pub(crate) mod classify;
pub(crate) mod events;
pub(crate) mod hosted;
pub(crate) mod links;
pub(crate) mod policies;
pub(crate) mod probes;
pub(crate) mod recoveries;
pub(crate) mod unsubscribe;
pub(crate) mod webhooks;
