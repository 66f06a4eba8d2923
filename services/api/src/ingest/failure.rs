//! A payment failed.

use chrono::{DateTime, Utc};
use contracts::Message;
use db::attempts;
use db::failures::{self, NewFailure};
use db::policies::StoredPolicy;
use db::recoveries::{self, Assigned, NewRecovery, StoredRecovery};
use db::timeline::NewEntry;
use db::transactions::{self, StoredTransaction};
use db::unknown_codes;
use db::{DbError, Tenant, Trace, Tx, policies, timeline};
use domain::classification::{Category, Classification, FailureSource, Hardness};
use domain::id::{AttemptId, FailureEventId, RecoveryId, TransactionId};
use domain::{Money, Provider, RecoveryState, RetryPolicy, TransactionRef};
use psp::webhook::PspRetries;

use super::{IngestError, ReportFault, Tried, said_before, told, tried};

/// A failure as it was reported, checked and classified.
pub struct FailureReport {
    /// Who reported it.
    pub source: FailureSource,
    /// What makes two reports the same failure.
    pub key: String,
    /// The merchant's name for what was owed.
    pub reference: TransactionRef,
    /// What was owed, if the report says.
    pub amount: Option<Money>,
    /// Whether another amount than the stored one is refused.
    pub amount_must_agree: bool,
    /// What it says of the transaction.
    pub about: transactions::Report,
    /// The objects at the PSP that belong to the transaction.
    pub objects: Option<(Provider, Vec<String>)>,
    /// The payment that failed, where a PSP says.
    pub payment: Option<ReportedPayment>,
    /// The try on a card that failed.
    pub tried: Tried,
    /// Whether it says why the payment failed; an invoice's event does not.
    pub says_why: bool,
    /// The PSP's own retries, where it tells of them.
    pub psp_retries: Option<PspRetries>,
    /// What went wrong.
    pub failure: NewFailure,
    /// What that means.
    pub classification: Classification,
}

/// A payment that a PSP reports on.
pub struct ReportedPayment {
    /// Its id, and those of what it paid for.
    pub ids: Vec<String>,
    /// Our attempt that made it.
    pub attempt: Option<AttemptId>,
}

/// What came of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// A recovery was opened.
    Opened,
    /// The open recovery took it in.
    Joined,
    /// The recovery had ended: kept, and nothing changes.
    Late,
    /// The echo of our own charge, which its worker settles.
    Echo,
    /// The failure was reported before.
    Duplicate,
    /// It adds nothing to what is known of the open recovery.
    NothingNew,
}

impl Effect {
    /// In words, as stored with a PSP's event.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Opened => "opened a recovery",
            Self::Joined => "joined the open recovery",
            Self::Late => "came after the recovery had ended, and changed nothing",
            Self::Echo => "is of our own charge, whose outcome is being settled",
            Self::NothingNew => "says nothing that is not known of the open recovery",
            Self::Duplicate => "reports a failure that was reported before",
        }
    }
}

/// Which rows a report led to.
#[derive(Debug, Clone, Copy)]
pub struct Ingested {
    /// The failure event; of an earlier report if this one is a duplicate.
    pub failure: FailureEventId,
    /// What was owed.
    pub transaction: TransactionId,
    /// The recovery, unless the report had no effect.
    pub recovery: Option<RecoveryId>,
    /// What came of it.
    pub effect: Effect,
}

/// Records a failure in this transaction, once.
pub async fn failure(
    tx: &mut Tx,
    tenant: Tenant,
    report: &FailureReport,
) -> Result<Ingested, IngestError> {
    let transaction = transaction(tx, tenant, report).await?;
    let current = recoveries::newest_of_transaction(tx, tenant, transaction.id).await?;
    let source = report.source.as_str();
    let claimed = failures::claim_key(tx, tenant, source, &report.key).await?;
    let done = |failure, recovery, effect| {
        Ok(Ingested {
            failure,
            transaction: transaction.id,
            recovery,
            effect,
        })
    };
    let id = match claimed {
        Ok(id) => id,
        Err(earlier) => {
            let recovery = current.map(|recovery| recovery.id);
            return done(earlier, recovery, Effect::Duplicate);
        }
    };
    let (recovery, effect) = effect_on(tx, tenant, current, &transaction, id, report).await?;
    // An invoice's first event is of the try that opened the recovery, counted then.
    let first = report.psp_retries.is_none_or(|retries| retries.made <= 1);
    let counted = effect == Effect::Echo || (effect == Effect::NothingNew && first);
    if !counted {
        tried::declined(tx, tenant, &transaction, report, effect).await?;
    }
    done(id, Some(recovery), effect)
}

/// What a failure that is news does to the transaction's newest recovery.
async fn effect_on(
    tx: &mut Tx,
    tenant: Tenant,
    current: Option<StoredRecovery>,
    transaction: &StoredTransaction,
    id: FailureEventId,
    report: &FailureReport,
) -> Result<(RecoveryId, Effect), DbError> {
    match current {
        Some(open) if open.state.is_open() => {
            if is_echo(tx, &open, transaction, report).await? {
                return Ok((open.id, Effect::Echo));
            }
            if !report.says_why && report.payment.is_some() {
                said_before::psp_tried(tx, &open, report);
                return Ok((open.id, Effect::NothingNew));
            }
            join(tx, &open, id, report).await?;
            Ok((open.id, Effect::Joined))
        }
        Some(ended)
            if is_settled(ended.state) || said_before::was_settled(tx, tenant, report).await? =>
        {
            record(tx, &ended, id, report).await?;
            let NewEntry {
                kind, why, detail, ..
            } = told::late(ended.id, id);
            timeline::add(tx, ended.tenant, ended.id, &kind, &why, detail);
            Ok((ended.id, Effect::Late))
        }
        _ => {
            let recovery = open(tx, tenant, transaction, id, report).await?;
            Ok((recovery, Effect::Opened))
        }
    }
}

/// Whether an end is final for the transaction: the money is there, or somebody
/// decided that it must not be asked for. What merely ran out may be tried anew.
pub(super) const fn is_settled(state: RecoveryState) -> bool {
    matches!(state, RecoveryState::Recovered | RecoveryState::Cancelled)
}

/// Finds or makes the transaction, its row locked.
async fn transaction(
    tx: &mut Tx,
    tenant: Tenant,
    report: &FailureReport,
) -> Result<StoredTransaction, IngestError> {
    let amount = match report.amount {
        Some(amount) => amount,
        None => transactions::by_ref(tx.conn(), tenant, &report.reference)
            .await?
            .map(|known| known.amount)
            .ok_or(ReportFault::Missing {
                field: "amount",
                reason: "no transaction with this transaction_ref is known yet",
            })?,
    };
    let stored = transactions::upsert(tx, tenant, &report.reference, amount, &report.about).await?;
    if report.amount_must_agree && stored.amount != amount {
        return Err(ReportFault::AmountDiffers {
            stored: stored.amount,
            reported: amount,
        }
        .into());
    }
    if let Some((provider, objects)) = &report.objects {
        let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
        transactions::claim_objects(tx.conn(), tenant, *provider, &objects, stored.id).await?;
    }
    Ok(stored)
}

/// Whether the failure is that of the recovery's own charge, which is under way
/// at its worker: the worker hears of it by the PSP's answer.
async fn is_echo(
    tx: &mut Tx,
    open: &StoredRecovery,
    transaction: &StoredTransaction,
    report: &FailureReport,
) -> Result<bool, DbError> {
    let Some(payment) = &report.payment else {
        return Ok(false);
    };
    let under_way = attempts::charge_under_way(tx.conn(), open.tenant, open.id).await?;
    let Some(under_way) = under_way else {
        return Ok(false);
    };
    if let Some(attempt) = payment.attempt {
        return Ok(attempt == under_way);
    }
    let own = transaction.known.payment_ref.as_ref();
    Ok(own.is_some_and(|own| payment.ids.contains(own)))
}

async fn join(
    tx: &mut Tx,
    open: &StoredRecovery,
    id: FailureEventId,
    report: &FailureReport,
) -> Result<(), DbError> {
    record(tx, open, id, report).await?;
    let (category, hardness) = stricter((open.category, open.hardness), &report.classification);
    recoveries::reclassify(tx, open.tenant, open.id, category, hardness).await?;
    let NewEntry {
        kind, why, detail, ..
    } = told::joined(open.id, id, (category, hardness), report);
    timeline::announce(tx, open.tenant, open.id, &kind, &why, detail);
    ask_for_plan(tx, open.tenant, &tx.cause().trace(), (open.id, id));
    Ok(())
}

/// What holds after one more report: a hard reason stays hard, and an unknown
/// one says nothing against a known one.
pub(super) fn stricter(
    (category, hardness): (Category, Hardness),
    new: &Classification,
) -> (Category, Hardness) {
    let softens = hardness == Hardness::Hard && new.hardness == Hardness::Soft;
    let says_nothing = new.category == Category::Unknown;
    if softens || says_nothing {
        (category, hardness)
    } else {
        (new.category, new.hardness)
    }
}

async fn open(
    tx: &mut Tx,
    tenant: Tenant,
    transaction: &StoredTransaction,
    id: FailureEventId,
    report: &FailureReport,
) -> Result<RecoveryId, DbError> {
    let active = policies::active(tx.conn(), tenant).await?;
    let new = opening(
        active.as_ref(),
        transaction,
        &report.classification,
        tx.now(),
    )?;
    let recovery = recoveries::open(tx, tenant, &new).await?;
    add(tx, tenant, id, transaction.id, recovery, report).await?;
    let NewEntry {
        kind, why, detail, ..
    } = told::opened(recovery, id, transaction, &new.assigned, report);
    timeline::announce(tx, tenant, recovery, &kind, &why, detail);
    ask_for_plan(tx, tenant, &tx.cause().trace(), (recovery, id));
    Ok(recovery)
}

/// What a recovery that opens now keeps: the active policy and the rules that hold,
/// the policy's as the recovery's variant has them, or the default ones while the
/// organization has chosen none.
pub(super) fn opening(
    active: Option<&StoredPolicy>,
    transaction: &StoredTransaction,
    classification: &Classification,
    now: DateTime<Utc>,
) -> Result<NewRecovery, DbError> {
    let (assigned, rules) = match active {
        Some(active) => active.deal(transaction.id)?,
        None => (Assigned::default(), RetryPolicy::default()),
    };
    Ok(NewRecovery {
        transaction: transaction.id,
        amount: transaction.amount,
        category: classification.category,
        hardness: classification.hardness,
        policy: active.map(|active| active.id),
        assigned,
        closes_at: rules.closes_at(now),
    })
}

async fn record(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    id: FailureEventId,
    report: &FailureReport,
) -> Result<(), DbError> {
    let (tenant, transaction) = (recovery.tenant, recovery.transaction);
    add(tx, tenant, id, transaction, recovery.id, report).await
}

async fn add(
    tx: &mut Tx,
    tenant: Tenant,
    id: FailureEventId,
    transaction: TransactionId,
    recovery: RecoveryId,
    report: &FailureReport,
) -> Result<(), DbError> {
    let classification = &report.classification;
    if !classification.known {
        count_unknown(report);
        unknown_codes::note(tx, tenant, &report.failure.signals(), &classification.heard).await?;
    }
    let failure = &report.failure;
    failures::add(
        tx,
        tenant,
        id,
        transaction,
        recovery,
        failure,
        classification,
    )
    .await
}

/// Somebody has to add the code to the tables.
pub(super) fn count_unknown(report: &FailureReport) {
    metrics::counter!("failures_unclassified_total", "source" => report.source.as_str())
        .increment(1);
}

pub(super) fn ask_for_plan(
    tx: &mut Tx,
    tenant: Tenant,
    trace: &Trace,
    (recovery, failure): (RecoveryId, FailureEventId),
) {
    let message = Message::FailureRecorded { recovery, failure };
    tx.emit_under(trace, tenant, message);
}
