//! Stripe's errors: which HTTP status, which body, and whether a retry under the same idempotency
//! key gets the same answer.

use serde_json::{Value, json};

use super::declines::Decline;

/// Why a call was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum StripeError {
    #[error("{0}")]
    Unauthorized(String),
    #[error("the key does not have access to the account {0}")]
    AccountInvalid(String),
    #[error("{message}")]
    Parameter {
        code: &'static str,
        message: String,
        param: String,
    },
    #[error("No such {object}: '{id}'")]
    Missing {
        object: &'static str,
        id: String,
        param: &'static str,
    },
    #[error("Unrecognized request URL ({0})")]
    NoSuchRoute(String),
    #[error("{message}")]
    UnexpectedState {
        code: &'static str,
        message: String,
        payment_intent: Option<Box<Value>>,
    },
    #[error("{}", decline.message)]
    Card {
        decline: Box<Decline>,
        charge: String,
        payment_intent: Box<Value>,
        payment_method: Box<Value>,
    },
    #[error("the idempotency key {0} was used with other parameters")]
    KeyReused(String),
    #[error("a call with the idempotency key {0} is in progress")]
    KeyInUse(String),
    #[error("the idempotency key is longer than 255 characters")]
    KeyTooLong,
    #[error("too many requests")]
    RateLimited,
    #[error("an error on Stripe's side, told by the status {0}")]
    Api(u16),
    #[error("an error on Stripe's side after the call had begun, told by the status {0}")]
    Begun(u16),
}

impl StripeError {
    pub(crate) fn parameter(code: &'static str, message: String, param: &str) -> Self {
        Self::Parameter {
            code,
            message,
            param: param.to_owned(),
        }
    }

    pub(crate) fn missing_parameter(param: &str) -> Self {
        let message = format!("Missing required param: {param}.");
        Self::parameter("parameter_missing", message, param)
    }

    pub(crate) fn state(message: String, payment_intent: Value) -> Self {
        Self::UnexpectedState {
            code: "payment_intent_unexpected_state",
            message,
            payment_intent: Some(Box::new(payment_intent)),
        }
    }

    /// An answer of this HTTP status that a fault asked for.
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            429 => Self::RateLimited,
            401 => Self::Unauthorized("Invalid API Key provided".to_owned()),
            other => Self::Api(other),
        }
    }

    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Unauthorized(_) => 401,
            Self::AccountInvalid(_) => 403,
            Self::Card { .. } => 402,
            Self::Missing { .. } | Self::NoSuchRoute(_) => 404,
            Self::KeyInUse(_) => 409,
            Self::RateLimited => 429,
            Self::Api(status) | Self::Begun(status) => *status,
            Self::Parameter { .. }
            | Self::UnexpectedState { .. }
            | Self::KeyReused(_)
            | Self::KeyTooLong => 400,
        }
    }

    /// Whether the answer is kept under the idempotency key: Stripe keeps those of calls that began
    /// to execute, and no validation errors or conflicts.
    pub(crate) fn is_remembered(&self) -> bool {
        matches!(
            self,
            Self::Card { .. }
                | Self::UnexpectedState { .. }
                | Self::Missing { .. }
                | Self::Begun(_)
        )
    }

    /// The `Stripe-Should-Retry` header, where Stripe is definite about it.
    pub(crate) fn should_retry(&self) -> Option<bool> {
        match self {
            Self::KeyInUse(_) => Some(true),
            Self::Api(status) if *status >= 500 => Some(true),
            Self::Card { .. } | Self::KeyReused(_) => Some(false),
            _ => None,
        }
    }

    pub(crate) fn body(&self, request_id: &str) -> Value {
        let mut error = match self {
            Self::Card {
                decline,
                charge,
                payment_intent,
                payment_method,
            } => {
                let mut error = decline.error(charge, payment_method);
                error["payment_intent"] = (**payment_intent).clone();
                error
            }
            Self::UnexpectedState {
                code,
                payment_intent,
                ..
            } => json!({
                "type": "invalid_request_error", "code": code, "payment_intent": payment_intent,
            }),
            Self::Parameter { code, param, .. } => {
                json!({ "type": "invalid_request_error", "code": code, "param": param })
            }
            Self::Missing { param, .. } => {
                json!({ "type": "invalid_request_error", "code": "resource_missing", "param": param })
            }
            Self::KeyInUse(_) => {
                json!({ "type": "idempotency_error", "code": "idempotency_key_in_use" })
            }
            Self::KeyReused(_) => json!({ "type": "idempotency_error" }),
            Self::RateLimited => json!({ "type": "invalid_request_error", "code": "rate_limit" }),
            Self::AccountInvalid(_) => {
                json!({ "type": "invalid_request_error", "code": "account_invalid" })
            }
            Self::Api(_) | Self::Begun(_) => json!({ "type": "api_error" }),
            Self::Unauthorized(_) | Self::NoSuchRoute(_) | Self::KeyTooLong => {
                json!({ "type": "invalid_request_error" })
            }
        };
        error["message"] = self.to_string().into();
        if let Some(code) = error["code"].as_str() {
            let page = code.replace('_', "-");
            error["doc_url"] = format!("https://stripe.com/docs/error-codes/{page}").into();
        }
        error["request_log_url"] =
            format!("https://dashboard.stripe.com/test/logs/{request_id}").into();
        json!({ "error": error })
    }
}
