//! What a decision about a recovery is made from, read from the rows.
//!
//! The planner and the simulator read the same facts by the same functions, so
//! that what is simulated is what would be done.

mod sample;

use chrono::{DateTime, Utc};
use domain::classification::{Hardness, Signals, classify};
use domain::experiment::Assignment;
use domain::limits::{CardNetwork, CardTry, Rail};
use domain::payer::{PhoneNumber, country, time_zone};
use domain::schedule::{Decline, Facts, FailureFacts, PastAttempt, seed};
use domain::{Bar, Channel, PayerAddress, Provider};

pub use sample::{OwnFailure, Sample, sample};

use crate::attempts::StoredAttempt;
use crate::failures::{NewFailure, StoredFailure};
use crate::recoveries::StoredRecovery;
use crate::transactions::StoredTransaction;
use crate::{Conn, DbError, Tenant, card_tries, connections, failures, reach, transactions};

/// Whether a PSP charges saved means without the payer.
pub type Charges = fn(Provider) -> bool;

/// What was read of a recovery.
pub struct Read {
    /// All that its next step is decided from.
    pub facts: Facts,
    /// The payer's addresses, each with what keeps it from being written to, if anything does.
    pub contacts: Vec<(PayerAddress, Option<Bar>)>,
}

/// What a recovery is about.
pub struct Matter {
    transaction: StoredTransaction,
    failure: StoredFailure,
}

/// Reads what a recovery is about; nothing if its transaction or its failure is not there to
/// read.
pub async fn matter(conn: &Conn, recovery: &StoredRecovery) -> Result<Option<Matter>, DbError> {
    let (transaction, failure) = tokio::try_join!(
        transactions::find(conn, recovery.tenant, recovery.transaction),
        failures::newest(conn, recovery.tenant, recovery.id),
    )?;
    let both = transaction.zip(failure);
    Ok(both.map(|(transaction, failure)| Matter {
        transaction,
        failure,
    }))
}

/// Reads all that the recovery's next step is decided from at `now`, but for the attempts so
/// far, which the caller knows, and the matter.
///
/// What does not hang on each other is asked for together: a statement that waits for
/// nothing but the answer to another costs more in waking up than in reading.
pub async fn of_matter(
    conn: &Conn,
    now: DateTime<Utc>,
    recovery: &StoredRecovery,
    matter: Matter,
    past: &[StoredAttempt],
    charges: Charges,
) -> Result<Read, DbError> {
    let tenant = recovery.tenant;
    let Matter {
        transaction,
        failure,
    } = matter;
    let contacts = contacts(&transaction, Channel::ALL);
    let (bars, can_charge, tries) = tokio::try_join!(
        reach::bars(conn, tenant, &contacts),
        can_charge(conn, recovery, &transaction, charges),
        tries(conn, tenant, &transaction, now),
    )?;
    let contacts: Vec<_> = contacts.into_iter().zip(bars).collect();
    let reachable = contacts.iter().filter(|(_, bar)| bar.is_none());
    let reachable = reachable.map(|(contact, _)| contact.channel()).collect();
    let facts = Facts {
        now,
        assignment: recovery.assigned.arm.clone(),
        attempts: past.iter().map(past_attempt).collect(),
        reachable,
        can_charge,
        tries,
        ..at_opening(recovery, &failure.report, &transaction)
    };
    Ok(Read { facts, contacts })
}

/// What was tried on the transaction's card of late.
async fn tries(
    conn: &Conn,
    tenant: Tenant,
    transaction: &StoredTransaction,
    now: DateTime<Utc>,
) -> Result<Vec<CardTry>, DbError> {
    match transaction.card() {
        Some(card) => Ok(card_tries::recent(conn, tenant, &card, now).await?.tries),
        None => Ok(Vec::new()),
    }
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

/// Whether the saved means can be charged without the payer: they are saved, at
/// a PSP that offers it, with the merchant's own payment to confirm again, and
/// no report has refused them for good.
async fn can_charge(
    conn: &Conn,
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
    let connection = connections::find(conn, recovery.tenant, Some(id)).await?;
    Ok(connection.is_some_and(|connection| charges(connection.provider)))
}
