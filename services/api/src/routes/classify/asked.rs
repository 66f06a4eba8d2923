//! The body of `POST /v1/classify`, checked field by field.

use chrono::{DateTime, Utc};
use domain::CardNetwork;
use domain::classification::{FailureSource, Signals};
use domain::limits::Rail;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::conduct::body::time;
use crate::openapi::words;
use crate::problem::{FieldFault, Problem};

/// Longest code or name, in characters.
const LONGEST: usize = 64;

/// As it came: the older contract's `code` and `message`, and what else a PSP
/// tells of a failure. Any of them may be missing.
#[derive(Deserialize, ToSchema)]
#[schema(as = FailureToClassify)]
pub(super) struct Asked {
    #[schema(example = "insufficient_funds")]
    code: Option<String>,
    #[schema(example = "Your card has insufficient funds.")]
    message: Option<String>,
    #[schema(value_type = Option<words::FailureSource>)]
    source: Option<String>,
    #[schema(min_length = 1, max_length = 64, example = "stripe")]
    gateway: Option<String>,
    #[schema(min_length = 1, max_length = 64, example = "try_again_later")]
    advice_code: Option<String>,
    /// By our name or the PSP's.
    #[schema(min_length = 1, max_length = 64, example = "visa")]
    network: Option<String>,
    #[schema(min_length = 1, max_length = 64, example = "51")]
    network_decline_code: Option<String>,
    #[schema(min_length = 1, max_length = 64, example = "02")]
    network_advice_code: Option<String>,
    #[schema(value_type = Option<words::Rail>)]
    rail: Option<String>,
    /// Now when left out.
    #[schema(value_type = Option<DateTime<Utc>>)]
    occurred_at: Option<String>,
}

/// A question that can be answered.
pub(super) struct Checked {
    asked: Asked,
    source: FailureSource,
    network: Option<CardNetwork>,
    rail: Option<Rail>,
    /// When the payment failed; now, unless it was said.
    pub(super) occurred_at: DateTime<Utc>,
    /// Whether code and message are all that was said, as the older contract has it.
    pub(super) in_older_fields: bool,
}

impl Asked {
    pub(super) fn check(self, now: DateTime<Utc>) -> Result<Checked, Problem> {
        let mut faults = Vec::new();
        let mut note = |field: &str, fault: String| faults.push(FieldFault::new(field, fault));
        for (field, text) in self.short() {
            let length = text
                .as_deref()
                .map_or(1, |text| text.trim().chars().count());
            if !(1..=LONGEST).contains(&length) {
                note(field, format!("must have 1 to {LONGEST} characters"));
            }
        }
        let source = one_of(
            "source",
            self.source.as_deref(),
            FailureSource::ALL,
            &mut note,
        );
        let rail = one_of("rail", self.rail.as_deref(), Rail::ALL, &mut note);
        let network = self.network.as_deref().and_then(|name| {
            let network = read_network(name);
            if network.is_none() {
                note("network", wanted(CardNetwork::ALL));
            }
            network
        });
        let occurred_at = self.occurred_at.as_deref().map(time).transpose();
        let occurred_at = occurred_at.unwrap_or_else(|fault| {
            note("occurred_at", fault);
            None
        });
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        let in_older_fields = self.short().iter().all(|(_, text)| text.is_none())
            && source.is_none()
            && rail.is_none();
        Ok(Checked {
            source: source.unwrap_or(FailureSource::Api),
            network,
            rail: rail.filter(|rail| *rail != Rail::Unknown),
            occurred_at: occurred_at.unwrap_or(now),
            in_older_fields,
            asked: self,
        })
    }

    /// Fields that the older contract does not have and that hold a short text.
    fn short(&self) -> [(&'static str, &Option<String>); 5] {
        [
            ("gateway", &self.gateway),
            ("advice_code", &self.advice_code),
            ("network", &self.network),
            ("network_decline_code", &self.network_decline_code),
            ("network_advice_code", &self.network_advice_code),
        ]
    }
}

impl Checked {
    /// What was said, as classification takes it.
    pub(super) fn signals(&self) -> Signals<'_> {
        let asked = &self.asked;
        Signals {
            gateway: asked.gateway.as_deref(),
            code: asked.code.as_deref(),
            advice_code: asked.advice_code.as_deref(),
            network: self.network,
            network_decline_code: asked.network_decline_code.as_deref(),
            network_advice_code: asked.network_advice_code.as_deref(),
            message: asked.message.as_deref(),
            rail: self.rail,
            failed_on: Some(self.occurred_at.date_naive()),
            ..Signals::new(self.source)
        }
    }
}

/// A name of a list, or its fault noted.
fn one_of<T: Copy + std::fmt::Display + std::str::FromStr>(
    field: &str,
    name: Option<&str>,
    all: &[T],
    note: &mut impl FnMut(&str, String),
) -> Option<T> {
    let read = name?.trim().to_ascii_lowercase().parse();
    if read.is_err() {
        note(field, wanted(all));
    }
    read.ok()
}

fn wanted<T: std::fmt::Display>(all: &[T]) -> String {
    let names: Vec<_> = all.iter().map(ToString::to_string).collect();
    format!("must be one of {}", names.join(", "))
}

/// A network by our name or a PSP's. A name that nobody knows is a slip of the
/// pen more often than a network: those say `other`.
fn read_network(name: &str) -> Option<CardNetwork> {
    match CardNetwork::from_psp(name) {
        CardNetwork::Other if !name.trim().eq_ignore_ascii_case("other") => None,
        network => Some(network),
    }
}
