//! Webhooks of the PSPs and of those who carry messages.

mod receive;

pub(crate) mod bounces;
pub(crate) mod razorpay;
pub(crate) mod stripe;
pub(crate) mod twilio;
pub(crate) mod whatsapp;
