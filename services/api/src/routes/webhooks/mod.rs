//! Webhooks of the PSPs.

mod receive;

pub(crate) mod razorpay;
pub(crate) mod stripe;
