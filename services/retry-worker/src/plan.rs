//! The next step of a recovery, put into rows.
//!
//! What to do is decided by `domain::schedule::next`, a pure function; here its
//! inputs are read and its answer is written, in the caller's transaction, which
//! holds the recovery's row lock.

use db::attempts::{NewAttempt, StoredAttempt};
use db::failures::StoredFailure;
use db::recoveries::StoredRecovery;
use db::transactions::StoredTransaction;
use db::{DbError, Tx};
use domain::classification::{Classification, FailureSource, Hardness, Signals, classify};
use domain::limits::{CardNetwork, Rail};
use domain::payer::{PhoneNumber, country, time_zone};
use domain::policy::RetryPolicy;
use domain::schedule::{self, Decline, History, PastAttempt, Plan, Step};
use domain::{Channel, PayerAddress, RecoveryState};
use serde_json::json;

/// What planning did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planned {
    /// A step was scheduled.
    Scheduled,
    /// Nothing is left to do but wait for the payer, or the recovery ended.
    Nothing,
}

/// Plans the recovery's next step. The recovery is open, locked, and has no
/// attempt that is not final.
pub async fn next(tx: &mut Tx, recovery: &StoredRecovery) -> Result<Planned, DbError> {
    let tenant = recovery.tenant;
    let Some(transaction) = db::transactions::find(tx.conn(), tenant, recovery.transaction).await?
    else {
        return Ok(Planned::Nothing);
    };
    let Some(failure) = db::failures::newest(tx.conn(), tenant, recovery.id).await? else {
        return Ok(Planned::Nothing);
    };
    let policy = policy_of(tx, recovery).await?;
    let attempts = db::attempts::of_recovery(tx.conn(), tenant, recovery.id).await?;
    let reachable = reachable(tx, &transaction, tenant).await?;
    let can_charge = can_charge(tx, recovery, &transaction).await?;
    let classification = classification_of(&failure, &transaction);
    let phone = phone(&transaction);
    let currency = transaction.amount.currency();
    let country = country(None, phone.as_ref(), currency);
    let past: Vec<PastAttempt> = attempts.iter().map(past).collect();
    let history = History {
        opened_at: recovery.opened_at,
        failed_at: failure.report.occurred_at,
        classification: &classification,
        attempts: &past,
        reachable: &reachable,
        can_charge,
        time_zone: time_zone(
            transaction.known.payer_time_zone.as_deref(),
            phone.as_ref(),
            country,
            currency,
        ),
        network: transaction
            .known
            .network
            .as_deref()
            .map(CardNetwork::from_psp),
        amount: transaction.amount,
    };
    let now = tx.now();
    let plan = schedule::next(&policy, &history, now, tx.rng());
    write(tx, recovery, plan).await
}

async fn write(tx: &mut Tx, recovery: &StoredRecovery, plan: Plan) -> Result<Planned, DbError> {
    let tenant = recovery.tenant;
    match plan {
        Plan::Act(step) => schedule(tx, recovery, &step).await,
        Plan::Wait { until, why } => {
            db::recoveries::finish_plan(tx, tenant, recovery.id, until).await?;
            let detail = json!({ "until": until });
            db::timeline::add(tx, tenant, recovery.id, "recovery.waiting", &why, detail).await?;
            Ok(Planned::Nothing)
        }
        Plan::GiveUp { why } => {
            db::ending::ended(tx, tenant, recovery.id, RecoveryState::Exhausted, &why).await?;
            Ok(Planned::Nothing)
        }
    }
}

async fn schedule(tx: &mut Tx, recovery: &StoredRecovery, step: &Step) -> Result<Planned, DbError> {
    let new = NewAttempt {
        number: step.number,
        kind: step.kind,
        channels: &step.channels,
        why: &step.why,
        due_at: step.due_at,
    };
    let Some(attempt) = db::attempts::schedule(tx, recovery.tenant, recovery.id, &new).await?
    else {
        return Ok(Planned::Nothing);
    };
    let detail = json!({
        "attempt_id": attempt,
        "number": step.number,
        "kind": step.kind,
        "due_at": step.due_at,
        "channels": step.channels,
    });
    db::timeline::add(
        tx,
        recovery.tenant,
        recovery.id,
        "attempt.scheduled",
        &step.why,
        detail,
    )
    .await?;
    Ok(Planned::Scheduled)
}

/// The policy version that the recovery opened with, else the default one. A
/// stored document was checked when it was stored; one that no longer reads is
/// a fault of ours and fails the work rather than guess with somebody's money.
pub(crate) async fn policy_of(
    tx: &mut Tx,
    recovery: &StoredRecovery,
) -> Result<RetryPolicy, DbError> {
    let Some(id) = recovery.policy else {
        return Ok(RetryPolicy::default());
    };
    let stored = db::policies::find(tx.conn(), recovery.tenant, id).await?;
    stored.map_or_else(
        || Ok(RetryPolicy::default()),
        |stored| {
            RetryPolicy::from_json(&stored.document).map_err(|fault| DbError::Corrupt {
                what: "retry_policies.document",
                fault: fault.to_string(),
            })
        },
    )
}

fn classification_of(failure: &StoredFailure, transaction: &StoredTransaction) -> Classification {
    let report = &failure.report;
    let source = report.source.parse().unwrap_or(FailureSource::Api);
    classify(&Signals {
        gateway: report.gateway.as_deref(),
        code: report.code.as_deref(),
        advice_code: report.advice_code.as_deref(),
        network: transaction
            .known
            .network
            .as_deref()
            .map(CardNetwork::from_psp),
        network_decline_code: report.network_decline_code.as_deref(),
        network_advice_code: report.network_advice_code.as_deref(),
        message: report.message.as_deref(),
        rail: transaction
            .known
            .payment_kind
            .as_deref()
            .map(Rail::from_psp)
            .filter(|rail| *rail != Rail::Unknown),
        failed_on: Some(report.occurred_at.date_naive()),
        ..Signals::new(source)
    })
}

fn past(attempt: &StoredAttempt) -> PastAttempt {
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
pub(crate) fn contacts(transaction: &StoredTransaction, channels: &[Channel]) -> Vec<PayerAddress> {
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

fn phone(transaction: &StoredTransaction) -> Option<PhoneNumber> {
    let text = transaction.known.payer_phone.as_deref()?;
    PhoneNumber::parse(text).ok()
}

async fn reachable(
    tx: &mut Tx,
    transaction: &StoredTransaction,
    tenant: db::Tenant,
) -> Result<Vec<Channel>, DbError> {
    let contacts = contacts(transaction, Channel::ALL);
    let reachable = db::reach::reachable(tx.conn(), tenant, contacts).await?;
    Ok(reachable.iter().map(PayerAddress::channel).collect())
}

/// Whether the saved means can be charged without the payer: they are saved, at
/// a PSP that offers it, with the merchant's own payment to confirm again, and
/// no report has refused them for good.
async fn can_charge(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    transaction: &StoredTransaction,
) -> Result<bool, DbError> {
    let known = &transaction.known;
    let saved = known.saved_payment_method.is_some()
        && known.saved_customer.is_some()
        && known.payment_ref.is_some();
    if recovery.hardness == Hardness::Hard || !saved {
        return Ok(false);
    }
    let Some(id) = known.connection else {
        return Ok(false);
    };
    let connection = db::connections::find(tx.conn(), recovery.tenant, Some(id)).await?;
    Ok(connection.is_some_and(|connection| psp::can_charge(connection.provider)))
}
