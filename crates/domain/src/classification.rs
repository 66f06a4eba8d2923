//! Why a payment failed, and what follows.
//!
//! The codes are data: one table a source in the files beside this one, each
//! row with its meaning and where that is from. To teach Tinko a code, add its
//! row; nothing else changes.

mod contract;
mod decide;
mod heard;
mod mastercard_advice;
mod message;
mod network;
mod razorpay;
mod stripe;
mod table;
#[cfg(test)]
mod tests;
mod upi;
mod visa;
mod words;

pub use contract::ContractView;
pub use decide::classify;
pub use heard::{Heard, HeardSignals};
pub use table::{Row, Source, Verdict};

use chrono::{NaiveDate, TimeDelta};

use crate::limits::{CardNetwork, Rail};
use crate::state::named;

named! {
    /// Why a payment failed.
    Category, "failure category" {
        /// The account is short of money.
        InsufficientFunds = "insufficient_funds",
        /// The issuer said no without a reason that helps.
        IssuerDecline = "issuer_decline",
        /// Lost, stolen, fraud, closed, revoked: these means are finished.
        DoNotRetry = "do_not_retry",
        /// The card has expired.
        ExpiredCard = "expired_card",
        /// A number, date or code was wrong.
        InvalidDetails = "invalid_details",
        /// The payer has to prove who they are (3-D Secure, OTP).
        AuthenticationRequired = "authentication_required",
        /// A limit of amount or count was reached.
        LimitExceeded = "limit_exceeded",
        /// The issuer or a switch was not available.
        ProcessingError = "processing_error",
        /// The way to the gateway failed.
        Network = "network",
        /// A UPI payment whose outcome is not known yet.
        UpiPending = "upi_pending",
        /// A UPI payment that was declined.
        UpiDeclined = "upi_declined",
        /// The same payment was made before.
        Duplicate = "duplicate",
        /// Something on the merchant's side is set wrongly.
        Configuration = "configuration",
        /// No table knows.
        Unknown = "unknown",
    }
}

named! {
    /// Whether the same means may succeed later without the payer.
    Hardness, "hardness" {
        /// They may.
        Soft = "soft",
        /// They won't: the payer has to act, or to use other means.
        Hard = "hard",
    }
}

named! {
    /// Whether the payer may be written to about it, and how.
    Contact, "contact rule" {
        /// Plainly.
        Normal = "normal",
        /// Without saying why: a lost, stolen or suspected card is not named
        /// to whoever reads the message.
        Neutral = "neutral",
        /// Not at all: consent was withdrawn, or the payer has nothing to do with it.
        None = "none",
    }
}

named! {
    /// What to do about a failure.
    Course, "course of action" {
        /// Charge the same means again, not before the earliest time.
        ChargeAgain = "charge_again",
        /// Let the payer pay with the same means: without them it will not do.
        PayerRetries = "payer_retries",
        /// Ask the payer to correct something or to use other means, and say why.
        Ask = "ask",
        /// Ask the payer to use other means, and do not say why.
        AskNeutrally = "ask_neutrally",
        /// Neither charge nor write: the merchant has to look at it.
        Stop = "stop",
    }
}

named! {
    /// A thing that was said about a failure.
    Signal, "signal" {
        /// The PSP's or the merchant's code.
        Code = "code",
        /// The PSP's advice.
        AdviceCode = "advice_code",
        /// The network's decline code.
        NetworkDeclineCode = "network_decline_code",
        /// The network's advice.
        NetworkAdviceCode = "network_advice_code",
        /// The words.
        Message = "message",
    }
}

named! {
    /// Who reported a failure.
    FailureSource, "failure source" {
        /// Stripe's webhook or API.
        Stripe = "stripe",
        /// Razorpay's webhook or API.
        Razorpay = "razorpay",
        /// A merchant, through our API.
        Api = "api",
    }
}

named! {
    /// Another way to pay.
    AlternativeMeans, "means of payment" {
        /// A card.
        Card = "card",
        /// A card of another bank.
        CardOtherBank = "card_other_bank",
        /// A bank's own online payment.
        Netbanking = "netbanking",
        /// A UPI request that the payer approves.
        UpiCollect = "upi_collect",
    }
}

/// What was said about a failure.
#[derive(Debug, Clone, Copy)]
pub struct Signals<'a> {
    /// Who said it: codes are not one namespace.
    pub source: FailureSource,
    /// The gateway's name, when a merchant reported it.
    pub gateway: Option<&'a str>,
    /// Stripe's `decline_code` (else its `code`), Razorpay's `reason`, or a merchant's code.
    pub code: Option<&'a str>,
    /// Stripe's `advice_code`.
    pub advice_code: Option<&'a str>,
    /// The card's network.
    pub network: Option<CardNetwork>,
    /// The network's own decline code, as `05` or `R1`.
    pub network_decline_code: Option<&'a str>,
    /// The network's own advice code, as Mastercard's `03`.
    pub network_advice_code: Option<&'a str>,
    /// Words. They decide only where no code does.
    pub message: Option<&'a str>,
    /// The way that the money took, which tells UPI's codes from card networks'.
    pub rail: Option<Rail>,
    /// The day (UTC) of the failure: networks' lists of codes change. Without
    /// it the newest lists count, those that are announced included.
    pub failed_on: Option<NaiveDate>,
}

impl<'a> Signals<'a> {
    /// Signals of `source` that say nothing yet.
    pub const fn new(source: FailureSource) -> Self {
        Self {
            source,
            gateway: None,
            code: None,
            advice_code: None,
            network: None,
            network_decline_code: None,
            network_advice_code: None,
            message: None,
            rail: None,
            failed_on: None,
        }
    }

    /// What was said under a name; an empty text says nothing.
    pub fn said(&self, signal: Signal) -> Option<&'a str> {
        let text = match signal {
            Signal::Code => self.code,
            Signal::AdviceCode => self.advice_code,
            Signal::NetworkDeclineCode => self.network_decline_code,
            Signal::NetworkAdviceCode => self.network_advice_code,
            Signal::Message => self.message,
        };
        text.map(str::trim).filter(|text| !text.is_empty())
    }
}

/// What follows from a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classification {
    /// Why it failed.
    pub category: Category,
    /// Whether the same means may succeed later.
    pub hardness: Hardness,
    /// Whether the same means may be charged again at all without the payer.
    pub charge_allowed: bool,
    /// Whether and how the payer may be written to.
    pub contact: Contact,
    /// The least time between the failure and the next charge.
    pub cooldown: Option<TimeDelta>,
    /// The table that won: it gave category and meaning.
    pub decided_by: &'static str,
    /// False when a code was given that no table has, or nothing decided: to be counted and added.
    pub known: bool,
    /// Whether two signals differ in what may be done; the strictest has its way.
    pub disagreed: bool,
    /// Every signal that was heard, with its row.
    pub heard: HeardSignals,
    /// The row that won.
    pub row: Option<&'static Row>,
    /// What the deciding code means.
    pub meaning: &'static str,
    /// What the payer can do, in plain words.
    pub payer_advice: &'static str,
    /// Other means that fit, the best first.
    pub alternatives: &'static [AlternativeMeans],
}

/// Every table of codes with the name of its source, for documentation and tests.
pub const TABLES: &[(&str, &[Row])] = &[
    ("stripe", stripe::ROWS),
    ("stripe_advice", stripe::ADVICE),
    ("razorpay", razorpay::ROWS),
    ("network", network::ROWS),
    ("upi", upi::ROWS),
    ("visa_category", visa::ROWS),
    ("mastercard_advice", mastercard_advice::ROWS),
    ("contract", contract::ROWS),
];
