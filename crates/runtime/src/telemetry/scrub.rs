//! Takes payer data and secrets out of what leaves for Sentry.
//!
//! Two rules: a field whose *name* says that it holds such a thing is emptied; and in every other
//! text, whatever *looks* like such a thing is replaced. The second is a net for what error messages
//! of others quote; it would rather take an order number for a telephone number than the reverse.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};
use serde_json::Value;

/// What stands in place of what was taken out.
const REMOVED: &str = "[removed]";

/// A field whose name holds one of these is emptied.
const TELLING: [&str; 14] = [
    "address",
    "api-key",
    "api_key",
    "apikey",
    "authorization",
    "cookie",
    "email",
    "password",
    "payer_name",
    "phone",
    "recipient",
    "secret",
    "signature",
    "token",
];

/// A field that has one of these as a word of its name is emptied; they are too short to be looked
/// for inside words.
const TELLING_WORDS: [&str; 4] = ["card", "dsn", "upi", "vpa"];

/// Sentry's own ids, which may by chance be all digits and must stay what they are.
const IDS: [&str; 4] = ["event_id", "trace_id", "span_id", "parent_span_id"];

struct Pattern {
    like: Regex,
    becomes: &'static str,
}

/// What data looks like in running text, the most telling first.
static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    [
        // The link's token is the payer's key to the page.
        (r"/pay/[^/\s?#\x22']+", "/pay/[removed]"),
        // User and password of a URL.
        (r"://[^/\s@\x22']+@", "://[removed]@"),
        (
            r"(?i-u)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{4,}",
            "$1 [removed]",
        ),
        // Stripe's, Razorpay's and Tinko's own keys and signing secrets.
        (
            r"(?-u)\b(?:sk|rk|pk|whsec|rzp|tk)_[A-Za-z0-9_]{6,}",
            REMOVED,
        ),
        (
            r"(?-u)[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}",
            REMOVED,
        ),
        // A UPI address: as an e-mail address, without a dot in its second part.
        (r"(?-u)\b[A-Za-z0-9._-]{2,}@[A-Za-z]{2,}\b", REMOVED),
        // A telephone number as it is written internationally.
        (r"(?-u)\+\d[\d ().-]{6,}\d", REMOVED),
    ]
    .into_iter()
    .filter_map(|(like, becomes)| {
        let like = Regex::new(like).ok()?;
        Some(Pattern { like, becomes })
    })
    .collect()
});

/// Ten to nineteen digits, as telephone and card numbers have, with blanks or hyphens between them.
/// The first two alternatives are what would be mistaken for them: UUIDs, and times as chrono
/// writes them.
static LONG_NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let uuid = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
    let time = r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}";
    let number = r"\b\d(?:[ -]?\d){9,18}\b";
    Regex::new(&format!("(?-u)(?<harmless>{uuid}|{time})|{number}")).ok()
});

/// The text without what looks like payer data or a secret.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    let mut clean = Cow::Borrowed(text);
    for pattern in PATTERNS.iter() {
        if let Cow::Owned(replaced) = pattern.like.replace_all(&clean, pattern.becomes) {
            clean = Cow::Owned(replaced);
        }
    }
    if let Some(like) = &*LONG_NUMBER {
        let keep_harmless = |found: &Captures<'_>| match found.name("harmless") {
            Some(harmless) => harmless.as_str().to_owned(),
            None => REMOVED.to_owned(),
        };
        if let Cow::Owned(replaced) = like.replace_all(&clean, keep_harmless) {
            clean = Cow::Owned(replaced);
        }
    }
    clean
}

/// Cleans every text inside `value`, and empties every field with a telling name.
pub(super) fn value(value: &mut Value) {
    match value {
        Value::String(inner) => {
            if let Cow::Owned(clean) = text(inner) {
                *inner = clean;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(self::value),
        Value::Object(fields) => {
            for (name, inner) in fields {
                if IDS.contains(&name.as_str()) {
                    continue;
                }
                if is_telling(name) && !inner.is_null() {
                    *inner = REMOVED.into();
                } else {
                    self::value(inner);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_telling(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    TELLING.iter().any(|part| name.contains(part))
        || words.any(|word| TELLING_WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_pattern_is_a_valid_one() {
        assert_eq!(PATTERNS.len(), 7);
        assert!(LONG_NUMBER.is_some());
    }

    #[test]
    fn payer_data_and_secrets_go_and_the_rest_of_the_sentence_stays() {
        for (before, after) in [
            (
                "mail to asha.rao+x@example.co.in bounced",
                "mail to [removed] bounced",
            ),
            ("sms to +91 98765-43210 failed", "sms to [removed] failed"),
            ("sms to 9876543210 failed", "sms to [removed] failed"),
            (
                "card 4000 0000 0000 9995 declined",
                "card [removed] declined",
            ),
            ("upi asha@okbank refused", "upi [removed] refused"),
            (
                "GET /pay/rl_Zx81_b-c?x=1 gave 500",
                "GET /pay/[removed]?x=1 gave 500",
            ),
            (
                "sent Authorization: Bearer abc.def-123",
                "sent Authorization: Bearer [removed]",
            ),
            (
                "key sk_live_51HxAbCd is revoked",
                "key [removed] is revoked",
            ),
            (
                "connect to postgres://tinko:pa%40ss@db:5432/tinko failed",
                "connect to postgres://[removed]@db:5432/tinko failed",
            ),
        ] {
            assert_eq!(text(before), after);
        }
    }

    #[test]
    fn ids_amounts_and_times_stay() {
        for harmless in [
            "recovery 01890a5d-ac96-774b-bcce-b302099a8057 is open",
            "rec_12345678-1234-7234-8234-123456789012 is open",
            "4999 INR at 2026-08-21T10:00:00Z",
            "due 2026-08-21 10:00:00 UTC",
            "trace 4bf92f3577b34da6a3ce929d0e0e4736",
            "127.0.0.1:5432 refused",
            "retry-worker@0.1.0",
        ] {
            assert_eq!(text(harmless), harmless);
        }
    }

    #[test]
    fn an_id_of_sentrys_stays_even_if_it_looks_like_a_card_number() {
        let mut report = json!({"contexts": {"trace": {"span_id": "4000000000009995"}}});
        let before = report.clone();
        value(&mut report);
        assert_eq!(report, before);
    }

    #[test]
    fn a_field_with_a_telling_name_is_emptied_whatever_it_holds() {
        let mut report = json!({
            "request": {"headers": {"Authorization": "x", "Stripe-Signature": "t=1", "accept": "*/*"}},
            "user": {"ip_address": "203.0.113.9", "id": "org_1"},
            "extra": {"payer_email": ["a"], "phone": null, "attempts": 3, "payer.vpa": "x", "occupied": "x"},
        });
        value(&mut report);
        assert_eq!(
            report,
            json!({
                "request": {"headers": {"Authorization": REMOVED, "Stripe-Signature": REMOVED, "accept": "*/*"}},
                "user": {"ip_address": REMOVED, "id": "org_1"},
                "extra": {"payer_email": REMOVED, "phone": null, "attempts": 3, "payer.vpa": REMOVED, "occupied": "x"},
            })
        );
    }
}
