//! Stripe's events, in the shapes of API versions from 2022-11-15 to Clover.

mod failed;
mod paid;

use domain::Money;
use domain::limits::Rail;

use super::fact::{Disputed, Fact, Incoming, Refunded};
use super::json::{Node, ParseError};
use crate::stripe::amount::{AmountFault, from_wire};
use crate::{PaymentRef, TriedMeans};

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
        "payment_intent.succeeded" => paid::intent(&object()?),
        "checkout.session.completed" | "checkout.session.async_payment_succeeded" => {
            paid::session(&object()?)
        }
        "checkout.session.expired" => Ok(Fact::CheckoutExpired {
            reference: object()?.needed_text("id")?,
        }),
        "charge.refunded" => refunded(&object()?),
        "charge.dispute.created" => disputed(&object()?),
        _ => Ok(Fact::Ignored),
    }
}

fn refunded(charge: &Node<'_>) -> Result<Fact, ParseError> {
    let id = charge.needed_text("id")?;
    Ok(Fact::Refunded(Refunded {
        payment: PaymentRef::stripe(charge.id("payment_intent").unwrap_or_else(|| id.clone())),
        also_known_as: invoices(charge),
        amount: money(charge, "amount_refunded")?,
        charge: Some(id),
    }))
}

fn disputed(dispute: &Node<'_>) -> Result<Fact, ParseError> {
    let charge = dispute.id("charge");
    let payment = dispute.id("payment_intent").or_else(|| charge.clone());
    Ok(Fact::Disputed(Disputed {
        payment: PaymentRef::stripe(
            payment.ok_or_else(|| dispute.fault("charge", "must name the disputed charge"))?,
        ),
        also_known_as: Vec::new(),
        charge,
        amount: money(dispute, "amount")?,
        reason: dispute.text("reason"),
    }))
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
