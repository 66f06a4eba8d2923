//! The codes and the answer of the older contract, `POST /v1/classify`.

use super::table::{Row, Source, Verdict, find, sorted};
use super::{
    AlternativeMeans, Category, Classification, FailureSource, Hardness, Signals, classify, message,
};

pub(super) const CONTRACT: Source = Source {
    title: "The older system's classifier, which existing frontends rely on",
    url: "",
    read: "2026-11-25",
};

const fn row(code: &'static str, verdict: Verdict, meaning: &'static str) -> Row {
    Row {
        code,
        verdict,
        meaning,
        source: &CONTRACT,
    }
}

/// Codes that the older system knew.
#[rustfmt::skip]
const LISTED: &[Row] = &[
    row("issuer_declined", Verdict::ask(Category::IssuerDecline), "the issuer declined"),
    row("do_not_honor", Verdict::ask(Category::IssuerDecline), "the issuer declined without a reason"),
    row("transaction_not_permitted", Verdict::ask(Category::IssuerDecline), "this payment is not permitted"),
    row("RZP_UPI_INVALID_VPA", Verdict::ask(Category::InvalidDetails), "the UPI address is wrong"),
    row("RZP_CARD_BLOCKED", Verdict::ask_neutrally(Category::DoNotRetry), "the card is blocked"),
    row("insufficient_funds", Verdict::soft(Category::InsufficientFunds), "the account is short of money"),
    row("RZP001_INSUFFICIENT_FUNDS", Verdict::soft(Category::InsufficientFunds), "the account is short of money"),
    row("otp_timeout", Verdict::payer_retries(Category::AuthenticationRequired, 30), "the OTP was entered too late"),
    row("3ds_timeout", Verdict::payer_retries(Category::AuthenticationRequired, 30), "3-D Secure was not finished in time"),
    row("network_error", Verdict::soft_after(Category::Network, 30), "the gateway could not be reached"),
    row("RZP_NETWORK_ISSUE", Verdict::soft_after(Category::Network, 30), "the gateway could not be reached"),
    row("upi_pending", Verdict::payer_retries(Category::UpiPending, 0), "the outcome is not known yet"),
];

/// As they are looked up.
pub(super) const ROWS: &[Row] = &sorted::<{ LISTED.len() }>(LISTED);

/// The older contract's answer to a classification.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ContractView {
    /// One of `issuer_decline`, `funds`, `auth_timeout`, `network`, `upi_pending`, `unknown`.
    pub category: &'static str,
    /// What to do, in words.
    pub recommendation: &'static str,
    /// Other means, the best first.
    pub alt: &'static [AlternativeMeans],
    /// Seconds to wait before trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cooldown_seconds: Option<u32>,
    /// Whether the same means may succeed later.
    pub hardness: Hardness,
}

impl ContractView {
    /// The answer for a code and a message. A code that the older system knew
    /// is answered as it did, in either case of letters; codes that only the
    /// finer tables know are answered by the older category they fall under;
    /// else the message decides.
    pub fn of(code: Option<&str>, text: Option<&str>) -> Self {
        let (category, hardness) = code
            .and_then(by_code)
            .or_else(|| {
                text.and_then(message::read)
                    .map(|row| (row.verdict.category, row.verdict.hardness))
            })
            .unwrap_or((Category::Unknown, Hardness::Soft));
        Self::answer(category, hardness)
    }

    /// The answer for a failure of which more than code and message were told.
    pub const fn of_classification(classification: &Classification) -> Self {
        Self::answer(classification.category, classification.hardness)
    }

    const fn answer(category: Category, hardness: Hardness) -> Self {
        use AlternativeMeans::{Card, CardOtherBank, Netbanking, UpiCollect};
        let (name, recommendation, alt, cooldown_seconds): (_, _, &'static [_], _) = match category
        {
            Category::Network | Category::ProcessingError => {
                ("network", SAME_AGAIN, &[UpiCollect, Netbanking], Some(30))
            }
            Category::AuthenticationRequired => (
                "auth_timeout",
                SAME_AGAIN,
                &[UpiCollect, Netbanking],
                Some(30),
            ),
            Category::InsufficientFunds => (
                "funds",
                OTHER_MEANS,
                &[Netbanking, CardOtherBank, UpiCollect],
                None,
            ),
            Category::IssuerDecline
            | Category::DoNotRetry
            | Category::ExpiredCard
            | Category::InvalidDetails
            | Category::LimitExceeded
            | Category::UpiDeclined => (
                "issuer_decline",
                OTHER_CARD,
                &[CardOtherBank, Netbanking, UpiCollect],
                None,
            ),
            Category::UpiPending => ("upi_pending", POLL, &[Netbanking, Card], None),
            Category::Duplicate | Category::Configuration | Category::Unknown => (
                "unknown",
                OTHER_MEANS,
                &[UpiCollect, Netbanking, Card],
                None,
            ),
        };
        Self {
            category: name,
            recommendation,
            alt,
            cooldown_seconds,
            hardness,
        }
    }
}

const SAME_AGAIN: &str = "Pay again with the same means and authenticate afresh.";
const OTHER_MEANS: &str = "Use another way to pay.";
const OTHER_CARD: &str = "Use a card of another bank, or netbanking.";
const POLL: &str = "Wait for the outcome, or cancel and use another way to pay.";

/// The finer tables know more codes than the older one did; what the older one
/// knew it answers itself.
fn by_code(code: &str) -> Option<(Category, Hardness)> {
    if let Some(row) = find(ROWS, code) {
        return Some((row.verdict.category, row.verdict.hardness));
    }
    let finer = classify(&Signals {
        code: Some(code),
        ..Signals::new(FailureSource::Api)
    });
    finer.known.then_some((finer.category, finer.hardness))
}

#[cfg(test)]
mod tests {
    use super::*;
    use AlternativeMeans::{Card, CardOtherBank, Netbanking, UpiCollect};

    type Answer = (
        &'static str,
        Hardness,
        &'static [AlternativeMeans],
        Option<u32>,
    );

    const ISSUER: Answer = (
        "issuer_decline",
        Hardness::Hard,
        &[CardOtherBank, Netbanking, UpiCollect],
        None,
    );
    const FUNDS: Answer = (
        "funds",
        Hardness::Soft,
        &[Netbanking, CardOtherBank, UpiCollect],
        None,
    );
    const AUTH: Answer = (
        "auth_timeout",
        Hardness::Soft,
        &[UpiCollect, Netbanking],
        Some(30),
    );
    const NETWORK: Answer = (
        "network",
        Hardness::Soft,
        &[UpiCollect, Netbanking],
        Some(30),
    );
    const PENDING: Answer = ("upi_pending", Hardness::Soft, &[Netbanking, Card], None);
    const UNKNOWN: Answer = (
        "unknown",
        Hardness::Soft,
        &[UpiCollect, Netbanking, Card],
        None,
    );

    fn answer(code: Option<&str>, text: Option<&str>) -> Answer {
        let view = ContractView::of(code, text);
        assert!(!view.recommendation.is_empty());
        (
            view.category,
            view.hardness,
            view.alt,
            view.cooldown_seconds,
        )
    }

    #[test]
    fn every_code_of_the_contract_is_answered_as_it_was() {
        for (code, expected) in [
            ("issuer_declined", ISSUER),
            ("do_not_honor", ISSUER),
            ("transaction_not_permitted", ISSUER),
            ("RZP_UPI_INVALID_VPA", ISSUER),
            ("RZP_CARD_BLOCKED", ISSUER),
            ("insufficient_funds", FUNDS),
            ("RZP001_INSUFFICIENT_FUNDS", FUNDS),
            ("otp_timeout", AUTH),
            ("3ds_timeout", AUTH),
            ("network_error", NETWORK),
            ("RZP_NETWORK_ISSUE", NETWORK),
            ("upi_pending", PENDING),
            ("no_such_code", UNKNOWN),
            ("", UNKNOWN),
        ] {
            assert_eq!(answer(Some(code), None), expected, "{code}");
            assert_eq!(answer(Some(&code.to_uppercase()), None), expected, "{code}");
            assert_eq!(answer(Some(&code.to_lowercase()), None), expected, "{code}");
        }
    }

    #[test]
    fn without_a_known_code_the_message_decides_in_the_contracts_order() {
        for (text, expected) in [
            ("Wrong OTP entered", AUTH),
            ("3DS challenge abandoned", AUTH),
            ("Authentication timeout", AUTH),
            ("Network unreachable", NETWORK),
            ("Gateway TIMEOUT", NETWORK),
            ("insufficient balance", FUNDS),
            ("UPI payment is pending", PENDING),
            ("upi declined", UNKNOWN),
            ("something else", UNKNOWN),
        ] {
            assert_eq!(answer(None, Some(text)), expected, "{text}");
            assert_eq!(answer(Some("no_such_code"), Some(text)), expected, "{text}");
        }
        assert_eq!(
            answer(Some("do_not_honor"), Some("insufficient balance")),
            ISSUER
        );
        assert_eq!(answer(None, None), UNKNOWN);
    }

    #[test]
    fn codes_of_the_finer_tables_fall_under_an_older_category() {
        assert_eq!(answer(Some("lost_card"), None), ISSUER);
        assert_eq!(answer(Some("gateway_technical_error"), None), NETWORK);
        assert_eq!(answer(Some("collect_request_pending"), None), PENDING);
    }
}
