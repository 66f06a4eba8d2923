//! Webhooks of the PSPs and of those who carry messages.

use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
pub(crate) mod bounces;
pub(crate) mod gather;
pub(crate) mod razorpay;
mod receive;
pub(crate) mod stripe;
mod take_in;
pub(crate) mod twilio;
pub(crate) mod whatsapp;

/// What became of a webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookReceived)]
struct Received {
    /// `accepted`, `duplicate` or `ignored`.
    #[schema(pattern = "^(accepted|duplicate|ignored)$")]
    status: &'static str,
}

#[derive(OpenApi)]
#[openapi(paths(
    stripe::by_account,
    stripe::by_connection,
    razorpay::by_account,
    razorpay::by_connection,
    twilio::status,
    twilio::inbound,
    whatsapp::challenge,
    whatsapp::receive,
    bounces::receive
))]
pub(crate) struct Documented;
