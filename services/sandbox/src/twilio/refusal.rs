//! Twilio's errors.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::json;

/// Twilio's errors by number (twilio.com/docs/api/errors).
pub(super) struct Refusal {
    status: u16,
    code: u32,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: u32, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    pub(super) fn of_status(status: u16) -> Self {
        match status {
            429 => Self::new(429, 20429, "Too Many Requests"),
            401 => Self::new(401, 20003, "Authenticate"),
            other => Self::new(other, 20500, "An internal server error has occurred"),
        }
    }

    pub(super) fn answer(&self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        HttpResponse::build(status).json(json!({
            "code": self.code,
            "message": self.message,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.code),
            "status": self.status,
        }))
    }
}
