//! What changes about a payment afterwards: cancelled, refunded, disputed.

use super::{invoices, money, underway};
use crate::PaymentRef;
use crate::webhook::fact::{CancelledPayment, Disputed, Fact, Refunded};
use crate::webhook::json::{Node, ParseError};

/// `payment_intent.canceled`.
pub(super) fn intent_cancelled(intent: &Node<'_>) -> Result<Fact, ParseError> {
    Ok(Fact::PaymentCancelled(CancelledPayment {
        payment: PaymentRef::stripe(intent.needed_text("id")?),
        what: "cancelled the payment at the PSP",
    }))
}

/// `invoice.voided`, `invoice.marked_uncollectible`.
pub(super) fn invoice_given_up(invoice: &Node<'_>, what: &'static str) -> Result<Fact, ParseError> {
    Ok(Fact::PaymentCancelled(CancelledPayment {
        payment: PaymentRef::stripe(invoice.needed_text("id")?),
        what,
    }))
}

/// `charge.refunded`. Of a charge that was never captured nothing goes back: it
/// is released.
pub(super) fn refunded(charge: &Node<'_>) -> Result<Fact, ParseError> {
    if charge.is_false_at("captured") {
        return underway::released(charge);
    }
    let id = charge.needed_text("id")?;
    Ok(Fact::Refunded(Refunded {
        payment: PaymentRef::stripe(charge.id("payment_intent").unwrap_or_else(|| id.clone())),
        also_known_as: invoices(charge),
        amount: money(charge, "amount_refunded")?,
        charge: Some(id),
    }))
}

/// `charge.dispute.created`.
pub(super) fn disputed(dispute: &Node<'_>) -> Result<Fact, ParseError> {
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
