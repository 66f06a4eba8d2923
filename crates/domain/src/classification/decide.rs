//! From signals to a classification: the strictest wins.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::message::{self, mentions};
use super::table::{Row, Verdict, find};
use super::{
    Category, Classification, Contact, Course, FailureSource, Hardness, HeardSignals, Signal,
    Signals, contract, mastercard_advice, network, razorpay, stripe, upi, visa, words,
};
use crate::limits::{CardNetwork, Rail};

/// A table with the name that it has as the one that decided.
type Table = (&'static str, &'static [Row]);

const STRIPE: Table = ("stripe_code", stripe::ROWS);
const STRIPE_ADVICE: Table = ("stripe_advice", stripe::ADVICE);
const RAZORPAY: Table = ("razorpay_reason", razorpay::ROWS);
const NETWORK: Table = ("network_code", network::ROWS);
const UPI: Table = ("upi_code", upi::ROWS);
const MASTERCARD: Table = ("mastercard_advice", mastercard_advice::ROWS);
const CONTRACT: Table = ("contract_code", contract::ROWS);
const VISA: &str = "visa_category";

/// Classifies a failure. Never fails: what no table knows is
/// [`Category::Unknown`], soft, and `known` is false so that it is counted and
/// somebody adds it.
///
/// Codes are found in either case. Of several signals the strictest decides
/// what may be done; among soft ones, the first that says why gives the
/// category, and the longest cooldown holds.
///
/// Takes no memory from the heap, and under 200 ns for known codes
/// (`benches/classification.rs`): every failure that comes in passes here, and
/// every plan is made from it anew.
pub fn classify(signals: &Signals<'_>) -> Classification {
    let mut heard = HeardSignals::default();
    let mut recognized = false;
    for (signal, tables) in looked_up(signals) {
        if let Some(code) = signals.said(signal) {
            match look_up(tables, code) {
                Some((by, row)) => {
                    heard.add(signal, by, Some(row));
                    recognized = true;
                }
                None => heard.add(signal, "unknown", None),
            }
        }
    }
    if let Some(row) = visas_category(signals) {
        heard.add(Signal::NetworkDeclineCode, VISA, Some(row));
        recognized = true;
    }
    if !recognized && let Some(row) = by_words(signals) {
        heard.add(Signal::Message, "message", Some(row));
    }
    conclude(heard)
}

/// Which tables each code is looked up in; the first table that has it speaks.
fn looked_up(signals: &Signals<'_>) -> [(Signal, &'static [Table]); 4] {
    // A network that is not known gets Mastercard's reading too: for the codes
    // that other networks share it never forbids less than theirs.
    let advice: &[Table] = match signals.network {
        None | Some(CardNetwork::Mastercard) => &[MASTERCARD],
        Some(_) => &[],
    };
    [
        (Signal::Code, of_code(signals)),
        (Signal::AdviceCode, &[STRIPE_ADVICE]),
        (Signal::NetworkDeclineCode, of_network(signals)),
        (Signal::NetworkAdviceCode, advice),
    ]
}

/// The tables of the PSP that said it; UPI's own codes come through Razorpay.
fn of_code(signals: &Signals<'_>) -> &'static [Table] {
    let gateway = |name| signals.gateway.is_some_and(|it| mentions(it, name));
    match signals.source {
        FailureSource::Stripe => &[STRIPE],
        FailureSource::Razorpay => &[RAZORPAY, UPI],
        FailureSource::Api if gateway("stripe") => &[STRIPE, CONTRACT],
        FailureSource::Api if gateway("razorpay") => &[RAZORPAY, CONTRACT, UPI],
        FailureSource::Api if is_upi(signals) => &[CONTRACT, UPI, RAZORPAY],
        FailureSource::Api => &[CONTRACT, STRIPE, RAZORPAY, NETWORK, UPI],
    }
}

/// Card networks and UPI share two-letter codes with different meanings, so the
/// rail tells which; a card's network names the rail too.
fn of_network(signals: &Signals<'_>) -> &'static [Table] {
    if is_upi(signals) {
        &[UPI]
    } else if signals.network.is_some() || signals.rail == Some(Rail::Card) {
        &[NETWORK]
    } else {
        &[NETWORK, UPI]
    }
}

fn is_upi(signals: &Signals<'_>) -> bool {
    matches!(signals.rail, Some(Rail::UpiCollect | Rail::UpiAutopay))
}

fn look_up(tables: &'static [Table], code: &str) -> Option<(&'static str, &'static Row)> {
    let in_table = |(by, rows): &Table| find(rows, code).map(|row| (*by, row));
    tables.iter().find_map(in_table)
}

/// Visa's reading of the network's code, as its lists were on the day of the
/// failure. A network that is not known is held to it too.
fn visas_category(signals: &Signals<'_>) -> Option<&'static Row> {
    let may_be_visa = matches!(signals.network, None | Some(CardNetwork::Visa));
    if !may_be_visa || is_upi(signals) {
        return None;
    }
    let code = signals.said(Signal::NetworkDeclineCode)?;
    visa::category_of(code, signals.failed_on.unwrap_or(NaiveDate::MAX))
}

/// A merchant's code may be a sentence, so it is read as words too.
fn by_words(signals: &Signals<'_>) -> Option<&'static Row> {
    let sentence = signals
        .code
        .filter(|_| signals.source == FailureSource::Api);
    [signals.message, sentence]
        .into_iter()
        .flatten()
        .find_map(message::read)
}

fn conclude(mut heard: HeardSignals) -> Classification {
    let sum = heard.sum();
    let Some((at, strictest)) = sum.strictest else {
        let mut nothing = told(Verdict::soft(Category::Unknown), "nothing");
        nothing.meaning = "no table knows what happened";
        nothing.known = false;
        nothing.heard = heard;
        return nothing;
    };
    let at = match sum.most_telling() {
        Some(telling) if strictest.charge_allowed => telling,
        _ => at,
    };
    let winner = heard.crown(at);
    let row = winner.and_then(|winner| winner.row);
    let verdict = Verdict {
        category: row.map_or(strictest.category, |row| row.verdict.category),
        cooldown_seconds: sum.cooldown_seconds,
        ..strictest
    };
    let mut decided = told(verdict, winner.map_or("nothing", |winner| winner.by));
    decided.meaning = row.map_or("", |row| row.meaning);
    decided.known = !sum.unrecognized;
    decided.disagreed = sum.disagreed;
    decided.row = row;
    decided.heard = heard;
    decided
}

/// What a verdict means to whoever asks, before anything was heard.
fn told(verdict: Verdict, decided_by: &'static str) -> Classification {
    let cooldown = (verdict.cooldown_seconds > 0)
        .then(|| TimeDelta::seconds(i64::from(verdict.cooldown_seconds)));
    Classification {
        category: verdict.category,
        hardness: verdict.hardness,
        charge_allowed: verdict.charge_allowed,
        contact: verdict.contact,
        cooldown,
        decided_by,
        known: true,
        disagreed: false,
        heard: HeardSignals::default(),
        row: None,
        meaning: "",
        payer_advice: words::payer_advice(verdict.category, verdict.contact),
        alternatives: words::alternatives(verdict.category),
    }
}

impl Classification {
    /// A classification of which only category and hardness were kept: as
    /// strict as the strictest code that gives them, so nobody is charged or
    /// written to who must not be, and somebody may be left out who could.
    /// Classify the stored codes again where they are at hand, which loses nothing.
    pub fn from_stored(category: Category, hardness: Hardness) -> Self {
        let contact = match (category, hardness) {
            (Category::Duplicate | Category::Configuration | Category::DoNotRetry, _) => {
                Contact::None
            }
            (Category::IssuerDecline, Hardness::Hard) => Contact::Neutral,
            _ => Contact::Normal,
        };
        let needs_payer = matches!(
            category,
            Category::AuthenticationRequired
                | Category::DoNotRetry
                | Category::Duplicate
                | Category::Configuration
                | Category::UpiPending
                | Category::UpiDeclined
        );
        let verdict = Verdict {
            hardness,
            charge_allowed: hardness == Hardness::Soft && !needs_payer,
            contact,
            ..Verdict::soft(category)
        };
        told(verdict, "stored")
    }

    /// What to do about it.
    pub const fn course(&self) -> Course {
        let verdict = Verdict {
            category: self.category,
            hardness: self.hardness,
            charge_allowed: self.charge_allowed,
            contact: self.contact,
            cooldown_seconds: 0,
        };
        verdict.course()
    }

    /// From when the same means may be charged again without the payer; nothing
    /// when they may not be.
    pub fn earliest_retry(&self, failed_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let cooldown = self.cooldown.unwrap_or_default();
        self.charge_allowed
            .then(|| failed_at.checked_add_signed(cooldown))
            .flatten()
    }
}
