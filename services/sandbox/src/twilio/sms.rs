//! A text message as Twilio shows it.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub(super) struct Sms {
    pub(super) sid: String,
    pub(super) account: String,
    pub(super) to: String,
    pub(super) from: Option<String>,
    pub(super) service: Option<String>,
    pub(super) body: String,
    pub(super) status: &'static str,
    pub(super) error_code: Option<u32>,
    pub(super) created: DateTime<Utc>,
}

impl Sms {
    pub(super) fn shown(&self, status: &str) -> Value {
        let at = self.created.to_rfc2822();
        let error_code = self.error_code.filter(|_| status == "undelivered");
        json!({
            "account_sid": self.account,
            "api_version": "2010-04-01",
            "body": self.body,
            "date_created": at,
            "date_sent": (status != "queued").then(|| at.clone()),
            "date_updated": at,
            "direction": "outbound-api",
            "error_code": error_code,
            "error_message": error_code.map(|_| "The message was not delivered"),
            "from": self.from,
            "messaging_service_sid": self.service,
            "num_media": "0",
            "num_segments": segments(&self.body).to_string(),
            "price": null,
            "price_unit": "USD",
            "sid": self.sid,
            "status": status,
            "subresource_uris": {},
            "to": self.to,
            "uri": format!("/2010-04-01/Accounts/{}/Messages/{}.json", self.account, self.sid),
        })
    }
}

/// Parts of 160 or 153 characters, of 70 or 67 when there are others than ASCII ones (GSM 03.38
/// has a few more; close enough to tell one part from two).
pub(super) fn segments(body: &str) -> usize {
    let (length, whole, part) = if body.is_ascii() {
        (body.len(), 160, 153)
    } else {
        (body.encode_utf16().count(), 70, 67)
    };
    if length <= whole {
        1
    } else {
        length.div_ceil(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_non_ascii_texts_take_more_segments() {
        assert_eq!(segments(&"a".repeat(160)), 1);
        assert_eq!(segments(&"a".repeat(161)), 2);
        assert_eq!(segments(&"ü".repeat(71)), 2);
    }
}
