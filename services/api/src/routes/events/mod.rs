//! Reports of failed payments, by partners.

mod report;

pub(crate) mod by_ref;
pub(crate) mod payment_failed;
