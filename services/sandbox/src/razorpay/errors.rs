//! Razorpay's errors.

use serde_json::{Value, json};

/// Why a call was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum RazorpayError {
    #[error("Authentication failed")]
    Unauthorized,
    #[error("The id provided does not exist")]
    NoSuchId,
    #[error("The requested URL was not found on the server.")]
    NoSuchRoute,
    #[error("{description}")]
    BadRequest {
        description: String,
        field: Option<&'static str>,
    },
    #[error("Too many requests")]
    RateLimited,
    #[error(
        "We are facing some trouble completing your request at the moment. Please try again shortly."
    )]
    Server(u16),
}

impl RazorpayError {
    pub(crate) fn bad(description: impl Into<String>, field: &'static str) -> Self {
        Self::BadRequest {
            description: description.into(),
            field: Some(field),
        }
    }

    /// An answer of this HTTP status that a fault asked for.
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            429 => Self::RateLimited,
            401 => Self::Unauthorized,
            other => Self::Server(other),
        }
    }

    /// Razorpay answers 400 to an id or an address that it does not know.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Unauthorized => 401,
            Self::NoSuchId | Self::NoSuchRoute | Self::BadRequest { .. } => 400,
            Self::RateLimited => 429,
            Self::Server(status) => *status,
        }
    }

    pub(crate) fn body(&self) -> Value {
        let code = if matches!(self, Self::Server(500..)) {
            "SERVER_ERROR"
        } else {
            "BAD_REQUEST_ERROR"
        };
        let mut error = json!({
            "code": code,
            "description": self.to_string(),
            "source": "business",
            "step": "payment_initiation",
            "reason": "input_validation_failed",
            "metadata": {},
        });
        match self {
            Self::BadRequest {
                field: Some(field), ..
            } => error["field"] = (*field).into(),
            Self::BadRequest { field: None, .. } => {}
            _ => {
                for name in ["source", "step", "reason"] {
                    error[name] = "NA".into();
                }
            }
        }
        json!({ "error": error })
    }
}
