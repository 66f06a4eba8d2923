//! Payments that succeeded.

use super::{invoices, means, money};
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

/// `checkout.session.completed`, and `….async_payment_succeeded` for means
/// that take days. A session that is complete and not paid, or that cost
/// nothing, is no payment.
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
