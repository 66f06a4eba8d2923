//! Payments that failed.

use chrono::DateTime;

use super::{invoices, means, money, paying_intent};
use crate::means::country;
use crate::webhook::fact::{Fact, FailedPayment, Payer, PspRetries};
use crate::webhook::json::{Node, ParseError};
use crate::webhook::notes::Notes;
use crate::{FailureSignals, PaymentMethodKind, PaymentRef, SavedMeans, TriedMeans};

/// `payment_intent.payment_failed`.
pub(super) fn intent(intent: &Node<'_>) -> Result<Fact, ParseError> {
    let error = intent.at("last_payment_error");
    let method_used = error.at("payment_method");
    let notes = Notes::of(intent.entries("metadata"));
    let kind = method_used.text("type").or_else(|| only_type(intent));
    Ok(failed(FailedPayment {
        payment: PaymentRef::stripe(intent.needed_text("id")?),
        also_known_as: invoices(intent),
        charge: error.id("charge").or_else(|| intent.id("latest_charge")),
        amount: money(intent, "amount")?,
        signals: FailureSignals {
            code: error.text("decline_code").or_else(|| error.text("code")),
            advice_code: error.text("advice_code"),
            network: method_used.word("card.brand"),
            network_decline_code: error.text("network_decline_code"),
            network_advice_code: error.text("network_advice_code"),
            message: error.text("message"),
            ..FailureSignals::default()
        },
        method: method(kind.as_deref()),
        tried: means(
            error.id("payment_method"),
            kind.as_deref(),
            &method_used.at("card"),
        ),
        saved_means: saved(intent, &error),
        psp_retries: None,
        payer: payer(intent, &method_used, &method_used.at("card"), &notes),
        transaction_ref: notes.transaction_ref,
        recovery_hint: notes.recovery,
        attempt_hint: notes.attempt,
        metadata: notes.all,
    }))
}

/// `charge.failed`. A charge has its intent's metadata, copied when it was made.
pub(super) fn charge(charge: &Node<'_>) -> Result<Fact, ParseError> {
    let id = charge.needed_text("id")?;
    let (outcome, details) = (charge.at("outcome"), charge.at("payment_method_details"));
    let notes = Notes::of(charge.entries("metadata"));
    let code = outcome.text("reason");
    Ok(failed(FailedPayment {
        payment: PaymentRef::stripe(charge.id("payment_intent").unwrap_or_else(|| id.clone())),
        also_known_as: invoices(charge),
        charge: Some(id),
        amount: money(charge, "amount")?,
        signals: FailureSignals {
            code: code.or_else(|| charge.text("failure_code")),
            advice_code: outcome.text("advice_code"),
            network: details.word("card.brand"),
            network_decline_code: outcome.text("network_decline_code"),
            network_advice_code: outcome.text("network_advice_code"),
            message: charge.text("failure_message"),
            ..FailureSignals::default()
        },
        method: method(details.text("type").as_deref()),
        tried: means(
            charge.id("payment_method"),
            details.text("type").as_deref(),
            &details.at("card"),
        ),
        saved_means: means_of(charge.id("customer"), charge.id("payment_method")),
        psp_retries: None,
        payer: payer(charge, charge, &details.at("card"), &notes),
        transaction_ref: notes.transaction_ref,
        recovery_hint: notes.recovery,
        attempt_hint: notes.attempt,
        metadata: notes.all,
    }))
}

/// `invoice.payment_failed`. It says nothing of why; its intent's event does.
pub(super) fn invoice(invoice: &Node<'_>) -> Result<Fact, ParseError> {
    of_invoice(invoice, FailureSignals::default())
}

/// `invoice.payment_action_required`: the bank wants the payer to authenticate.
pub(super) fn invoice_wants_the_payer(invoice: &Node<'_>) -> Result<Fact, ParseError> {
    let signals = FailureSignals {
        code: Some("authentication_required".to_owned()),
        ..FailureSignals::default()
    };
    of_invoice(invoice, signals)
}

fn of_invoice(invoice: &Node<'_>, signals: FailureSignals) -> Result<Fact, ParseError> {
    let id = invoice.needed_text("id")?;
    let intent = paying_intent(invoice);
    let owed = invoice.either("amount_remaining", "amount_due");
    let notes = Notes::of(invoice.entries("metadata"));
    Ok(failed(FailedPayment {
        also_known_as: intent.iter().map(|_| id.clone()).collect(),
        payment: PaymentRef::stripe(intent.unwrap_or(id)),
        charge: invoice.id("charge"),
        amount: money(invoice, owed)?,
        signals,
        method: PaymentMethodKind::Other,
        tried: TriedMeans {
            id: invoice.id("default_payment_method"),
            ..TriedMeans::default()
        },
        saved_means: means_of(invoice.id("customer"), invoice.id("default_payment_method")),
        psp_retries: retries(invoice),
        payer: Payer {
            email: invoice.text("customer_email"),
            phone: invoice.text("customer_phone"),
            name: invoice.text("customer_name"),
            country: country(invoice.text("customer_address.country")),
            locale: notes.locale,
        },
        transaction_ref: notes.transaction_ref,
        recovery_hint: notes.recovery,
        attempt_hint: notes.attempt,
        metadata: notes.all,
    }))
}

/// Stripe's own tries of an invoice: `attempt_count` counts them, automatic ones
/// only, and `next_payment_attempt` says when the next is.
/// <https://docs.stripe.com/api/invoices/object#invoice_object-attempt_count>
fn retries(invoice: &Node<'_>) -> Option<PspRetries> {
    let made = invoice.whole("attempt_count")?;
    let next = invoice.whole("next_payment_attempt");
    Some(PspRetries {
        made: u32::try_from(made).ok()?,
        next_at: next.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
    })
}

fn failed(payment: FailedPayment) -> Fact {
    Fact::PaymentFailed(Box::new(payment))
}

/// The type of means, where the intent takes one only.
fn only_type(intent: &Node<'_>) -> Option<String> {
    let types = intent.at("payment_method_types");
    (types.elements().count() == 1).then(|| types.text("0"))?
}

fn method(kind: Option<&str>) -> PaymentMethodKind {
    match kind {
        Some("card" | "card_present" | "interac_present") => PaymentMethodKind::Card,
        Some("upi") => PaymentMethodKind::Upi,
        Some("netbanking" | "fpx" | "ideal" | "eps" | "p24" | "bancontact" | "sofort") => {
            PaymentMethodKind::Netbanking
        }
        Some(
            "alipay" | "amazon_pay" | "cashapp" | "grabpay" | "link" | "mobilepay" | "paypal"
            | "revolut_pay" | "wechat_pay",
        ) => PaymentMethodKind::Wallet,
        _ => PaymentMethodKind::Other,
    }
}

/// The means of a failed intent. A means that Stripe says belongs to no
/// customer cannot be used again, whoever the intent's customer is.
fn saved(intent: &Node<'_>, error: &Node<'_>) -> Option<SavedMeans> {
    if error.at("payment_method").is_null_at("customer") {
        return None;
    }
    let used = error.id("payment_method");
    means_of(
        intent.id("customer"),
        used.or_else(|| intent.id("payment_method")),
    )
}

fn means_of(customer: Option<String>, payment_method: Option<String>) -> Option<SavedMeans> {
    Some(SavedMeans {
        customer: Some(customer?),
        payment_method: payment_method?,
    })
}

/// From the billing details of `means`, else from the payment itself.
fn payer(payment: &Node<'_>, means: &Node<'_>, card: &Node<'_>, notes: &Notes) -> Payer {
    let billing = means.at("billing_details");
    let shipping = payment.at("shipping");
    Payer {
        email: billing
            .text("email")
            .or_else(|| payment.text("receipt_email")),
        phone: billing.text("phone").or_else(|| shipping.text("phone")),
        name: billing.text("name").or_else(|| shipping.text("name")),
        country: country(
            billing
                .text("address.country")
                .or_else(|| shipping.text("address.country"))
                .or_else(|| card.text("country")),
        ),
        locale: notes.locale.clone(),
    }
}
