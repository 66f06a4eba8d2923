//! Payments that succeeded.

use super::{invoices, means, money, paying_intent};
use crate::webhook::fact::{Fact, PaymentSucceeded};
use crate::webhook::json::{Node, ParseError};
use crate::webhook::notes::Notes;
use crate::{PaymentRef, TriedMeans};

/// `payment_intent.succeeded`.
pub(super) fn intent(intent: &Node<'_>) -> Result<Fact, ParseError> {
    let notes = Notes::of(intent.entries("metadata"));
    let received = intent.either("amount_received", "amount");
    Ok(Fact::PaymentSucceeded(Box::new(PaymentSucceeded {
        payment: PaymentRef::stripe(intent.needed_text("id")?),
        also_known_as: invoices(intent),
        charge: intent.id("latest_charge"),
        amount: money(intent, received)?,
        transaction_ref: notes.transaction_ref,
        recovery_hint: notes.recovery,
        attempt_hint: notes.attempt,
        checkout: None,
        tried: tried(intent),
    })))
}

/// A session that was paid. One that cost nothing is no payment.
pub(super) fn session(session: &Node<'_>) -> Result<Fact, ParseError> {
    if session.text("payment_status").as_deref() != Some("paid") {
        return Ok(Fact::Ignored);
    }
    let id = session.needed_text("id")?;
    let (intent, invoice) = (session.id("payment_intent"), session.id("invoice"));
    // A session that starts a subscription has an invoice and no intent of its own.
    let payment = intent.clone().or_else(|| invoice.clone());
    let payment = payment.ok_or_else(|| {
        session.fault("payment_intent", "must name the payment of a paid session")
    })?;
    let notes = Notes::of(session.entries("metadata"));
    Ok(Fact::PaymentSucceeded(Box::new(PaymentSucceeded {
        also_known_as: intent.and(invoice).into_iter().collect(),
        payment: PaymentRef::stripe(payment),
        charge: None,
        amount: money(session, "amount_total")?,
        transaction_ref: notes.transaction_ref,
        recovery_hint: notes.recovery,
        attempt_hint: notes.attempt,
        checkout: Some(id),
        tried: TriedMeans::default(),
    })))
}

/// `invoice.paid`, and `invoice.payment_succeeded`, which is the same without
/// what was paid outside of Stripe. An invoice over nothing is no payment.
pub(super) fn invoice(invoice: &Node<'_>) -> Result<Fact, ParseError> {
    let outside = invoice.is_true_at("paid_out_of_band");
    let amount = if invoice.whole("amount_paid") != Some(0) {
        "amount_paid"
    } else if outside && invoice.whole("amount_due") != Some(0) {
        "amount_due"
    } else {
        return Ok(Fact::Ignored);
    };
    let id = invoice.needed_text("id")?;
    let intent = paying_intent(invoice);
    let notes = Notes::of(invoice.entries("metadata"));
    Ok(Fact::PaymentSucceeded(Box::new(PaymentSucceeded {
        also_known_as: intent.iter().map(|_| id.clone()).collect(),
        payment: PaymentRef::stripe(intent.unwrap_or(id)),
        charge: invoice.id("charge"),
        amount: money(invoice, amount)?,
        transaction_ref: notes.transaction_ref,
        recovery_hint: notes.recovery,
        attempt_hint: notes.attempt,
        checkout: None,
        tried: TriedMeans::default(),
    })))
}

/// `invoice_payment.paid`, of versions since Basil: which intent paid an invoice.
/// Only the default one is over all that the invoice is owed.
/// <https://docs.stripe.com/api/invoice-payment/object#invoice_payment_object-is_default>
pub(super) fn invoice_payment(payment: &Node<'_>) -> Result<Fact, ParseError> {
    let intent = payment.id("payment.payment_intent");
    let (Some(invoice), Some(intent)) = (payment.id("invoice"), intent) else {
        return Ok(Fact::Ignored);
    };
    if !payment.is_true_at("is_default") || payment.whole("amount_paid") == Some(0) {
        return Ok(Fact::Ignored);
    }
    Ok(Fact::PaymentSucceeded(Box::new(PaymentSucceeded {
        payment: PaymentRef::stripe(intent),
        also_known_as: vec![invoice],
        charge: None,
        amount: money(payment, "amount_paid")?,
        transaction_ref: None,
        recovery_hint: None,
        attempt_hint: None,
        checkout: None,
        tried: TriedMeans::default(),
    })))
}

/// What an intent was paid with: its id alone, but for versions before 2022-11-15,
/// which have the charge within.
fn tried(intent: &Node<'_>) -> TriedMeans {
    let details = intent.at("charges.data.0.payment_method_details");
    let kind = details.text("type");
    means(
        intent.id("payment_method"),
        kind.as_deref(),
        &details.at("card"),
    )
}
