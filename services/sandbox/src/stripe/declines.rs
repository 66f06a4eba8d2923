//! What a charge can end in, and the table of declines.

use serde::Deserialize;
use serde_json::{Value, json};

/// A card's refusal, with everything that Stripe tells about one.
#[expect(clippy::struct_field_names, reason = "the names are Stripe's")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decline {
    /// Stripe's error code: `card_declined` for most.
    pub(crate) code: String,
    /// Only set where the issuer declined; an expired card or a wrong CVC has its own error code.
    pub(crate) decline_code: Option<String>,
    pub(crate) message: String,
    pub(crate) advice_code: Option<String>,
    pub(crate) network_decline_code: Option<String>,
    pub(crate) network_advice_code: Option<String>,
}

/// Codes that are error codes of their own, without a decline code
/// (docs.stripe.com/testing, table "Declined payments").
const OWN_CODES: [&str; 5] = [
    "expired_card",
    "incorrect_cvc",
    "incorrect_number",
    "processing_error",
    "incorrect_zip",
];

impl Decline {
    /// The decline that Stripe makes of `code`, with the advice and the issuer's response code that
    /// usually come with it. A code that is not in the table is declined under that very code.
    pub(crate) fn of(code: &str) -> Self {
        let (message, advice, network) = usual(code);
        let (error_code, decline_code) = if OWN_CODES.contains(&code) {
            (code, None)
        } else if code == "authentication_required" {
            (code, Some(code.to_owned()))
        } else {
            ("card_declined", Some(code.to_owned()))
        };
        Self {
            code: error_code.to_owned(),
            decline_code,
            message: message.to_owned(),
            advice_code: advice.map(str::to_owned),
            network_decline_code: network.map(str::to_owned),
            network_advice_code: None,
        }
    }

    /// The most telling of its codes, for the ledger.
    pub(crate) fn reason(&self) -> &str {
        self.decline_code.as_deref().unwrap_or(&self.code)
    }

    /// As in `last_payment_error`.
    pub(crate) fn error(&self, charge: &str, payment_method: &Value) -> Value {
        let mut error = json!({
            "type": "card_error",
            "code": self.code,
            "message": self.message,
            "charge": charge,
            "payment_method": payment_method,
            "doc_url": format!(
                "https://stripe.com/docs/error-codes/{}", self.code.replace('_', "-")
            ),
        });
        // Stripe leaves out what it has nothing to say about.
        let optional = [
            ("decline_code", &self.decline_code),
            ("advice_code", &self.advice_code),
            ("network_decline_code", &self.network_decline_code),
            ("network_advice_code", &self.network_advice_code),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                error[name] = value.as_str().into();
            }
        }
        error
    }
}

type Usual = (&'static str, Option<&'static str>, Option<&'static str>);

/// Message, advice code, issuer's response code (ISO 8583 field 39 as Visa numbers it).
fn usual(code: &str) -> Usual {
    const LATER: Option<&str> = Some("try_again_later");
    const NEVER: Option<&str> = Some("do_not_try_again");
    const CHECK: Option<&str> = Some("confirm_card_data");
    const DECLINED: &str = "Your card was declined.";
    const UNSUPPORTED: &str = "Your card does not support this type of purchase.";
    match code {
        "insufficient_funds" => ("Your card has insufficient funds.", LATER, Some("51")),
        "card_velocity_exceeded" => (
            "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
            LATER,
            Some("61"),
        ),
        "withdrawal_count_limit_exceeded" => (DECLINED, LATER, Some("65")),
        "generic_decline" | "do_not_honor" => (DECLINED, LATER, Some("05")),
        "try_again_later" | "issuer_not_available" => (DECLINED, LATER, Some("91")),
        "reenter_transaction" => (DECLINED, LATER, Some("19")),
        "processing_error" => (
            "An error occurred while processing your card. Try again in a little bit.",
            LATER,
            Some("96"),
        ),
        "expired_card" => ("Your card has expired.", CHECK, Some("54")),
        "incorrect_cvc" | "invalid_cvc" => {
            ("Your card's security code is incorrect.", CHECK, Some("N7"))
        }
        "incorrect_number" | "invalid_number" => ("Your card number is incorrect.", CHECK, None),
        "authentication_required" => (
            "Your card was declined. This transaction requires authentication.",
            None,
            Some("1A"),
        ),
        "invalid_account" => (DECLINED, NEVER, Some("14")),
        "lost_card" => (DECLINED, NEVER, Some("41")),
        "stolen_card" => (DECLINED, NEVER, Some("43")),
        "pickup_card" => (DECLINED, NEVER, Some("04")),
        "restricted_card" => (DECLINED, NEVER, Some("62")),
        "fraudulent" => (DECLINED, NEVER, Some("59")),
        "card_not_supported" | "transaction_not_allowed" => (UNSUPPORTED, NEVER, Some("57")),
        "stop_payment_order" => (DECLINED, NEVER, Some("R0")),
        "revocation_of_authorization" => (DECLINED, NEVER, Some("R1")),
        "revocation_of_all_authorizations" => (DECLINED, NEVER, Some("R3")),
        "do_not_try_again" => (DECLINED, NEVER, None),
        _ => (DECLINED, None, None),
    }
}

/// What one charge on a payment method ends in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Told")]
pub(crate) enum Outcome {
    Succeeds,
    /// Off session a decline, on session a request for the payer to authenticate.
    NeedsAuthentication,
    /// Stays `processing` until the control API settles it.
    StaysProcessing,
    Declines(Decline),
}

/// An outcome as a caller of the control API tells it: a code, or a code with what differs.
#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Code(String),
    Detailed {
        decline_code: String,
        #[serde(default)]
        advice_code: Option<String>,
        #[serde(default)]
        network_decline_code: Option<String>,
        #[serde(default)]
        network_advice_code: Option<String>,
    },
}

impl From<Told> for Outcome {
    fn from(told: Told) -> Self {
        match told {
            Told::Code(code) => Self::of(&code),
            Told::Detailed {
                decline_code,
                advice_code,
                network_decline_code,
                network_advice_code,
            } => {
                let usual = Decline::of(&decline_code);
                Self::Declines(Decline {
                    advice_code: advice_code.or(usual.advice_code),
                    network_decline_code: network_decline_code.or(usual.network_decline_code),
                    network_advice_code,
                    ..Decline::of(&decline_code)
                })
            }
        }
    }
}

impl Outcome {
    /// `ok`, `processing`, `authentication_required`, or a decline's code.
    pub(crate) fn of(code: &str) -> Self {
        match code {
            "ok" | "succeeded" => Self::Succeeds,
            "processing" => Self::StaysProcessing,
            "authentication_required" => Self::NeedsAuthentication,
            other => Self::Declines(Decline::of(other)),
        }
    }
}

/// The outcomes of the charges on a payment method, one each; the last one repeats.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    outcomes: Vec<Outcome>,
    used: usize,
}

impl Script {
    pub(crate) fn new(outcomes: Vec<Outcome>) -> Self {
        Self { outcomes, used: 0 }
    }

    pub(crate) fn next(&mut self) -> Outcome {
        let last = self.outcomes.len().saturating_sub(1);
        let outcome = self.outcomes.get(self.used.min(last));
        self.used += 1;
        outcome.cloned().unwrap_or(Outcome::Succeeds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_consumed_one_by_one_and_its_last_outcome_repeats() {
        let outcomes = serde_json::from_str(r#"["insufficient_funds", "ok"]"#).unwrap();
        let mut script = Script::new(outcomes);
        assert_eq!(
            script.next(),
            Outcome::Declines(Decline::of("insufficient_funds"))
        );
        assert_eq!(script.next(), Outcome::Succeeds);
        assert_eq!(script.next(), Outcome::Succeeds);
    }

    #[test]
    fn a_detailed_outcome_overrides_what_is_usual() {
        let text = r#"{"decline_code":"do_not_honor","advice_code":"do_not_try_again"}"#;
        let Outcome::Declines(decline) = serde_json::from_str(text).unwrap() else {
            panic!("not a decline");
        };
        assert_eq!(decline.advice_code.as_deref(), Some("do_not_try_again"));
        assert_eq!(decline.network_decline_code.as_deref(), Some("05"));
    }
}
