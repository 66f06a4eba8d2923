//! The parts of Stripe's objects that Tinko reads.

use std::collections::HashMap;

use domain::limits::Rail;
use serde::Deserialize;
use serde_json::Value;

use crate::means::country;
use crate::{Decline, TriedMeans};

/// A reference that may have been expanded into the object.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Reference {
    Id(String),
    Object { id: String },
}

impl Reference {
    pub(crate) fn into_id(self) -> String {
        match self {
            Self::Id(id) | Self::Object { id } => id,
        }
    }
}

/// `error` of a refusal, and `last_payment_error` of an intent.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct WireError {
    pub(crate) r#type: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) decline_code: Option<String>,
    pub(crate) advice_code: Option<String>,
    pub(crate) network_decline_code: Option<String>,
    pub(crate) network_advice_code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) charge: Option<Reference>,
    pub(crate) payment_intent: Option<Reference>,
    pub(crate) payment_method: Option<Value>,
}

impl WireError {
    pub(crate) fn into_decline(self, payment: Option<String>) -> Decline {
        let tried = self.payment_method.as_ref().map(means).unwrap_or_default();
        Decline {
            code: self.code,
            decline_code: self.decline_code,
            advice_code: self.advice_code,
            network_decline_code: self.network_decline_code,
            network_advice_code: self.network_advice_code,
            network: tried.network.clone(),
            tried,
            message: self.message,
            source: None,
            step: None,
            charge: self.charge.map(Reference::into_id),
            payment: payment.or_else(|| self.payment_intent.map(Reference::into_id)),
        }
    }
}

/// A means of payment, as a refusal shows it.
fn means(method: &Value) -> TriedMeans {
    let text = |way: &str| method.pointer(way)?.as_str().map(str::to_owned);
    let word = |way: &str| text(way).map(|text| text.to_ascii_lowercase());
    TriedMeans {
        id: text("/id"),
        fingerprint: text("/card/fingerprint"),
        network: word("/card/brand"),
        country: country(text("/card/country")),
        funding: word("/card/funding"),
        rail: text("/type").map_or(Rail::Unknown, |kind| Rail::from_psp(&kind)),
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) error: WireError,
}

/// A `PaymentIntent`.
#[derive(Debug, Deserialize)]
pub(crate) struct WireIntent {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) amount: i64,
    pub(crate) amount_received: Option<i64>,
    pub(crate) currency: String,
    pub(crate) latest_charge: Option<Reference>,
    pub(crate) last_payment_error: Option<WireError>,
    pub(crate) metadata: Option<HashMap<String, String>>,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    #[serde(default)]
    pub(crate) has_more: bool,
}

/// A charge.
#[derive(Debug, Deserialize)]
pub(crate) struct WireCharge {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) payment_intent: Option<Reference>,
    pub(crate) failure_code: Option<String>,
    pub(crate) failure_message: Option<String>,
    #[serde(default)]
    pub(crate) outcome: Option<WireOutcome>,
}

/// What the network and the issuer said of a charge.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct WireOutcome {
    pub(crate) reason: Option<String>,
    pub(crate) advice_code: Option<String>,
    pub(crate) network_decline_code: Option<String>,
    pub(crate) network_advice_code: Option<String>,
}

impl WireCharge {
    pub(crate) fn into_decline(self) -> Decline {
        let outcome = self.outcome.unwrap_or_default();
        Decline {
            code: self.failure_code,
            decline_code: outcome.reason,
            advice_code: outcome.advice_code,
            network_decline_code: outcome.network_decline_code,
            network_advice_code: outcome.network_advice_code,
            message: self.failure_message,
            charge: Some(self.id),
            ..Decline::default()
        }
    }
}

/// An invoice, with its payments expanded.
#[derive(Debug, Deserialize)]
pub(crate) struct WireInvoice {
    pub(crate) id: String,
    pub(crate) status: Option<String>,
    pub(crate) amount_paid: i64,
    pub(crate) currency: String,
    /// Seconds; none once Stripe tries no more by itself.
    #[serde(default)]
    pub(crate) next_payment_attempt: Option<i64>,
    /// How the invoice is collected: Stripe tries by itself where this is on.
    #[serde(default)]
    pub(crate) auto_advance: bool,
    pub(crate) payments: Option<Page<WireInvoicePayment>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct WireInvoicePayment {
    #[serde(default)]
    pub(crate) is_default: bool,
    pub(crate) payment: WirePaidBy,
}

#[derive(Debug, Deserialize)]
pub(crate) struct WirePaidBy {
    pub(crate) payment_intent: Option<Reference>,
}

/// A Checkout Session.
#[derive(Debug, Deserialize)]
pub(crate) struct WireSession {
    pub(crate) id: String,
    pub(crate) url: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) payment_status: Option<String>,
    pub(crate) payment_intent: Option<Reference>,
    pub(crate) expires_at: i64,
}
