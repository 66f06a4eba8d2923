//! Reports of failed payments, by partners.

mod opt_in;
mod report;

pub(crate) mod by_ref;
pub(crate) mod payment_failed;
