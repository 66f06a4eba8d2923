//! What a decision about a recovery is made from, read from the rows.
//!
//! The planner and the simulator read the same facts by the same functions, so
//! that what is simulated is what would be done.

mod sample;

use domain::classification::{Hardness, Signals, classify};
use domain::experiment::Assignment;
use domain::limits::{CardNetwork, Rail};
use domain::payer::{PhoneNumber, country, time_zone};
use domain::schedule::{Decline, Facts, FailureFacts, PastAttempt, seed};
use domain::{Channel, PayerAddress, Provider};

pub use sample::{OwnFailure, Sample, sample};

use crate::attempts::StoredAttempt;
use crate::failures::NewFailure;
use crate::recoveries::StoredRecovery;
use crate::transactions::StoredTransaction;
use crate::{
    DbError, Tenant, Tx, attempts, card_tries, connections, failures, reach, transactions,
};

/// Whether a PSP charges saved means without the payer.
pub type Charges = fn(Provider) -> bool;

/// All that the recovery's next step is decided from; nothing if its
/// transaction or its failure is not there to read.
pub async fn of_recovery(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    charges: Charges,
) -> Result<Option<Facts>, DbError> {
    let tenant = recovery.tenant;
    let Some(transaction) = transactions::find(tx.conn(), tenant, recovery.transaction).await?
    else {
        return Ok(None);
    };
    let Some(failure) = failures::newest(tx.conn(), tenant, recovery.id).await? else {
        return Ok(None);
    };
    let past = attempts::of_recovery(tx.conn(), tenant, recovery.id).await?;
    let reachable = reachable(tx, &transaction, tenant).await?;
    let can_charge = can_charge(tx, recovery, &transaction, charges).await?;
    let tries = match transaction.card() {
        Some(card) => {
            let now = tx.now();
            card_tries::recent(tx.conn(), tenant, &card, now)
                .await?
                .tries
        }
        None => Vec::new(),
    };
    Ok(Some(Facts {
        now: tx.now(),
        assignment: recovery.assigned.arm.clone(),
        attempts: past.iter().map(past_attempt).collect(),
        reachable,
        can_charge,
        tries,
        ..at_opening(recovery, &failure.report, &transaction)
    }))
}

/// What the rows of a recovery say by themselves, as of its opening: nothing is
/// known of attempts and tries, nobody is reached and nothing charged.
fn at_opening(
    recovery: &StoredRecovery,
    failure: &NewFailure,
    transaction: &StoredTransaction,
) -> Facts {
    let known = &transaction.known;
    let phone = known.payer_phone.as_deref();
    let phone = phone.and_then(|text| PhoneNumber::parse(text).ok());
    let currency = transaction.amount.currency();
    let country = country(None, phone.as_ref(), currency);
    let zone = known.payer_time_zone.as_deref();
    Facts {
        now: recovery.opened_at,
        opened_at: recovery.opened_at,
        seed: seed(recovery.id),
        assignment: Assignment::default(),
        failure: failure_facts(failure, transaction),
        attempts: Vec::new(),
        reachable: Vec::new(),
        can_charge: false,
        rail: transaction.rail(),
        network: network(transaction),
        card_country: known.card_country,
        country,
        time_zone: time_zone(zone, phone.as_ref(), country, currency),
        amount: transaction.amount,
        tries: Vec::new(),
        asked_for: None,
    }
}

/// A failure as it was reported, with what is made of it.
fn failure_facts(report: &NewFailure, transaction: &StoredTransaction) -> FailureFacts {
    let signals = Signals {
        network: network(transaction),
        rail: Some(transaction.rail()).filter(|rail| *rail != Rail::Unknown),
        ..report.signals()
    };
    FailureFacts::new(report.occurred_at, &signals, &classify(&signals))
}

fn network(transaction: &StoredTransaction) -> Option<CardNetwork> {
    transaction
        .known
        .network
        .as_deref()
        .map(CardNetwork::from_psp)
}

fn past_attempt(attempt: &StoredAttempt) -> PastAttempt {
    PastAttempt {
        kind: attempt.kind,
        state: attempt.state,
        at: if attempt.state.is_final() {
            attempt.updated_at
        } else {
            attempt.due_at
        },
        decline: attempt
            .category
            .zip(attempt.hardness)
            .map(|(category, hardness)| Decline { category, hardness }),
    }
}

/// The payer's addresses on these channels, as far as there are any that read.
pub fn contacts(transaction: &StoredTransaction, channels: &[Channel]) -> Vec<PayerAddress> {
    let known = &transaction.known;
    let contact = |channel: &Channel| {
        let address = match channel {
            Channel::Email => known.payer_email.as_deref(),
            Channel::Sms | Channel::WhatsApp => known.payer_phone.as_deref(),
        };
        PayerAddress::parse(*channel, address?).ok()
    };
    channels.iter().filter_map(contact).collect()
}

async fn reachable(
    tx: &mut Tx,
    transaction: &StoredTransaction,
    tenant: Tenant,
) -> Result<Vec<Channel>, DbError> {
    let contacts = contacts(transaction, Channel::ALL);
    let reachable = reach::reachable(tx.conn(), tenant, contacts).await?;
    Ok(reachable.iter().map(PayerAddress::channel).collect())
}

/// Whether the saved means can be charged without the payer: they are saved, at
/// a PSP that offers it, with the merchant's own payment to confirm again, and
/// no report has refused them for good.
async fn can_charge(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    transaction: &StoredTransaction,
    charges: Charges,
) -> Result<bool, DbError> {
    if recovery.hardness == Hardness::Hard || !transaction.has_saved_means() {
        return Ok(false);
    }
    let Some(id) = transaction.known.connection else {
        return Ok(false);
    };
    let connection = connections::find(tx.conn(), recovery.tenant, Some(id)).await?;
    Ok(connection.is_some_and(|connection| charges(connection.provider)))
}
