//! What a PSP says about why a payment failed, in its own words.

use serde::{Deserialize, Serialize};

/// Raw signals of a failure, as the PSP wrote them; nothing is interpreted here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureSignals {
    /// The most telling code: Stripe's `decline_code`, else its `code`;
    /// Razorpay's `error_reason`, else its `error_code`.
    pub code: Option<String>,
    /// Stripe's `advice_code`, such as `do_not_try_again`.
    pub advice_code: Option<String>,
    /// The card network in lower case, such as `visa` or `mastercard`.
    pub network: Option<String>,
    /// The network's own response code, such as `51`.
    pub network_decline_code: Option<String>,
    /// The network's advice code, such as Mastercard's `03`.
    pub network_advice_code: Option<String>,
    /// The PSP's sentence for developers.
    pub message: Option<String>,
    /// The PSP's broad code, where `code` is a finer one: Razorpay's `error_code`.
    pub broad_code: Option<String>,
    /// The field of the request that was wrong, by Razorpay's `field`.
    pub field: Option<String>,
    /// Who failed, by Razorpay's `error_source`: `customer`, `issuer_bank`, …
    pub source: Option<String>,
    /// Where it failed, by Razorpay's `error_step`: `payment_authentication`, …
    pub step: Option<String>,
}
