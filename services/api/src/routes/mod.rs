//! One verb a file. [`crate::app::routes`] is the list of all of them.

pub(crate) mod address_page;
pub(crate) mod api_keys;
pub(crate) mod audit;
pub(crate) mod classify;
pub(crate) mod consents;
pub(crate) mod cursor;
pub(crate) mod docs;
pub(crate) mod events;
pub(crate) mod hosted;
pub(crate) mod links;
pub(crate) mod login;
pub(crate) mod me;
pub(crate) mod page;
pub(crate) mod policies;
pub(crate) mod probes;
pub(crate) mod recon;
pub(crate) mod recoveries;
pub(crate) mod sessions;
pub(crate) mod stream;
pub(crate) mod suppressions;
pub(crate) mod templates;
pub(crate) mod transactions;
pub(crate) mod unsubscribe;
pub(crate) mod users;
pub(crate) mod webhooks;
