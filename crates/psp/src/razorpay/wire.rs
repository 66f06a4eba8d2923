//! The parts of Razorpay's objects that Tinko reads and writes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Decline;

/// A payment: one try to pay.
#[derive(Debug, Deserialize)]
pub(super) struct WirePayment {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) order_id: Option<String>,
    pub(super) error_code: Option<String>,
    pub(super) error_description: Option<String>,
    pub(super) error_reason: Option<String>,
    pub(super) error_source: Option<String>,
    pub(super) error_step: Option<String>,
    /// False for what was only authorized: it went back by itself
    /// (<https://razorpay.com/docs/payments/refunds/auto-refunds>).
    pub(super) captured: Option<bool>,
}

impl WirePayment {
    /// Whether the merchant had the money, be it that it went back later.
    pub(super) fn was_paid(&self) -> bool {
        match self.status.as_str() {
            "captured" => true,
            "refunded" => self.captured != Some(false),
            _ => false,
        }
    }

    /// Razorpay's advice is to decide on the reason; the code is broad.
    pub(super) fn decline(&self) -> Decline {
        Decline {
            code: self.error_code.clone(),
            decline_code: self.error_reason.clone(),
            message: self.error_description.clone(),
            source: self.error_source.clone(),
            step: self.error_step.clone(),
            charge: Some(self.id.clone()),
            payment: Some(self.id.clone()),
            ..Decline::default()
        }
    }
}

/// A list.
#[derive(Debug, Deserialize)]
pub(super) struct Items<T> {
    pub(super) items: Vec<T>,
}

/// An order, which any number of payments try to pay.
#[derive(Debug, Deserialize)]
pub(super) struct WireOrder {
    pub(super) status: String,
    pub(super) amount_paid: i64,
    pub(super) currency: String,
}

/// A payment link.
#[derive(Debug, Deserialize)]
pub(super) struct WireLink {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) short_url: String,
    pub(super) reference_id: Option<String>,
    /// Seconds; 0 where it has no end.
    pub(super) expire_by: Option<i64>,
    /// The payments made there; `null` before the first.
    pub(super) payments: Option<Vec<WireLinkPayment>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireLinkPayment {
    pub(super) payment_id: String,
    pub(super) status: Option<String>,
}

/// The answer to a search for payment links.
#[derive(Debug, Deserialize)]
pub(super) struct Links {
    pub(super) payment_links: Vec<WireLink>,
}

/// A payment link to make.
#[derive(Debug, Serialize)]
pub(super) struct NewLink {
    pub(super) amount: i64,
    pub(super) currency: &'static str,
    pub(super) accept_partial: bool,
    pub(super) reference_id: String,
    pub(super) description: String,
    pub(super) customer: Customer,
    /// Tinko writes to the payer itself.
    pub(super) notify: Notify,
    pub(super) reminder_enable: bool,
    pub(super) notes: BTreeMap<&'static str, String>,
    pub(super) callback_url: String,
    pub(super) callback_method: &'static str,
    pub(super) expire_by: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) options: Option<serde_json::Value>,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Customer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) contact: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Notify {
    pub(super) sms: bool,
    pub(super) email: bool,
}
