//! The budget of tries that the rules leave a card, asked before each charge.

use chrono::{DateTime, Utc};
use db::attempts::StoredAttempt;
use db::card_tries::{self, Card, Known, LastDecline, OurTry};
use db::recoveries::StoredRecovery;
use db::transactions::StoredTransaction;
use db::{DbError, Tx};
use domain::limits::{CardNetwork, Ceiling, ChargeCase, Rail, RulePack};
use domain::payer::{Country, PhoneNumber, country, time_zone};
use domain::{AttemptKind, AttemptState, Money};
use psp::Decline;

/// What the rules ask of a charge beside the tries on its card.
struct Case {
    rail: Rail,
    network: Option<CardNetwork>,
    country: Option<Country>,
    amount: Money,
    decided_at: DateTime<Utc>,
    reported: Option<LastDecline>,
    failed_at: DateTime<Utc>,
    recovery_charges: u32,
    time_zone: chrono_tz::Tz,
}

/// Reserves the attempt's try on the card of the saved means, in the transaction
/// that holds the recovery's lock. None if nothing tells what would be charged.
pub(super) async fn reserve(
    tx: &mut Tx,
    attempt: &StoredAttempt,
    recovery: &StoredRecovery,
    transaction: &StoredTransaction,
) -> Result<Ceiling, DbError> {
    let Some(card) = transaction.card() else {
        return Ok(Ceiling::Allowed);
    };
    let case = read(tx, attempt, recovery, transaction).await?;
    let now = tx.now();
    let ours = ours(attempt, recovery);
    let verdict = |known: &Known| case.verdict(known, now);
    card_tries::reserve(tx, attempt.tenant, &card, &ours, verdict).await
}

/// Holds the try of a charge that may have been sent before tries were reserved.
pub(super) async fn keep(
    tx: &mut Tx,
    attempt: &StoredAttempt,
    recovery: &StoredRecovery,
    transaction: &StoredTransaction,
) -> Result<(), DbError> {
    match transaction.card() {
        Some(card) => card_tries::keep(tx, attempt.tenant, &card, &ours(attempt, recovery)).await,
        None => Ok(()),
    }
}

/// The card that a decline tells more of: the saved means, with its fingerprint.
pub(super) fn told(transaction: &StoredTransaction, decline: &Decline) -> Option<Card> {
    let saved = transaction.known.saved_payment_method.as_deref()?;
    let tried = &decline.tried;
    let fingerprint = tried.fingerprint.as_deref()?;
    let same = tried.id.as_deref().is_none_or(|id| id == saved);
    same.then(|| Card::of(transaction.known.connection, Some(fingerprint), Some(saved)))?
}

const fn ours(attempt: &StoredAttempt, recovery: &StoredRecovery) -> OurTry {
    OurTry {
        attempt: attempt.id,
        transaction: recovery.transaction,
        amount: recovery.amount,
    }
}

async fn read(
    tx: &mut Tx,
    attempt: &StoredAttempt,
    recovery: &StoredRecovery,
    transaction: &StoredTransaction,
) -> Result<Case, DbError> {
    let (tenant, known) = (attempt.tenant, &transaction.known);
    let failure = db::failures::newest(tx.conn(), tenant, recovery.id).await?;
    let attempts = db::attempts::of_recovery(tx.conn(), tenant, recovery.id).await?;
    let phone = known.payer_phone.as_deref().map(PhoneNumber::parse);
    let phone = phone.and_then(Result::ok);
    let currency = recovery.amount.currency();
    let payer_in = country(None, phone.as_ref(), currency);
    let zone = known.payer_time_zone.as_deref();
    Ok(Case {
        rail: transaction.rail(),
        network: known.network.as_deref().map(CardNetwork::from_psp),
        country: known.card_country.or(payer_in),
        amount: recovery.amount,
        decided_at: attempt.created_at,
        failed_at: failure
            .as_ref()
            .map_or(recovery.opened_at, |failure| failure.report.occurred_at),
        reported: failure.map(|failure| LastDecline {
            at: failure.report.occurred_at,
            decline_code: failure.report.network_decline_code,
            advice_code: failure.report.network_advice_code,
        }),
        recovery_charges: sent(&attempts),
        time_zone: time_zone(zone, phone.as_ref(), payer_in, currency),
    })
}

/// Charges that reached the PSP, or may have.
fn sent(attempts: &[StoredAttempt]) -> u32 {
    let sent = attempts.iter().filter(|attempt| {
        attempt.kind == AttemptKind::Charge
            && matches!(
                attempt.state,
                AttemptState::Declined | AttemptState::Succeeded | AttemptState::InDoubt
            )
    });
    u32::try_from(sent.count()).unwrap_or(u32::MAX)
}

impl Case {
    fn verdict(&self, known: &Known, now: DateTime<Utc>) -> Ceiling {
        let last = [known.last_decline.as_ref(), self.reported.as_ref()];
        let last = last.into_iter().flatten().max_by_key(|decline| decline.at);
        let case = ChargeCase {
            rail: self.rail,
            network: self.network,
            country: self.country,
            amount: self.amount,
            recurring: true,
            decided_at: self.decided_at,
            tries: &known.tries,
            last_decline_code: last.and_then(|last| last.decline_code.as_deref()),
            last_advice_code: last.and_then(|last| last.advice_code.as_deref()),
            failed_at: last.map_or(self.failed_at, |last| last.at),
            recovery_charges: self.recovery_charges,
            time_zone: self.time_zone,
        };
        RulePack::current().earliest_charge(&case, now)
    }
}
