//! From signals to a classification: the strictest wins.

use chrono::TimeDelta;

use super::table::{Row, Verdict, find};
use super::{
    Category, Classification, Contact, FailureSource, Hardness, Signals, contract,
    mastercard_advice, message, network, razorpay, stripe, words,
};
use crate::limits::CardNetwork;

/// One thing that a signal said.
struct Finding {
    by: &'static str,
    verdict: Verdict,
    meaning: &'static str,
}

/// A table with the name of the signal that it reads.
type Table = (&'static str, &'static [Row]);

const STRIPE: Table = ("stripe_code", stripe::ROWS);
const STRIPE_ADVICE: Table = ("stripe_advice", stripe::ADVICE);
const RAZORPAY: Table = ("razorpay_reason", razorpay::ROWS);
const NETWORK: Table = ("network_code", network::ROWS);
const MASTERCARD: Table = ("mastercard_advice", mastercard_advice::ROWS);
const CONTRACT: Table = ("contract_code", contract::ROWS);

/// Classifies a failure. Never fails: what no table knows is
/// [`Category::Unknown`], soft, and `known` is false so that it is counted and
/// somebody adds it.
///
/// Codes are found in either case. Of several signals the strictest decides
/// what may be done; among soft ones, the first that says why gives the
/// category, and the longest cooldown holds.
pub fn classify(signals: &Signals<'_>) -> Classification {
    let mut findings = Vec::new();
    let mut unrecognized = false;
    for (tables, code) in codes(signals) {
        let Some(code) = code.filter(|code| !code.trim().is_empty()) else {
            continue;
        };
        match look_up(tables, code) {
            Some(finding) => findings.push(finding),
            None => unrecognized = true,
        }
    }
    if findings.is_empty() {
        findings.extend(by_words(signals));
    }
    let known = !unrecognized && !findings.is_empty();
    conclude(&findings, known)
}

/// Which tables each signal is looked up in, the first table that has it wins.
fn codes<'a>(signals: &Signals<'a>) -> [(&'static [Table], Option<&'a str>); 4] {
    // A network that is not known gets Mastercard's reading too: for the codes
    // that other networks share it never forbids less than theirs.
    let advice = match signals.network {
        None | Some(CardNetwork::Mastercard) => signals.network_advice_code,
        Some(_) => None,
    };
    [
        (tables(signals), signals.code),
        (&[STRIPE_ADVICE], signals.advice_code),
        (&[NETWORK], signals.network_decline_code),
        (&[MASTERCARD], advice),
    ]
}

fn tables(signals: &Signals<'_>) -> &'static [Table] {
    let gateway = signals.gateway.unwrap_or_default().to_ascii_lowercase();
    match signals.source {
        FailureSource::Stripe => &[STRIPE],
        FailureSource::Razorpay => &[RAZORPAY],
        FailureSource::Api if gateway.contains("stripe") => &[STRIPE, CONTRACT],
        FailureSource::Api if gateway.contains("razorpay") => &[RAZORPAY, CONTRACT],
        FailureSource::Api => &[CONTRACT, STRIPE, RAZORPAY, NETWORK],
    }
}

fn look_up(tables: &'static [Table], code: &str) -> Option<Finding> {
    tables.iter().find_map(|(by, rows)| {
        find(rows, code).map(|row| Finding {
            by,
            verdict: row.verdict,
            meaning: row.meaning,
        })
    })
}

/// A merchant's code may be a sentence, so it is read as words too.
fn by_words(signals: &Signals<'_>) -> Option<Finding> {
    let sentence = signals
        .code
        .filter(|_| signals.source == FailureSource::Api);
    let (verdict, meaning) = [signals.message, sentence]
        .into_iter()
        .flatten()
        .find_map(message::read)?;
    Some(Finding {
        by: "message",
        verdict,
        meaning,
    })
}

fn conclude(findings: &[Finding], known: bool) -> Classification {
    let nothing = Finding {
        by: "nothing",
        verdict: Verdict::soft(Category::Unknown),
        meaning: "no table knows what happened",
    };
    let strictest = findings.iter().fold(&nothing, |strictest, finding| {
        let stricter = finding.verdict.strictness() > strictest.verdict.strictness();
        if stricter || strictest.by == nothing.by {
            finding
        } else {
            strictest
        }
    });
    let decider = if strictest.verdict.charge_allowed {
        most_telling(findings).unwrap_or(strictest)
    } else {
        strictest
    };
    let cooldown = findings
        .iter()
        .map(|finding| finding.verdict.cooldown_seconds)
        .max()
        .filter(|seconds| *seconds > 0);
    let verdict = Verdict {
        category: decider.verdict.category,
        cooldown_seconds: cooldown.unwrap_or(0),
        ..strictest.verdict
    };
    Classification {
        decided_by: decider.by,
        known,
        meaning: decider.meaning,
        ..Classification::from(verdict)
    }
}

/// The first finding that says why, else the first that says at least who.
fn most_telling(findings: &[Finding]) -> Option<&Finding> {
    let says_why = |finding: &&Finding| {
        !matches!(
            finding.verdict.category,
            Category::Unknown | Category::IssuerDecline
        )
    };
    findings.iter().find(says_why).or_else(|| {
        findings
            .iter()
            .find(|finding| finding.verdict.category != Category::Unknown)
    })
}

impl From<Verdict> for Classification {
    fn from(verdict: Verdict) -> Self {
        let cooldown = (verdict.cooldown_seconds > 0)
            .then(|| TimeDelta::seconds(i64::from(verdict.cooldown_seconds)));
        Self {
            category: verdict.category,
            hardness: verdict.hardness,
            charge_allowed: verdict.charge_allowed,
            contact: verdict.contact,
            cooldown,
            decided_by: "nothing",
            known: true,
            meaning: "",
            payer_advice: words::payer_advice(verdict.category, verdict.contact),
            alternatives: words::alternatives(verdict.category),
        }
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
        Self {
            decided_by: "stored",
            ..Self::from(verdict)
        }
    }
}
