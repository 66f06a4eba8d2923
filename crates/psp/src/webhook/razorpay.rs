//! Razorpay's events.
//!
//! The event's own id is in the header `X-Razorpay-Event-Id`, which is what
//! Razorpay says to tell repeats by; the body has none.
//!
//! Events come in any order. A payment that failed may be authorized and
//! captured later (late authorization), but never the other way round, so of two
//! facts about one payment the later one can be told without their times.

use domain::limits::Rail;
use domain::{Currency, Money};

use super::fact::{
    Disputed, Fact, FailedPayment, Incoming, PartPayment, Payer, PaymentSucceeded, Refunded,
    UnsettledPayment,
};
use super::json::{Node, ParseError};
use super::notes::Notes;
use crate::{FailureSignals, PaymentMethodKind, PaymentRef, SavedMeans, TriedMeans};

/// What Razorpay writes where a payer gave no address.
const NO_ADDRESS: &str = "void@razorpay.com";

pub(super) fn parse(
    event: &Node<'_>,
    event_id_header: Option<&str>,
) -> Result<Incoming, ParseError> {
    let event_id = event_id_header.map(str::trim).filter(|id| !id.is_empty());
    let event_type = event.needed_text("event")?;
    Ok(Incoming {
        event_id: event_id
            .ok_or_else(|| ParseError::new("x-razorpay-event-id", "must name the event"))?
            .to_owned(),
        occurred_at: event.needed_time("created_at")?,
        fact: fact(&event_type, event)?,
        event_type,
    })
}

fn fact(event_type: &str, event: &Node<'_>) -> Result<Fact, ParseError> {
    let entity = |name: &str| event.needed_object(&format!("payload.{name}.entity"));
    match event_type {
        "payment.failed" => failed(&entity("payment")?),
        "payment.authorized" => authorized(&entity("payment")?),
        "payment.captured" | "order.paid" => succeeded(&entity("payment")?, None),
        "payment_link.paid" => succeeded(&entity("payment")?, Some(&entity("payment_link")?)),
        "payment_link.partially_paid" => partly_paid(&entity("payment")?, &entity("payment_link")?),
        "payment_link.expired" | "payment_link.cancelled" => Ok(Fact::CheckoutExpired {
            reference: entity("payment_link")?.needed_text("id")?,
        }),
        "refund.processed" => refunded(&entity("refund")?, &event.at("payload.payment.entity")),
        "payment.dispute.created" => {
            disputed(&entity("dispute")?, &event.at("payload.payment.entity"))
        }
        _ => Ok(Fact::Ignored),
    }
}

fn failed(payment: &Node<'_>) -> Result<Fact, ParseError> {
    let id = payment.needed_text("id")?;
    let notes = Notes::of(payment.entries("notes"));
    let code = payment.text("error_reason");
    Ok(Fact::PaymentFailed(Box::new(FailedPayment {
        payment: PaymentRef::razorpay(&id),
        also_known_as: bills(payment),
        charge: Some(id),
        amount: money(payment, "amount")?,
        signals: FailureSignals {
            broad_code: code.as_ref().and_then(|_| payment.text("error_code")),
            code: code.or_else(|| payment.text("error_code")),
            field: payment.text("error_field"),
            network: payment.word("card.network"),
            message: payment.text("error_description"),
            source: payment.text("error_source"),
            step: payment.text("error_step"),
            ..FailureSignals::default()
        },
        method: method(payment.text("method").as_deref()),
        tried: tried(payment),
        saved_means: saved(payment),
        psp_retries: None,
        payer: Payer {
            email: payment.text("email").filter(|email| email != NO_ADDRESS),
            phone: payment.text("contact"),
            name: payment.text("card.name"),
            country: None,
            locale: notes.locale,
        },
        transaction_ref: notes.transaction_ref,
        recovery_hint: notes.recovery,
        attempt_hint: notes.attempt,
        metadata: notes.all,
    })))
}

/// A link's own notes are what Tinko wrote; its payment may not carry them.
fn succeeded(payment: &Node<'_>, link: Option<&Node<'_>>) -> Result<Fact, ParseError> {
    let id = payment.needed_text("id")?;
    let mut entries = payment.entries("notes");
    if let Some(link) = link {
        entries.extend(link.entries("notes"));
    }
    let notes = Notes::of(entries);
    Ok(Fact::PaymentSucceeded(Box::new(PaymentSucceeded {
        payment: PaymentRef::razorpay(&id),
        also_known_as: bills(payment),
        charge: Some(id),
        amount: money(payment, "amount")?,
        transaction_ref: notes.transaction_ref,
        recovery_hint: notes.recovery,
        attempt_hint: notes.attempt,
        checkout: link.map(|link| link.needed_text("id")).transpose()?,
        tried: tried(payment),
    })))
}

/// `payment.authorized`: the bank has set the money aside. Most are captured at
/// once; one that was failed before is authorized late, and goes back by itself
/// where nobody captures it.
fn authorized(payment: &Node<'_>) -> Result<Fact, ParseError> {
    Ok(Fact::PaymentUnderway(Box::new(unsettled(payment)?)))
}

fn unsettled(payment: &Node<'_>) -> Result<UnsettledPayment, ParseError> {
    let notes = Notes::of(payment.entries("notes"));
    Ok(UnsettledPayment {
        payment: PaymentRef::razorpay(payment.needed_text("id")?),
        also_known_as: bills(payment),
        amount: money(payment, "amount")?,
        transaction_ref: notes.transaction_ref,
        recovery_hint: notes.recovery,
        checkout: None,
    })
}

/// `payment_link.partially_paid`, of links that take parts; Tinko's don't.
fn partly_paid(payment: &Node<'_>, link: &Node<'_>) -> Result<Fact, ParseError> {
    let mut also_known_as = bills(payment);
    also_known_as.push(link.needed_text("id")?);
    Ok(Fact::PartlyPaid(PartPayment {
        payment: PaymentRef::razorpay(payment.needed_text("id")?),
        also_known_as,
        amount: money(payment, "amount")?,
        recovery_hint: Notes::of(link.entries("notes")).recovery,
    }))
}

/// `refund.processed`. Of a payment that was never captured it is Razorpay's own
/// (<https://razorpay.com/docs/payments/refunds/auto-refunds>): nothing was paid.
fn refunded(refund: &Node<'_>, payment: &Node<'_>) -> Result<Fact, ParseError> {
    if payment.is_false_at("captured") {
        return Ok(Fact::PaymentReleased(Box::new(unsettled(payment)?)));
    }
    let id = refund.needed_text("payment_id")?;
    Ok(Fact::Refunded(Refunded {
        payment: PaymentRef::razorpay(&id),
        also_known_as: bills(payment),
        charge: Some(id),
        amount: money(refund, "amount")?,
    }))
}

fn disputed(dispute: &Node<'_>, payment: &Node<'_>) -> Result<Fact, ParseError> {
    let id = dispute.needed_text("payment_id")?;
    Ok(Fact::Disputed(Disputed {
        payment: PaymentRef::razorpay(&id),
        also_known_as: bills(payment),
        charge: Some(id),
        amount: money(dispute, "amount")?,
        reason: dispute.text("reason_code"),
    }))
}

/// What a payment tries to pay; the next try is another payment for the same.
fn bills(payment: &Node<'_>) -> Vec<String> {
    let ids = [payment.text("order_id"), payment.text("invoice_id")];
    ids.into_iter().flatten().collect()
}

fn saved(payment: &Node<'_>) -> Option<SavedMeans> {
    Some(SavedMeans {
        customer: Some(payment.text("customer_id")?),
        payment_method: payment.text("token_id")?,
    })
}

/// A saved card or mandate is known by its token. Razorpay tells no fingerprint:
/// a card that was typed in anew is another card to us.
fn tried(payment: &Node<'_>) -> TriedMeans {
    let token = payment.text("token_id");
    let issued_in_india = payment.is_false_at("card.international");
    TriedMeans {
        rail: rail(payment, token.is_some()),
        id: token
            .or_else(|| payment.text("card_id"))
            .or_else(|| payment.text("card.id")),
        fingerprint: None,
        network: payment.word("card.network"),
        country: issued_in_india.then(|| "IN".to_owned()),
        funding: payment.word("card.type"),
    }
}

/// A payment over UPI by a token is a debit under a mandate.
fn rail(payment: &Node<'_>, by_token: bool) -> Rail {
    match payment.text("method").as_deref().map(Rail::from_psp) {
        Some(Rail::UpiCollect) if by_token => Rail::UpiAutopay,
        Some(rail) => rail,
        None => Rail::Unknown,
    }
}

fn method(name: Option<&str>) -> PaymentMethodKind {
    match name {
        Some("card" | "emi") => PaymentMethodKind::Card,
        Some("upi") => PaymentMethodKind::Upi,
        Some("netbanking") => PaymentMethodKind::Netbanking,
        Some("wallet") => PaymentMethodKind::Wallet,
        _ => PaymentMethodKind::Other,
    }
}

/// Razorpay writes ISO 4217's minor units.
fn money(object: &Node<'_>, field: &str) -> Result<Money, ParseError> {
    let minor = object.needed_whole(field)?;
    let currency = Currency::parse(&object.needed_text("currency")?)
        .map_err(|fault| object.fault("currency", format!("is unknown: {fault}")))?;
    Money::new(minor, currency)
        .map_err(|fault| object.fault(field, format!("is out of range: {fault}")))
}
