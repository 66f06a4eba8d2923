//! A partner's report, checked field by field.

use chrono::{DateTime, Utc};
use db::failures::NewFailure;
use db::transactions;
use domain::classification::{FailureSource, Signals, classify};
use domain::limits::Rail;
use domain::payer::Country;
use domain::{Channel, Currency, EmailAddress, Money, PhoneNumber, TransactionRef};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use serde_json::{Map, Value};

use crate::conduct::body::time;
use crate::ingest::{FailureReport, Tried};
use crate::problem::{FieldFault, Problem};

/// Longest reason, in characters.
const LONGEST_REASON: usize = 2_000;
/// Longest fingerprint of a card, in characters.
const LONGEST_FINGERPRINT: usize = 128;
/// Longest gateway name, in characters.
const LONGEST_GATEWAY: usize = 64;

/// The body of `POST /v1/events/payment_failed`.
#[derive(Deserialize)]
pub(super) struct Reported {
    transaction_ref: String,
    amount: Option<Minor>,
    currency: Option<String>,
    gateway: Option<String>,
    failure_reason: String,
    code: Option<String>,
    occurred_at: Option<String>,
    metadata: Option<Map<String, Value>>,
    customer: Option<Customer>,
    payment: Option<Payment>,
}

/// What it was tried with.
#[derive(Deserialize)]
struct Payment {
    card_fingerprint: Option<String>,
    card_country: Option<String>,
    rail: Option<String>,
}

#[derive(Deserialize)]
struct Customer {
    email: Option<String>,
    phone: Option<String>,
    name: Option<String>,
    locale: Option<String>,
    time_zone: Option<String>,
    consent: Option<Vec<String>>,
}

/// Whole minor units. Fractions, texts and what overflows are told apart from
/// numbers while reading, so that the fault names the field.
struct Minor(i64);

impl<'de> Deserialize<'de> for Minor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;
        impl Visitor<'_> for Whole {
            type Value = Minor;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a whole number of minor units")
            }
            fn visit_i64<E: de::Error>(self, minor: i64) -> Result<Minor, E> {
                Ok(Minor(minor))
            }
            fn visit_u64<E: de::Error>(self, minor: u64) -> Result<Minor, E> {
                let minor = i64::try_from(minor);
                minor.map(Minor).map_err(|_| E::custom("is out of range"))
            }
        }
        deserializer.deserialize_any(Whole)
    }
}

/// Collects faults, so that a partner sees all of them at once.
#[derive(Default)]
struct Faults(Vec<FieldFault>);

impl Faults {
    /// The value, or its fault noted under `field`.
    fn take<T, E: std::fmt::Display>(&mut self, field: &str, read: Result<T, E>) -> Option<T> {
        read.map_err(|fault| self.0.push(FieldFault::new(field, fault.to_string())))
            .ok()
    }
}

impl Reported {
    /// The report as it is ingested. `key` makes two reports the same failure.
    pub(super) fn check(self, key: String, now: DateTime<Utc>) -> Result<FailureReport, Problem> {
        let mut faults = Faults::default();
        let reference = faults.take(
            "transaction_ref",
            TransactionRef::parse(&self.transaction_ref),
        );
        let amount = self.money(&mut faults);
        let about = self.about(&mut faults);
        let failure = self.failure(&mut faults, now);
        let classification = classify(&Signals {
            gateway: self.gateway.as_deref(),
            code: failure.code.as_deref(),
            message: failure.message.as_deref(),
            failed_on: Some(failure.occurred_at.date_naive()),
            ..Signals::new(FailureSource::Api)
        });
        match reference {
            Some(reference) if faults.0.is_empty() => Ok(FailureReport {
                source: FailureSource::Api,
                key,
                reference,
                amount,
                amount_must_agree: true,
                about,
                objects: None,
                payment: None,
                tried: Tried::told(),
                says_why: true,
                psp_retries: None,
                failure,
                classification,
            }),
            _ => Err(Problem::invalid(faults.0)),
        }
    }

    fn money(&self, faults: &mut Faults) -> Option<Money> {
        match (&self.amount, &self.currency) {
            (None, None) => None,
            (amount, currency) => {
                let currency = currency
                    .as_deref()
                    .map_or(Err("is missing".to_owned()), |code| {
                        Currency::parse(code).map_err(|fault| fault.to_string())
                    });
                let currency = faults.take("currency", currency);
                // An amount is at fault or not whatever its currency.
                let any = currency.or_else(|| Currency::parse("USD").ok());
                let minor = amount.as_ref().ok_or("is missing".to_owned());
                let money = minor.and_then(|minor| match any {
                    Some(currency) => {
                        Money::new(minor.0, currency).map_err(|fault| fault.to_string())
                    }
                    None => Err("has no currency".to_owned()),
                });
                faults.take("amount", money).filter(|_| currency.is_some())
            }
        }
    }

    fn about(&self, faults: &mut Faults) -> transactions::Report {
        let mut about = transactions::Report {
            metadata: self.metadata.clone().map(Value::Object),
            ..transactions::Report::default()
        };
        if let Some(payment) = &self.payment {
            payment.put_into(&mut about, faults);
        }
        let Some(customer) = &self.customer else {
            return about;
        };
        if let Some(email) = &customer.email {
            let email = faults.take("customer.email", EmailAddress::parse(email));
            about.payer_email = email.map(|email| email.expose().to_owned());
        }
        if let Some(phone) = &customer.phone {
            let phone = faults.take("customer.phone", PhoneNumber::parse(phone));
            about.payer_phone = phone.map(|phone| phone.expose().to_owned());
        }
        let mut short = |field: &str, text: &Option<String>| {
            let text = text.as_deref()?;
            faults.take(field, within(text, 128)).map(str::to_owned)
        };
        about.payer_name = short("customer.name", &customer.name);
        about.payer_locale = short("customer.locale", &customer.locale);
        about.payer_time_zone = short("customer.time_zone", &customer.time_zone);
        about
    }

    /// The channels on which the payer has opted in, as the partner says.
    pub(super) fn consent(&self) -> Result<Vec<Channel>, Problem> {
        let mut faults = Faults::default();
        let customer = self.customer.as_ref();
        let named = customer.and_then(|customer| customer.consent.as_deref());
        let mut channels = Vec::new();
        for (place, name) in named.unwrap_or_default().iter().enumerate() {
            let channel = faults.take(
                &format!("customer.consent[{place}]"),
                name.parse::<Channel>(),
            );
            channels.extend(channel);
        }
        if !faults.0.is_empty() {
            return Err(Problem::invalid(faults.0));
        }
        channels.sort_unstable();
        channels.dedup();
        Ok(channels)
    }

    fn failure(&self, faults: &mut Faults, now: DateTime<Utc>) -> NewFailure {
        let reason = faults.take(
            "failure_reason",
            within(&self.failure_reason, LONGEST_REASON),
        );
        let reason = reason.unwrap_or_default().to_owned();
        if let Some(gateway) = &self.gateway {
            faults.take("gateway", within(gateway, LONGEST_GATEWAY));
        }
        let occurred_at = self.occurred_at.as_deref().map_or(Ok(now), time);
        let code = self.code.clone().or_else(|| {
            // A reason of one word is a code to most gateways.
            (!reason.contains(char::is_whitespace)).then(|| reason.clone())
        });
        if let Some(code) = &self.code {
            faults.take("code", within(code, LONGEST_GATEWAY));
        }
        NewFailure {
            source: FailureSource::Api.as_str().to_owned(),
            gateway: self.gateway.clone(),
            code,
            advice_code: None,
            network_decline_code: None,
            network_advice_code: None,
            message: Some(reason.clone()),
            metadata: self
                .metadata
                .clone()
                .map_or_else(|| Value::Object(Map::new()), Value::Object),
            occurred_at: faults.take("occurred_at", occurred_at).unwrap_or(now),
            reason,
        }
    }
}

impl Payment {
    fn put_into(&self, about: &mut transactions::Report, faults: &mut Faults) {
        if let Some(fingerprint) = &self.card_fingerprint {
            let read = printable(fingerprint);
            about.card_fingerprint = faults
                .take("payment.card_fingerprint", read)
                .map(str::to_owned);
        }
        if let Some(country) = &self.card_country {
            about.card_country = faults.take("payment.card_country", Country::parse(country));
        }
        if let Some(rail) = &self.rail {
            about.rail = faults.take("payment.rail", rail.parse::<Rail>());
        }
    }
}

/// An id of the gateway's, never a card's number.
fn printable(id: &str) -> Result<&str, &'static str> {
    let fits = (1..=LONGEST_FINGERPRINT).contains(&id.len());
    let looks_like_a_number = id.len() >= 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    if !fits || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        Err("must have 1 to 128 printable ASCII characters")
    } else if looks_like_a_number {
        Err("must not be a card's number, which is never sent here")
    } else {
        Ok(id)
    }
}

fn within(text: &str, longest: usize) -> Result<&str, String> {
    let length = text.trim().chars().count();
    if (1..=longest).contains(&length) {
        Ok(text.trim())
    } else {
        Err(format!("must have 1 to {longest} characters"))
    }
}
