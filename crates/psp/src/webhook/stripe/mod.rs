//! Stripe's events, in the shapes of API versions from 2022-11-15 to Clover.

mod changed;
mod failed;
mod paid;
mod underway;

use domain::Money;
use domain::limits::Rail;

use super::fact::{Fact, Incoming};
use super::json::{Node, ParseError};
use crate::TriedMeans;
use crate::stripe::amount::{AmountFault, from_wire};

pub(super) fn parse(event: &Node<'_>) -> Result<Incoming, ParseError> {
    let event_type = event.needed_text("type")?;
    Ok(Incoming {
        event_id: event.needed_text("id")?,
        occurred_at: event.needed_time("created")?,
        fact: fact(&event_type, event)?,
        event_type,
    })
}

fn fact(event_type: &str, event: &Node<'_>) -> Result<Fact, ParseError> {
    let object = || event.needed_object("data.object");
    match event_type {
        "payment_intent.payment_failed" => failed::intent(&object()?),
        "charge.failed" => failed::charge(&object()?),
        "invoice.payment_failed" => failed::invoice(&object()?),
        "invoice.payment_action_required" => failed::invoice_wants_the_payer(&object()?),
        "payment_intent.succeeded" => paid::intent(&object()?),
        "invoice.paid" | "invoice.payment_succeeded" => paid::invoice(&object()?),
        "invoice_payment.paid" => paid::invoice_payment(&object()?),
        "checkout.session.completed" => underway::session(&object()?),
        "checkout.session.async_payment_succeeded" => paid::session(&object()?),
        "checkout.session.async_payment_failed" => underway::session_failed(&object()?),
        "checkout.session.expired" => Ok(Fact::CheckoutExpired {
            reference: object()?.needed_text("id")?,
        }),
        "payment_intent.amount_capturable_updated" => underway::authorized(&object()?),
        "payment_intent.canceled" => changed::intent_cancelled(&object()?),
        "invoice.voided" => changed::invoice_given_up(&object()?, "voided the invoice"),
        "invoice.marked_uncollectible" => {
            changed::invoice_given_up(&object()?, "marked the invoice as uncollectible")
        }
        "charge.refunded" => changed::refunded(&object()?),
        "charge.dispute.created" => changed::disputed(&object()?),
        _ => Ok(Fact::Ignored),
    }
}

/// The means of that id and type; `card` is its card, if it is one.
fn means(id: Option<String>, kind: Option<&str>, card: &Node<'_>) -> TriedMeans {
    TriedMeans {
        id,
        fingerprint: card.text("fingerprint"),
        network: card.word("brand"),
        country: crate::means::country(card.text("country")),
        funding: card.word("funding"),
        rail: kind.map_or(Rail::Unknown, Rail::from_psp),
    }
}

/// The amount in `field` of an object with a `currency`.
fn money(object: &Node<'_>, field: &str) -> Result<Money, ParseError> {
    let minor = object.needed_whole(field)?;
    let currency = object.needed_text("currency")?;
    from_wire(minor, &currency).map_err(|fault| match fault {
        AmountFault::Currency(fault) => object.fault("currency", format!("is unknown: {fault}")),
        fault => object.fault(field, format!("is out of range: {fault}")),
    })
}

/// The invoice that an intent or a charge belongs to: `invoice` before Basil,
/// the reference that Stripe puts into `payment_details` since.
fn invoices(object: &Node<'_>) -> Vec<String> {
    object
        .id("invoice")
        .or_else(|| object.text("payment_details.order_reference"))
        .filter(|id| id.starts_with("in_"))
        .into_iter()
        .collect()
}

/// Named by the invoice itself before Basil, by its payments (where they are
/// included) since.
fn paying_intent(invoice: &Node<'_>) -> Option<String> {
    let payments = invoice.at("payments.data");
    invoice.id("payment_intent").or_else(|| {
        payments
            .elements()
            .find_map(|payment| payment.id("payment.payment_intent"))
    })
}
