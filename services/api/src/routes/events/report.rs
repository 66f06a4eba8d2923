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
use utoipa::ToSchema;

use crate::conduct::body::time;
use crate::ingest::{FailureReport, Tried};
use crate::problem::Problem;
use crate::routes::faults::Faults;

/// Longest reason, in characters.
const LONGEST_REASON: usize = 2_000;
/// Longest fingerprint of a card, in characters.
const LONGEST_FINGERPRINT: usize = 128;
/// Largest particulars of a merchant's own, in bytes of JSON: they are kept with the transaction and
/// shown with it, so that a megabyte of them would be paid for at every look.
const LARGEST_METADATA: usize = 16 * 1_024;
/// Longest gateway name, in characters.
const LONGEST_GATEWAY: usize = 64;

/// A payment that failed, as a partner reports it.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Reported {
    /// The merchant's own name for what is owed: the same for every try.
    #[schema(min_length = 1, max_length = 64, example = "ORDER-1001")]
    transaction_ref: String,
    /// What is owed, in whole minor units of `currency`; may be left out of a
    /// reference that is known.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 999_999_999_999_i64, example = 129_950)]
    amount: Option<Minor>,
    /// An ISO 4217 code, in either case; with `amount`.
    #[schema(min_length = 3, max_length = 3, example = "INR")]
    currency: Option<String>,
    /// The gateway that the payment was tried at.
    #[schema(max_length = 64, example = "payu")]
    gateway: Option<String>,
    /// Why it failed, in the gateway's words; a single word counts as its code.
    #[schema(min_length = 1, max_length = 2_000, example = "insufficient_funds")]
    failure_reason: String,
    /// The gateway's code, if there is one beside the reason.
    #[schema(min_length = 1, max_length = 64)]
    code: Option<String>,
    /// When it failed; now if it is left out.
    #[schema(value_type = Option<DateTime<Utc>>)]
    occurred_at: Option<String>,
    /// The merchant's own particulars, at most 16 KiB as JSON.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
    customer: Option<Customer>,
    payment: Option<Payment>,
}

/// What it was tried with.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Payment {
    /// The gateway's id of the card, never its number.
    #[schema(min_length = 1, max_length = 128)]
    card_fingerprint: Option<String>,
    /// The country of the card's issuer, as ISO 3166-1 has it.
    #[schema(min_length = 2, max_length = 2, example = "IN")]
    card_country: Option<String>,
    /// The way that the money takes.
    #[schema(example = "card")]
    rail: Option<String>,
}

/// Who owes it.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Customer {
    #[schema(max_length = 254, example = "asha@example.com")]
    email: Option<String>,
    /// In E.164.
    #[schema(example = "+919812341234")]
    phone: Option<String>,
    #[schema(min_length = 1, max_length = 128)]
    name: Option<String>,
    /// A BCP 47 tag.
    #[schema(min_length = 1, max_length = 128, example = "en-IN")]
    locale: Option<String>,
    /// An IANA name.
    #[schema(min_length = 1, max_length = 128, example = "Asia/Kolkata")]
    time_zone: Option<String>,
    /// The channels on which the payer has opted in.
    consent: Option<Vec<String>>,
}

/// Whole minor units. Fractions, texts and what overflows are told apart from
/// numbers while reading, so that the fault names the field.
pub(crate) struct Minor(i64);

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

impl Reported {
    /// The report as it is ingested. `key` makes two reports the same failure.
    pub(super) fn check(self, key: String, now: DateTime<Utc>) -> Result<FailureReport, Problem> {
        let mut faults = Faults::default();
        let reference = faults.take(
            "transaction_ref",
            TransactionRef::parse(&self.transaction_ref),
        );
        let amount = money(self.amount.as_ref(), self.currency.as_deref(), &mut faults);
        let metadata = self.metadata.as_ref();
        let (customer, payment) = (self.customer.as_ref(), self.payment.as_ref());
        let about = about(metadata, customer, payment, &mut faults);
        let failure = self.failure(&mut faults, now);
        let classification = classify(&Signals {
            gateway: self.gateway.as_deref(),
            code: failure.code.as_deref(),
            message: failure.message.as_deref(),
            failed_on: Some(failure.occurred_at.date_naive()),
            ..Signals::new(FailureSource::Api)
        });
        match reference {
            Some(reference) if faults.is_empty() => Ok(FailureReport {
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
            _ => Err(faults.into()),
        }
    }

    /// The channels on which the payer has opted in, as the partner says.
    pub(super) fn consent(&self) -> Result<Vec<Channel>, Problem> {
        let mut faults = Faults::default();
        let channels = consent(self.customer.as_ref(), &mut faults);
        faults.end()?;
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

/// What is owed, if anything is said of it.
pub(crate) fn money(
    amount: Option<&Minor>,
    currency: Option<&str>,
    faults: &mut Faults,
) -> Option<Money> {
    if amount.is_none() && currency.is_none() {
        return None;
    }
    let currency = currency.map_or(Err("is missing".to_owned()), |code| {
        Currency::parse(code).map_err(|fault| fault.to_string())
    });
    let currency = faults.take("currency", currency);
    // An amount is at fault or not whatever its currency.
    let any = currency.or_else(|| Currency::parse("USD").ok());
    let minor = amount.ok_or("is missing".to_owned());
    let money = minor.and_then(|minor| match any {
        Some(currency) => Money::new(minor.0, currency).map_err(|fault| fault.to_string()),
        None => Err("has no currency".to_owned()),
    });
    faults.take("amount", money).filter(|_| currency.is_some())
}

/// What is said of the transaction beside what is owed.
pub(crate) fn about(
    metadata: Option<&Map<String, Value>>,
    customer: Option<&Customer>,
    payment: Option<&Payment>,
    faults: &mut Faults,
) -> transactions::Report {
    let mut about = transactions::Report {
        metadata: metadata.cloned().map(Value::Object),
        ..transactions::Report::default()
    };
    let size = about.metadata.as_ref().map(|it| it.to_string().len());
    if size.is_some_and(|size| size > LARGEST_METADATA) {
        faults.note(
            "metadata",
            format!("must be at most {LARGEST_METADATA} bytes of JSON"),
        );
    }
    if let Some(payment) = payment {
        payment.put_into(&mut about, faults);
    }
    let Some(customer) = customer else {
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
pub(crate) fn consent(customer: Option<&Customer>, faults: &mut Faults) -> Vec<Channel> {
    let named = customer.and_then(|customer| customer.consent.as_deref());
    let mut channels = Vec::new();
    for (place, name) in named.unwrap_or_default().iter().enumerate() {
        let field = format!("customer.consent[{place}]");
        channels.extend(faults.take(&field, name.parse::<Channel>()));
    }
    channels.sort_unstable();
    channels.dedup();
    channels
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
