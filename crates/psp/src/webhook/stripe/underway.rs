//! Payments that are on their way.

use super::{invoices, money, paid};
use crate::PaymentRef;
use crate::webhook::fact::{Fact, UnsettledPayment};
use crate::webhook::json::{Node, ParseError};
use crate::webhook::notes::Notes;

/// `checkout.session.completed`. Paid by a means that takes days, it is complete
/// and unpaid; `….async_payment_succeeded` or `…_failed` tells the end
/// (<https://docs.stripe.com/payments/checkout/fulfillment>, "delayed payment methods").
pub(super) fn session(session: &Node<'_>) -> Result<Fact, ParseError> {
    match session.text("payment_status").as_deref() {
        Some("unpaid") => Ok(Fact::PaymentUnderway(Box::new(of_session(session)?))),
        _ => paid::session(session),
    }
}

/// `checkout.session.async_payment_failed`.
pub(super) fn session_failed(session: &Node<'_>) -> Result<Fact, ParseError> {
    Ok(Fact::PaymentReleased(Box::new(of_session(session)?)))
}

fn of_session(session: &Node<'_>) -> Result<UnsettledPayment, ParseError> {
    let id = session.needed_text("id")?;
    let notes = Notes::of(session.entries("metadata"));
    Ok(UnsettledPayment {
        payment: PaymentRef::stripe(&id),
        also_known_as: [session.id("payment_intent"), session.id("invoice")]
            .into_iter()
            .flatten()
            .collect(),
        amount: money(session, "amount_total")?,
        transaction_ref: notes.transaction_ref,
        recovery_hint: notes.recovery,
        checkout: Some(id),
    })
}

/// `payment_intent.amount_capturable_updated`: authorized, and the merchant
/// captures it or lets it go.
pub(super) fn authorized(intent: &Node<'_>) -> Result<Fact, ParseError> {
    if intent.text("status").as_deref() != Some("requires_capture") {
        return Ok(Fact::Ignored);
    }
    let id = intent.needed_text("id")?;
    Ok(Fact::PaymentUnderway(Box::new(of_payment(
        intent, id, "amount",
    )?)))
}

/// A charge that was authorized, not captured, and given back.
pub(super) fn released(charge: &Node<'_>) -> Result<Fact, ParseError> {
    let id = charge.needed_text("id")?;
    let id = charge.id("payment_intent").unwrap_or(id);
    Ok(Fact::PaymentReleased(Box::new(of_payment(
        charge, id, "amount",
    )?)))
}

fn of_payment(object: &Node<'_>, id: String, amount: &str) -> Result<UnsettledPayment, ParseError> {
    let notes = Notes::of(object.entries("metadata"));
    Ok(UnsettledPayment {
        payment: PaymentRef::stripe(id),
        also_known_as: invoices(object),
        amount: money(object, amount)?,
        transaction_ref: notes.transaction_ref,
        recovery_hint: notes.recovery,
        checkout: None,
    })
}
