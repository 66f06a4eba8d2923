//! The verdict, and what follows from it, in one transaction.

use db::recon::{Held, Member, NewResult};
use db::recoveries::{RecoveredBy, StoredRecovery};
use db::{DbError, Tx};
use domain::reconciliation::{Change, Comparison, Follows, Ours, Verdict, compare};
use domain::{Money, RecoveryState};

use super::look::{Found, Looked};
use crate::Worker;

const FOUND_PAID: &str = "Found paid at the PSP when recoveries were compared with it";
const FOUND_CANCELLED: &str = "The merchant cancelled the payment at the PSP";

/// What became of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// The run goes on after this recovery.
    Passed,
    /// The recovery moved since it was read: what the PSP said may be older.
    Moved,
    /// The run is held by another worker now.
    Lost,
}

/// Compares under the recovery's lock, acts as a webhook would, keeps what
/// differs, and passes the recovery: all of it, or nothing.
pub(super) async fn settle(
    worker: &Worker,
    held: &Held,
    member: &Member,
    looked: &Looked,
) -> Result<Settled, DbError> {
    let mut tx = worker.backbone.db.begin(worker.backbone.cause()).await?;
    let recovery = db::recoveries::lock(&mut tx, held.tenant, member.recovery).await?;
    let told = !looked.seen.is_empty();
    let recovery = recovery.filter(|recovery| !told || recovery.state == member.state);
    let Some(recovery) = recovery else {
        tx.roll_back().await?;
        return Ok(Settled::Moved);
    };
    let ours = Ours {
        state: recovery.state,
        owed: recovery.amount,
        recovered: recovery.recovered,
    };
    let found = compare(&ours, &looked.seen, looked.trouble.is_none());
    let change = act(&mut tx, &recovery, found.follows, looked).await?;
    let lease_until = tx.now() + worker.lease;
    let outcome = (found.verdict, change);
    if !db::recon::pass(&mut tx, held, recovery.id, outcome, lease_until).await? {
        tx.roll_back().await?;
        return Ok(Settled::Lost);
    }
    if found.verdict != Verdict::Ok {
        keep(&mut tx, held, &recovery, &found, change, looked).await?;
    }
    tx.commit().await?;
    metrics::counter!("recon_checks_total", "verdict" => found.verdict.as_str()).increment(1);
    Ok(Settled::Passed)
}

async fn act(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    follows: Follows,
    looked: &Looked,
) -> Result<Change, DbError> {
    match follows {
        Follows::Nothing => Ok(Change::None),
        Follows::Recovered { amount, payment } => match looked.found.get(payment) {
            Some(found) => recovered(tx, recovery, amount, found).await,
            None => Ok(Change::None),
        },
        Follows::Cancelled => cancelled(tx, recovery).await,
    }
}

async fn recovered(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    amount: Money,
    found: &Found,
) -> Result<Change, DbError> {
    let (tenant, id) = (recovery.tenant, recovery.id);
    // So that a refund or dispute of this payment is found later.
    let objects: Vec<&str> = std::iter::once(found.payment.id.as_str())
        .chain(found.charge.as_deref())
        .collect();
    let provider = found.payment.provider;
    let transaction = recovery.transaction;
    db::transactions::claim_objects(tx.conn(), tenant, provider, &objects, transaction).await?;
    db::received::record(tx, tenant, provider, transaction, &objects).await?;
    let by = if found.link.is_some() {
        RecoveredBy::Link
    } else if charging(tx, recovery).await? {
        RecoveredBy::Charge
    } else {
        RecoveredBy::Elsewhere
    };
    let news = db::ending::recovered(tx, tenant, id, amount, by, found.link, FOUND_PAID).await?;
    Ok(if news {
        Change::Recovered
    } else {
        Change::None
    })
}

/// A charge of ours that is under way sees the same and ends it as it must.
async fn cancelled(tx: &mut Tx, recovery: &StoredRecovery) -> Result<Change, DbError> {
    if charging(tx, recovery).await? {
        return Ok(Change::None);
    }
    let (tenant, id) = (recovery.tenant, recovery.id);
    let ended = RecoveryState::Cancelled;
    let news = db::ending::ended(tx, tenant, id, ended, FOUND_CANCELLED).await?;
    Ok(if news {
        Change::Cancelled
    } else {
        Change::None
    })
}

async fn charging(tx: &mut Tx, recovery: &StoredRecovery) -> Result<bool, DbError> {
    let (tenant, id) = (recovery.tenant, recovery.id);
    let ours = db::attempts::charge_under_way(tx.conn(), tenant, id).await?;
    Ok(ours.is_some())
}

async fn keep(
    tx: &mut Tx,
    held: &Held,
    recovery: &StoredRecovery,
    found: &Comparison,
    change: Change,
    looked: &Looked,
) -> Result<(), DbError> {
    let why = words(found, looked);
    let payment = match found.follows {
        Follows::Recovered { payment, .. } => looked.found.get(payment),
        _ => looked.found.first(),
    };
    let result = NewResult {
        recovery: recovery.id,
        transaction: recovery.transaction,
        verdict: found.verdict,
        differences: &found.differences,
        change,
        why: &why,
        payment: payment.map(|found| (found.payment.provider, found.payment.id.as_str())),
    };
    db::recon::note(tx, held, &result).await
}

fn words(found: &Comparison, looked: &Looked) -> String {
    let mut words: Vec<String> = found
        .differences
        .iter()
        .map(|difference| difference.kind.meaning().to_owned())
        .collect();
    if let Some(trouble) = &looked.trouble {
        words.push(format!("Not everything could be looked up: {trouble}"));
    }
    words.join(". ")
}
