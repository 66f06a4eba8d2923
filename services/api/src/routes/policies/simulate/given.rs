//! Failures that a request brings along.

use chrono::{DateTime, Utc};
use db::facts::OwnFailure;
use domain::classification::{FailureSource, Signals, classify};
use domain::experiment::Assignment;
use domain::id::TransactionId;
use domain::limits::{CardTry, Rail, TriedBy, TryOutcome};
use domain::payer::{Country, country, time_zone};
use domain::schedule::{Facts, FailureFacts};
use domain::{CardNetwork, Channel, Currency, Money};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::openapi::words;
use crate::problem::Problem;

/// A failure, as much as the plan depends on. Everything but the amount may be
/// left out; a card is known by `card`, any word that is the same for it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FailureToPlay)]
pub(super) struct Given {
    transaction_ref: Option<String>,
    /// In minor units.
    #[schema(minimum = 0)]
    amount: i64,
    #[schema(value_type = String, min_length = 3, max_length = 3, example = "INR")]
    currency: Currency,
    #[schema(value_type = Option<words::FailureSource>)]
    source: Option<FailureSource>,
    gateway: Option<String>,
    code: Option<String>,
    advice_code: Option<String>,
    #[schema(value_type = Option<words::CardNetwork>)]
    network: Option<CardNetwork>,
    network_decline_code: Option<String>,
    network_advice_code: Option<String>,
    message: Option<String>,
    occurred_at: Option<DateTime<Utc>>,
    #[schema(value_type = Option<words::Rail>)]
    rail: Option<Rail>,
    card: Option<String>,
    #[schema(value_type = Option<String>, min_length = 2, max_length = 2, example = "IN")]
    card_country: Option<Country>,
    #[schema(value_type = Option<String>, min_length = 2, max_length = 2, example = "IN")]
    country: Option<Country>,
    time_zone: Option<String>,
    /// Channels on which the payer can be reached; email when left out.
    #[schema(value_type = Option<Vec<words::Channel>>)]
    channels: Option<Vec<Channel>>,
    /// Whether saved means can be charged without the payer.
    #[serde(default)]
    can_charge: bool,
}

/// The failures as the planner takes them, each from its own time on.
pub(super) fn sample(given: &[Given], now: DateTime<Utc>) -> Result<Vec<OwnFailure>, Problem> {
    let of = |(place, given): (usize, &Given)| {
        let amount = Money::new(given.amount, given.currency).map_err(|fault| {
            Problem::invalid_field(format!("failures[{place}].amount"), fault.to_string())
        })?;
        Ok(given.failure(place, amount, now))
    };
    given.iter().enumerate().map(of).collect()
}

impl Given {
    fn failure(&self, place: usize, amount: Money, now: DateTime<Utc>) -> OwnFailure {
        let reference = self
            .transaction_ref
            .clone()
            .unwrap_or_else(|| format!("failures[{place}]"));
        let at = self.occurred_at.unwrap_or(now);
        let transaction = unit(&reference);
        OwnFailure {
            transaction,
            facts: self.facts(transaction, amount, at),
            reference,
            card: self.card.clone(),
        }
    }

    fn facts(&self, transaction: TransactionId, amount: Money, at: DateTime<Utc>) -> Facts {
        let currency = amount.currency();
        let country = self.country.or_else(|| country(None, None, currency));
        let signals = Signals {
            gateway: self.gateway.as_deref(),
            code: self.code.as_deref(),
            advice_code: self.advice_code.as_deref(),
            network: self.network,
            network_decline_code: self.network_decline_code.as_deref(),
            network_advice_code: self.network_advice_code.as_deref(),
            message: self.message.as_deref(),
            rail: self.rail,
            failed_on: Some(at.date_naive()),
            ..Signals::new(self.source.unwrap_or(FailureSource::Api))
        };
        let zone = time_zone(self.time_zone.as_deref(), None, country, currency);
        let by_network = || self.network.map(|_| Rail::Card);
        Facts {
            now: at,
            opened_at: at,
            seed: transaction.uuid().as_u64_pair().1,
            assignment: Assignment::default(),
            failure: FailureFacts::new(at, &signals, &classify(&signals)),
            attempts: Vec::new(),
            reachable: self.channels.clone().unwrap_or(vec![Channel::Email]),
            can_charge: self.can_charge,
            rail: self.rail.or_else(by_network).unwrap_or(Rail::Unknown),
            network: self.network,
            card_country: self.card_country,
            country,
            time_zone: zone,
            amount,
            asked_for: None,
            // The failure itself was a try.
            tries: vec![CardTry {
                at,
                by: TriedBy::Payer,
                outcome: TryOutcome::Declined,
                amount,
            }],
        }
    }
}

/// A transaction that exists in the simulation only: the same reference gives
/// the same id, and so the same jitter and the same arm.
fn unit(reference: &str) -> TransactionId {
    let digest = Sha256::digest(reference.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    TransactionId::from_uuid(Uuid::from_bytes(bytes))
}
