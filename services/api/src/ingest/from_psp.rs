//! A PSP's failed payment, as a report.

use chrono::{DateTime, Utc};
use db::failures::NewFailure;
use db::transactions::{self, StoredTransaction};
use domain::classification::{FailureSource, Signals, classify};
use domain::limits::Rail;
use domain::payer::Country;
use domain::{CardNetwork, EmailAddress, PhoneNumber, Provider, TransactionRef};
use psp::webhook::FailedPayment;
use serde_json::Value;

use super::failure::ReportedPayment;
use super::{FailureReport, Tried};

/// Longest text of a PSP that is kept, in characters.
const LONGEST: usize = 1_000;
/// Longest name or language tag that is kept, in characters.
const LONGEST_NAME: usize = 128;

pub(super) const fn source(provider: Provider) -> FailureSource {
    match provider {
        Provider::Stripe => FailureSource::Stripe,
        Provider::Razorpay => FailureSource::Razorpay,
    }
}

/// Every id at the PSP that names the payment.
pub(super) fn objects(failed: &FailedPayment) -> Vec<String> {
    std::iter::once(failed.payment.id.clone())
        .chain(failed.also_known_as.iter().cloned())
        .chain(failed.charge.clone())
        .collect()
}

/// The report that a failed payment makes. `known` is the transaction that its
/// objects were known to belong to.
pub(super) fn report(
    connection: domain::id::ConnectionId,
    event_id: &str,
    occurred_at: DateTime<Utc>,
    failed: &FailedPayment,
    known: Option<&StoredTransaction>,
    reference: TransactionRef,
) -> FailureReport {
    let provider = failed.payment.provider;
    let classification = classify(&signals(failed, occurred_at));
    FailureReport {
        source: source(provider),
        key: key(failed, event_id),
        reference,
        amount: Some(known.map_or(failed.amount, |known| known.amount)),
        amount_must_agree: false,
        about: about(connection, failed, known),
        objects: Some((provider, objects(failed))),
        payment: Some(ReportedPayment {
            ids: std::iter::once(&failed.payment.id)
                .chain(&failed.also_known_as)
                .cloned()
                .collect(),
            attempt: failed.attempt_hint,
        }),
        tried: Tried::of(connection, failed),
        says_why: failed.signals.code.is_some() || failed.signals.message.is_some(),
        psp_retries: failed.psp_retries,
        failure: failure(failed, occurred_at),
        classification,
    }
}

/// What makes two reports the same failure: the charge that was tried, else the
/// invoice's count of tries.
fn key(failed: &FailedPayment, event_id: &str) -> String {
    if let Some(charge) = &failed.charge {
        return charge.clone();
    }
    let invoice = bill(failed).or(Some(&failed.payment.id));
    let says_why = failed.signals.code.is_some();
    match (invoice, failed.psp_retries) {
        (Some(invoice), Some(retries)) if !says_why => format!("{invoice}#{}", retries.made),
        _ => event_id.to_owned(),
    }
}

/// What the payment was for, where the PSP has a name for that: an order, an
/// invoice. It outlives each payment that is tried for it.
fn bill(failed: &FailedPayment) -> Option<&String> {
    let mut ids = failed.also_known_as.iter();
    ids.find(|id| id.starts_with("order_") || id.starts_with("in_"))
}

fn signals(failed: &FailedPayment, occurred_at: DateTime<Utc>) -> Signals<'_> {
    let said = &failed.signals;
    Signals {
        code: said.code.as_deref(),
        advice_code: said.advice_code.as_deref(),
        network: said.network.as_deref().map(CardNetwork::from_psp),
        network_decline_code: said.network_decline_code.as_deref(),
        network_advice_code: said.network_advice_code.as_deref(),
        message: said.message.as_deref(),
        rail: Some(failed.tried.rail).filter(|rail| *rail != Rail::Unknown),
        failed_on: Some(occurred_at.date_naive()),
        ..Signals::new(source(failed.payment.provider))
    }
}

/// What it says of the transaction. Of a payment that Tinko itself made (a
/// checkout, a charge) neither the id nor the means become the transaction's:
/// those stay the merchant's own.
fn about(
    connection: domain::id::ConnectionId,
    failed: &FailedPayment,
    known: Option<&StoredTransaction>,
) -> transactions::Report {
    let ours = failed.recovery_hint.is_some() || failed.attempt_hint.is_some();
    let payer = &failed.payer;
    let email = payer.email.as_deref().map(EmailAddress::parse);
    let phone = payer.phone.as_deref().map(PhoneNumber::parse);
    let mut about = transactions::Report {
        payer_email: email.and_then(Result::ok).map(|it| it.expose().to_owned()),
        payer_phone: phone.and_then(Result::ok).map(|it| it.expose().to_owned()),
        payer_name: payer.name.as_deref().map(|it| cut(it, LONGEST_NAME)),
        payer_locale: payer.locale.as_deref().map(|it| cut(it, LONGEST_NAME)),
        ..transactions::Report::default()
    };
    if ours {
        return about;
    }
    about.connection = Some(connection);
    about.payment_ref = payment_ref(failed, known);
    about.payment_kind = method(failed);
    about.network.clone_from(&failed.signals.network);
    about_card(&mut about, failed);
    if let Some(saved) = &failed.saved_means {
        about.saved_customer.clone_from(&saved.customer);
        about.saved_payment_method = Some(saved.payment_method.clone());
    }
    about.metadata = serde_json::to_value(&failed.metadata).ok();
    about
}

/// What it says of the card, unless another means than the tried one is saved.
fn about_card(about: &mut transactions::Report, failed: &FailedPayment) {
    let tried = &failed.tried;
    about.rail = Some(tried.rail).filter(|rail| *rail != Rail::Unknown);
    let saved = failed
        .saved_means
        .as_ref()
        .map(|saved| &saved.payment_method);
    if saved.is_none() || saved == tried.id.as_ref() {
        about.card_fingerprint.clone_from(&tried.fingerprint);
        let country = tried.country.as_deref().map(Country::parse);
        about.card_country = country.and_then(Result::ok);
    }
}

/// The payment by its most lasting id, its bill's where it has one: a later try
/// of a Razorpay order is another payment, and Stripe's invoice is charged as an
/// invoice. A payment that is known keeps the name it has, unless that was the
/// name of this one alone.
fn payment_ref(failed: &FailedPayment, known: Option<&StoredTransaction>) -> Option<String> {
    let bill = bill(failed);
    match known.and_then(|known| known.known.payment_ref.as_ref()) {
        Some(kept) if *kept == failed.payment.id => bill.cloned(),
        Some(_) => None,
        None => Some(bill.unwrap_or(&failed.payment.id).clone()),
    }
}

fn method(failed: &FailedPayment) -> Option<String> {
    let word = serde_json::to_value(failed.method).ok()?;
    word.as_str()
        .filter(|word| *word != "other")
        .map(str::to_owned)
}

fn failure(failed: &FailedPayment, occurred_at: DateTime<Utc>) -> NewFailure {
    let said = &failed.signals;
    let code = said.code.as_deref().map(|it| cut(it, LONGEST));
    let message = said.message.as_deref().map(|it| cut(it, LONGEST));
    NewFailure {
        source: source(failed.payment.provider).as_str().to_owned(),
        gateway: None,
        reason: code
            .clone()
            .or_else(|| message.clone())
            .unwrap_or_else(|| "not said".to_owned()),
        code,
        advice_code: said.advice_code.clone(),
        network_decline_code: said.network_decline_code.clone(),
        network_advice_code: said.network_advice_code.clone(),
        message,
        metadata: metadata(failed),
        occurred_at,
    }
}

/// The merchant's own notes, and under `psp_error` what the PSP says of the
/// failure that has no column of its own.
fn metadata(failed: &FailedPayment) -> Value {
    let mut metadata = serde_json::to_value(&failed.metadata).unwrap_or(Value::Null);
    let said = &failed.signals;
    let particulars = [
        ("code", &said.broad_code),
        ("source", &said.source),
        ("step", &said.step),
        ("field", &said.field),
    ];
    let told = particulars
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), cut(value.as_ref()?, LONGEST).into())));
    let told: serde_json::Map<String, Value> = told.collect();
    if !told.is_empty() {
        metadata["psp_error"] = Value::Object(told);
    }
    metadata
}

fn cut(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}
