//! Tries on cards that reports tell of: they use up what the rules leave a card,
//! whoever makes them.

use chrono::{DateTime, Utc};
use db::card_tries::{self, Card, Reported};
use db::transactions::StoredTransaction;
use db::{DbError, Tenant, Tx, attempts, recoveries, transactions};
use domain::Money;
use domain::limits::{TriedBy, TryOutcome};
use psp::webhook::{FailedPayment, PaymentSucceeded};

use super::failure::FailureReport;
use super::{Connection, Effect};

/// The try that a report is about.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The card, where the report tells it.
    pub card: Option<Card>,
    /// Whether a try without a card was made with the transaction's own one.
    pub by_known_card: bool,
    /// What was asked for, where that is not what is owed.
    pub amount: Option<Money>,
    /// The charge at the PSP.
    pub charge: Option<String>,
    /// Who made it, where the report tells.
    pub by: Option<TriedBy>,
    /// Whether it pays a bill, which the PSP tries again by itself.
    pub of_bill: bool,
}

impl Tried {
    /// The try of a failed payment.
    pub(super) fn of(connection: domain::id::ConnectionId, failed: &FailedPayment) -> Self {
        let (tried, charge) = (&failed.tried, failed.charge.clone());
        let (fingerprint, id) = (tried.fingerprint.as_deref(), tried.id.as_deref());
        Self {
            card: Card::of(Some(connection), fingerprint, id),
            by_known_card: failed.recovery_hint.is_none() && failed.attempt_hint.is_none(),
            amount: Some(failed.amount),
            charge,
            by: made_by(
                failed.attempt_hint.is_some(),
                failed.recovery_hint.is_some(),
            ),
            of_bill: names_bill(&failed.payment.id, &failed.also_known_as),
        }
    }

    /// A try that the merchant's own systems report.
    pub(crate) const fn told() -> Self {
        Self {
            card: None,
            by_known_card: true,
            amount: None,
            charge: None,
            by: None,
            of_bill: false,
        }
    }
}

/// Who made a payment that Tinko wrote to: its own charge, or the payer at a
/// checkout of Tinko's.
fn made_by(our_attempt: bool, our_recovery: bool) -> Option<TriedBy> {
    match (our_attempt, our_recovery) {
        (true, _) => Some(TriedBy::Us),
        (false, true) => Some(TriedBy::Payer),
        (false, false) => None,
    }
}

/// Stripe's and Razorpay's invoices.
fn names_bill(payment: &str, also: &[String]) -> bool {
    let is_bill = |id: &str| id.starts_with("in_") || id.starts_with("inv_");
    is_bill(payment) || also.iter().any(|id| is_bill(id))
}

/// Records the try that a report of a failure is about.
pub(super) async fn declined(
    tx: &mut Tx,
    tenant: Tenant,
    transaction: &StoredTransaction,
    report: &FailureReport,
    effect: Effect,
) -> Result<(), DbError> {
    if let Some((card, new)) = of_report(transaction, report, effect) {
        card_tries::record(tx, tenant, &card, &new).await?;
    }
    Ok(())
}

/// The try that a report of a failure is about, if it was made with a card that
/// is known.
pub(super) fn of_report<'a>(
    transaction: &StoredTransaction,
    report: &'a FailureReport,
    effect: Effect,
) -> Option<(Card, Reported<'a>)> {
    let tried = &report.tried;
    let own = || transaction.card().filter(|_| tried.by_known_card);
    let card = tried.card.clone().or_else(own)?;
    let again = tried.of_bill && effect != Effect::Opened;
    let failure = &report.failure;
    let new = Reported {
        transaction: transaction.id,
        amount: tried.amount.unwrap_or(transaction.amount),
        at: failure.occurred_at,
        by: tried
            .by
            .unwrap_or(if again { TriedBy::Psp } else { TriedBy::Payer }),
        outcome: TryOutcome::Declined,
        charge: tried.charge.as_deref(),
        decline_code: failure.network_decline_code.as_deref(),
        advice_code: failure.network_advice_code.as_deref(),
    };
    Some((card, new))
}

/// Records the try by which a payment that is being recovered succeeded. That of
/// our own charge under way is its worker's to settle.
pub(super) async fn approved(
    tx: &mut Tx,
    connection: Connection,
    at: DateTime<Utc>,
    paid: &PaymentSucceeded,
) -> Result<(), DbError> {
    let tenant = connection.tenant;
    let (fingerprint, id) = (paid.tried.fingerprint.as_deref(), paid.tried.id.as_deref());
    let Some(card) = Card::of(Some(connection.id), fingerprint, id) else {
        return Ok(());
    };
    let objects = super::success::objects(paid);
    let known = transactions::by_object(tx.conn(), tenant, connection.provider, &objects).await?;
    let Some(transaction) = known else {
        return Ok(());
    };
    let recovery = recoveries::newest_of_transaction(tx, tenant, transaction).await?;
    let under_way = match &recovery {
        Some(recovery) => attempts::charge_under_way(tx.conn(), tenant, recovery.id).await?,
        None => None,
    };
    if under_way.is_some() {
        return Ok(());
    }
    let by = made_by(paid.attempt_hint.is_some(), paid.recovery_hint.is_some());
    let bill = names_bill(&paid.payment.id, &paid.also_known_as);
    let new = Reported {
        transaction,
        amount: paid.amount,
        at,
        by: by.unwrap_or(if bill { TriedBy::Psp } else { TriedBy::Payer }),
        outcome: TryOutcome::Approved,
        charge: paid.charge.as_deref(),
        decline_code: None,
        advice_code: None,
    };
    card_tries::record(tx, tenant, &card, &new).await?;
    Ok(())
}
