//! What the rules on charges are asked about.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::CardNetwork;
use crate::money::Money;
use crate::payer::Country;
use crate::state::named;

named! {
    /// The way that money takes from the payer to the merchant.
    Rail, "payment rail" {
        /// A card, also behind a wallet that passes the card on.
        Card = "card",
        /// UPI, asked for once and confirmed by the payer.
        UpiCollect = "upi_collect",
        /// UPI under a mandate that the payer gave once.
        UpiAutopay = "upi_autopay",
        /// India's debit of a bank account under an electronic mandate (NACH).
        Emandate = "emandate",
        /// The payer's own transfer in a bank's web pages.
        Netbanking = "netbanking",
        /// A wallet with a balance of its own.
        Wallet = "wallet",
        /// A bank's direct debit: ACH, SEPA, Bacs, BECS, PAD.
        BankDebit = "bank_debit",
        /// Not told; held to the rules of every rail it may be.
        Unknown = "unknown",
    }
}

impl Rail {
    /// Reads a PSP's name for a kind of payment method: Stripe's
    /// `payment_method.type` and Razorpay's `method`. A bare `upi` is
    /// [`Self::UpiCollect`]; charged without the payer it is judged as `AutoPay`.
    pub fn from_psp(kind: &str) -> Self {
        match kind.trim().to_ascii_lowercase().as_str() {
            "card" | "card_present" | "emi" | "link" => Self::Card,
            "upi" | "upi_collect" | "upi_intent" => Self::UpiCollect,
            "upi_autopay" | "upi_mandate" | "upi_recurring" => Self::UpiAutopay,
            "emandate" | "nach" | "enach" => Self::Emandate,
            "netbanking" | "fpx" | "ideal" | "eps" | "p24" | "bancontact" | "blik" | "twint"
            | "bank_transfer" | "customer_balance" => Self::Netbanking,
            "wallet" | "paypal" | "alipay" | "wechat_pay" | "grabpay" | "cashapp"
            | "amazon_pay" | "revolut_pay" | "mobilepay" | "paynow" | "promptpay" | "paylater"
            | "cardless_emi" | "klarna" | "affirm" | "afterpay_clearpay" => Self::Wallet,
            "us_bank_account" | "ach_debit" | "sepa_debit" | "bacs_debit" | "au_becs_debit"
            | "acss_debit" | "nz_bank_account" => Self::BankDebit,
            _ => Self::Unknown,
        }
    }
}

named! {
    /// Who tried a card.
    TriedBy, "party that tries" {
        /// Tinko.
        Us = "us",
        /// The PSP, by its own retries.
        Psp = "psp",
        /// The payer, or the merchant's own system at the first charge.
        Payer = "payer",
    }
}

named! {
    /// What became of a try.
    TryOutcome, "outcome of a try" {
        /// Reserved or under way: it counts as if it were declined.
        Open = "open",
        /// The issuer or the network said no.
        Declined = "declined",
        /// It went through.
        Approved = "approved",
    }
}

/// One try on a card, whoever made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardTry {
    /// When.
    pub at: DateTime<Utc>,
    /// Who made it. Networks count every try, whoever made it.
    pub by: TriedBy,
    /// What became of it.
    pub outcome: TryOutcome,
    /// What was asked for. Visa counts tries of one amount.
    pub amount: Money,
}

/// One more charge, as the rules see it.
#[derive(Debug, Clone, Copy)]
pub struct ChargeCase<'a> {
    /// The rail that it takes.
    pub rail: Rail,
    /// The card's network; one that is not known is held to the strictest of all.
    pub network: Option<CardNetwork>,
    /// The country of the card's issuer, else the payer's. Where none is known,
    /// the currency tells it: INR is India's, USD the United States'.
    pub country: Option<Country>,
    /// What is charged.
    pub amount: Money,
    /// Whether it is charged without the payer.
    pub recurring: bool,
    /// When the charge was decided on: a notice ahead of it cannot be earlier.
    pub decided_at: DateTime<Utc>,
    /// Every try on the card, the first failed one among them, in any order
    /// (in order of time is quickest); those older than [`super::LOOK_BACK`] may be left out.
    pub tries: &'a [CardTry],
    /// The network's own code of the latest decline, if the PSP told it.
    pub last_decline_code: Option<&'a str>,
    /// The network's own advice with it (Mastercard's merchant advice code).
    pub last_advice_code: Option<&'a str>,
    /// When the latest failure happened.
    pub failed_at: DateTime<Utc>,
    /// Charges of this recovery so far, for rails that count by mandate debit.
    pub recovery_charges: u32,
    /// The payer's time zone.
    pub time_zone: Tz,
}

impl ChargeCase<'_> {
    /// The rail, as the rules see it: a debit over UPI without the payer is `AutoPay`.
    pub(super) const fn rail(&self) -> Rail {
        match self.rail {
            Rail::UpiCollect if self.recurring => Rail::UpiAutopay,
            rail => rail,
        }
    }
}
