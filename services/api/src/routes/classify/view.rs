//! A classification as it is answered: the older contract's fields, and ours beside them.

use chrono::{DateTime, Utc};
use domain::classification::{
    AlternativeMeans, Category, Classification, Contact, ContractView, Course, Hardness, Heard,
    Signal, Signals, Source, classify,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::Checked;

use crate::openapi::words;

/// `category`, `recommendation`, `alt`, `cooldown_seconds` and `hardness` are
/// the older contract's, the rest is finer.
#[derive(Serialize, ToSchema)]
#[schema(as = Classification)]
pub(super) struct ClassificationView {
    #[serde(flatten)]
    #[schema(value_type = words::ContractClassification)]
    contract: ContractView,
    #[schema(value_type = words::Category)]
    reason: Category,
    #[schema(value_type = words::Course)]
    action: Course,
    charge_allowed: bool,
    #[schema(value_type = words::Contact)]
    contact: Contact,
    /// Seconds from the failure to the earliest next charge.
    wait_seconds: i64,
    /// That time; none when the same means may not be charged again.
    #[schema(required)]
    earliest_retry: Option<DateTime<Utc>>,
    /// The table whose row won.
    decided_by: &'static str,
    known: bool,
    disagreement: bool,
    signals: Vec<HeardView>,
    meaning: &'static str,
    #[schema(value_type = Option<words::Source>, required)]
    source: Option<&'static Source>,
    payer_advice: &'static str,
    #[schema(value_type = Vec<words::AlternativeMeans>)]
    alternatives: &'static [AlternativeMeans],
}

/// One signal that was heard. What no table knows has no verdict.
#[derive(Serialize, ToSchema)]
#[schema(as = SignalHeard)]
struct HeardView {
    #[schema(value_type = words::Signal)]
    signal: Signal,
    table: &'static str,
    code: String,
    won: bool,
    #[schema(required)]
    verdict: Option<VerdictView>,
}

/// What a table says of a code.
#[derive(Serialize, ToSchema)]
#[schema(as = SignalVerdict)]
struct VerdictView {
    #[schema(value_type = words::Category)]
    reason: Category,
    #[schema(value_type = words::Hardness)]
    hardness: Hardness,
    #[schema(value_type = words::Course)]
    action: Course,
    charge_allowed: bool,
    #[schema(value_type = words::Contact)]
    contact: Contact,
    wait_seconds: u32,
    meaning: &'static str,
    #[schema(value_type = words::Source)]
    source: &'static Source,
}

impl ClassificationView {
    /// The answer to a question. One in the older contract's fields alone gets
    /// the older fields exactly as it always did.
    pub(super) fn of(asked: &Checked) -> Self {
        let signals = asked.signals();
        let said = classify(&signals);
        let contract = if asked.in_older_fields {
            ContractView::of(signals.code, signals.message)
        } else {
            ContractView::of_classification(&said)
        };
        Self {
            contract,
            reason: said.category,
            action: said.course(),
            charge_allowed: said.charge_allowed,
            contact: said.contact,
            wait_seconds: said.cooldown.unwrap_or_default().num_seconds(),
            earliest_retry: said.earliest_retry(asked.occurred_at),
            decided_by: said.decided_by,
            known: said.known,
            disagreement: said.disagreed,
            signals: heard(&said, &signals),
            meaning: said.meaning,
            source: said.row.map(|row| row.source),
            payer_advice: said.payer_advice,
            alternatives: said.alternatives,
        }
    }
}

fn heard(said: &Classification, signals: &Signals<'_>) -> Vec<HeardView> {
    let view = |heard: &Heard| HeardView {
        signal: heard.signal,
        table: heard.by,
        // The table's own spelling, else the code as it came.
        code: heard
            .row
            .map(|row| row.code)
            .or_else(|| signals.said(heard.signal))
            .unwrap_or_default()
            .to_owned(),
        won: heard.won,
        verdict: heard.row.map(|row| VerdictView {
            reason: row.verdict.category,
            hardness: row.verdict.hardness,
            action: row.verdict.course(),
            charge_allowed: row.verdict.charge_allowed,
            contact: row.verdict.contact,
            wait_seconds: row.verdict.cooldown_seconds,
            meaning: row.meaning,
            source: row.source,
        }),
    };
    said.heard.iter().map(view).collect()
}
