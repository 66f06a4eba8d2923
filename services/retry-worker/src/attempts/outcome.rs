//! What becomes of an attempt, put into rows.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use db::attempts::{Outcome, StoredAttempt};
use db::received::Received;
use db::recoveries::{RecoveredBy, StoredRecovery};
use db::{DbError, Tx};
use domain::limits::Rule;
use domain::{AttemptKind, AttemptState, Money, RecoveryState};
use psp::PaymentRef;
use serde_json::{Value, json};

use super::AttemptTrouble;
use crate::Worker;
use crate::plan::{self, Planned};

/// The first pause before a charge that surely did not happen is tried again;
/// it doubles with each claim.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(2);
/// The longest such pause.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(10);

/// Moves an attempt that this worker holds; counts what became of it.
pub(super) async fn settle(
    tx: &mut Tx,
    worker: &Worker,
    attempt: &StoredAttempt,
    next: AttemptState,
    due_or_lease: Option<DateTime<Utc>>,
    outcome: &Outcome<'_>,
) -> Result<bool, DbError> {
    let moved = db::attempts::settle(tx, attempt, worker.id, next, due_or_lease, outcome).await?;
    if moved {
        count(attempt.kind, next);
    }
    Ok(moved)
}

/// Counts what became of an attempt.
pub(super) fn count(kind: AttemptKind, outcome: AttemptState) {
    let (kind, outcome) = (kind.as_str(), outcome.as_str());
    metrics::counter!("attempts_total", "kind" => kind, "outcome" => outcome).increment(1);
    tracing::debug!(kind, outcome, "settled");
}

/// Begins a transaction that holds the recovery's row.
pub(super) async fn locked(
    worker: &Worker,
    attempt: &StoredAttempt,
) -> Result<(Tx, Option<StoredRecovery>), DbError> {
    let mut tx = worker.backbone.db.begin(worker.backbone.cause()).await?;
    let recovery = db::recoveries::lock(&mut tx, attempt.tenant, attempt.recovery).await?;
    Ok((tx, recovery))
}

/// A payment that is there, and what of it.
pub(super) struct Arrived<'a> {
    /// The payment.
    pub(super) payment: &'a PaymentRef,
    /// Its charge.
    pub(super) charge: Option<&'a str>,
    /// What was paid.
    pub(super) amount: Money,
}

impl Arrived<'_> {
    /// Remembers the payment by its ids, so that its webhook is told from one of
    /// another payment.
    async fn record(
        &self,
        tx: &mut Tx,
        recovery: Option<&StoredRecovery>,
    ) -> Result<Received, DbError> {
        let Some(recovery) = recovery else {
            return Ok(Received::First);
        };
        let ids: Vec<&str> = std::iter::once(self.payment.id.as_str())
            .chain(self.charge)
            .collect();
        let (tenant, provider) = (recovery.tenant, self.payment.provider);
        db::received::record(tx, tenant, provider, recovery.transaction, &ids).await
    }
}

/// The charge went through.
pub(super) async fn succeeded(
    worker: &Worker,
    attempt: &StoredAttempt,
    arrived: &Arrived<'_>,
) -> Result<(), AttemptTrouble> {
    let (mut tx, recovery) = locked(worker, attempt).await?;
    let charge = arrived.charge;
    let outcome = Outcome {
        charge_ref: charge,
        words: Some("charged"),
        ..Outcome::default()
    };
    let next = AttemptState::Succeeded;
    if !settle(&mut tx, worker, attempt, next, None, &outcome).await? {
        return Ok(());
    }
    let why = format!("Charge {} went through", attempt.number);
    let detail = json!({ "charge": charge });
    note(&mut tx, attempt, "attempt.succeeded", &why, detail);
    let received = arrived.record(&mut tx, recovery.as_ref()).await?;
    let (tenant, id, amount) = (attempt.tenant, attempt.recovery, arrived.amount);
    let by = RecoveredBy::Charge;
    db::ending::recovered(&mut tx, tenant, id, amount, by, None, &why).await?;
    let by_payer = RecoveredBy::Link.as_str();
    let before = recovery.is_some_and(|it| it.recovered_by.as_deref() == Some(by_payer));
    if received == Received::Another || (before && received == Received::First) {
        twice(&mut tx, attempt, charge);
    }
    tx.commit().await?;
    Ok(())
}

/// All that is done before a charge is there to rule this out; should it happen
/// all the same, the merchant has to know, since money must go back.
fn twice(tx: &mut Tx, attempt: &StoredAttempt, charge: Option<&str>) {
    metrics::counter!("payments_twice_total").increment(1);
    let why = "It was paid by another way and charged as well: one has to be refunded";
    note(
        tx,
        attempt,
        "payment.twice",
        why,
        json!({ "charge": charge }),
    );
}

/// The money had arrived by another way before anything was charged.
pub(super) async fn paid_elsewhere(
    worker: &Worker,
    attempt: &StoredAttempt,
    arrived: &Arrived<'_>,
    by: RecoveredBy,
    link: Option<domain::id::RecoveryLinkId>,
) -> Result<(), AttemptTrouble> {
    let (mut tx, recovery) = locked(worker, attempt).await?;
    let why = "Found paid before a charge was tried";
    let outcome = Outcome {
        words: Some(why),
        ..Outcome::default()
    };
    let next = AttemptState::Cancelled;
    if !settle(&mut tx, worker, attempt, next, None, &outcome).await? {
        return Ok(());
    }
    arrived.record(&mut tx, recovery.as_ref()).await?;
    let (tenant, id, amount) = (attempt.tenant, attempt.recovery, arrived.amount);
    db::ending::recovered(&mut tx, tenant, id, amount, by, link, why).await?;
    tx.commit().await?;
    Ok(())
}

/// A rule allows the charge later only: the attempt waits until then.
pub(super) async fn put_off(
    worker: &Worker,
    attempt: &StoredAttempt,
    until: DateTime<Utc>,
    rule: &Rule,
) -> Result<(), AttemptTrouble> {
    metrics::counter!("charges_put_off_by_rule_total", "rule" => rule.id).increment(1);
    let tx = worker.backbone.db.begin(worker.backbone.cause()).await?;
    let why = format!("The charge is put off: {}", rule.words);
    let detail = json!({ "due_at": until, "rule": rule.id });
    let about = Some(("attempt.put_off", detail));
    let next = AttemptState::Scheduled;
    put_aside(tx, worker, attempt, next, Some(until), (&why, about)).await
}

/// Surely nothing happened: the attempt waits for another try, at a growing pause.
pub(super) async fn handed_back(
    worker: &Worker,
    attempt: &StoredAttempt,
    why: &str,
    pause: Option<TimeDelta>,
) -> Result<(), AttemptTrouble> {
    let tx = worker.backbone.db.begin(worker.backbone.cause()).await?;
    let due_at = tx.now() + pause.map_or(growing(attempt), |pause| pause.max(FIRST_PAUSE));
    let about = Some(("attempt.handed_back", json!({ "due_at": due_at })));
    put_aside(
        tx,
        worker,
        attempt,
        AttemptState::Scheduled,
        Some(due_at),
        (why, about),
    )
    .await
}

/// A pause that doubles with each claim.
fn growing(attempt: &StoredAttempt) -> TimeDelta {
    let doublings = attempt.claims.saturating_sub(1).min(16);
    (FIRST_PAUSE * 2i32.pow(doublings)).min(LONGEST_PAUSE)
}

/// Nothing was asked of the PSP, since it is left alone for another `pause`: the
/// attempt waits at least as long, and longer each time up to eight pauses, spread
/// out so that not all that wait come back at once. It stays the same attempt; why it waits is told once.
pub(super) async fn left_alone(
    worker: &Worker,
    attempt: &StoredAttempt,
    why: &str,
    pause: Duration,
) -> Result<(), AttemptTrouble> {
    metrics::counter!("charges_put_off_by_circuit_total").increment(1);
    let pause = TimeDelta::from_std(pause).unwrap_or(LONGEST_PAUSE);
    let pause = pause.max(growing(attempt).min(pause * 8));
    let tx = worker.backbone.db.begin(worker.backbone.cause()).await?;
    let due_at = tx.now() + pause + spread(attempt, pause);
    let is_news = attempt.outcome.as_deref() != Some(why);
    let about = is_news.then(|| ("attempt.put_off", json!({ "due_at": due_at })));
    let next = AttemptState::Scheduled;
    put_aside(tx, worker, attempt, next, Some(due_at), (why, about)).await
}

/// Up to a quarter of a pause, drawn from the attempt's id.
fn spread(attempt: &StoredAttempt, pause: TimeDelta) -> TimeDelta {
    let [.., high, low] = attempt.id.uuid().into_bytes();
    pause * i32::from(u16::from_be_bytes([high, low])) / (4 * i32::from(u16::MAX))
}

/// A payment is on its way: the attempt waits until that has arrived or not.
pub(super) async fn rests(
    worker: &Worker,
    attempt: &StoredAttempt,
    until: DateTime<Utc>,
) -> Result<(), AttemptTrouble> {
    let tx = worker.backbone.db.begin(worker.backbone.cause()).await?;
    let why = "a payment is on its way: nothing is charged or sent meanwhile";
    let about = Some(("attempt.put_off", json!({ "until": until })));
    let next = AttemptState::Scheduled;
    put_aside(tx, worker, attempt, next, Some(until), (why, about)).await
}

/// Nobody knows whether the charge went through: it is looked up after `pause`,
/// and nothing else happens to the recovery before.
pub(super) async fn in_doubt(
    worker: &Worker,
    attempt: &StoredAttempt,
    why: &str,
    pause: TimeDelta,
) -> Result<(), AttemptTrouble> {
    let tx = worker.backbone.db.begin(worker.backbone.cause()).await?;
    let look_at = tx.now() + pause;
    let about = Some(("attempt.in_doubt", json!({ "look_at": look_at })));
    put_aside(
        tx,
        worker,
        attempt,
        AttemptState::InDoubt,
        Some(look_at),
        (why, about),
    )
    .await
}

/// The merchant cancelled the payment at the PSP, and so the wish to have it.
pub(super) async fn cancelled_by_merchant(
    worker: &Worker,
    attempt: &StoredAttempt,
) -> Result<(), AttemptTrouble> {
    let (mut tx, _) = locked(worker, attempt).await?;
    let why = "The merchant cancelled the payment at the PSP";
    let outcome = Outcome {
        words: Some(why),
        ..Outcome::default()
    };
    let cancelled = AttemptState::Cancelled;
    if settle(&mut tx, worker, attempt, cancelled, None, &outcome).await? {
        let ended = RecoveryState::Cancelled;
        db::ending::ended(&mut tx, attempt.tenant, attempt.recovery, ended, why).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// The attempt is overtaken: nothing was charged, and nothing will be.
pub(super) async fn cancelled(
    worker: &Worker,
    attempt: &StoredAttempt,
    why: &str,
) -> Result<(), AttemptTrouble> {
    let tx = worker.backbone.db.begin(worker.backbone.cause()).await?;
    let about = Some(("attempt.cancelled", json!({})));
    put_aside(
        tx,
        worker,
        attempt,
        AttemptState::Cancelled,
        None,
        (why, about),
    )
    .await
}

/// Moves an attempt that nothing came of, notes why under its kind with its
/// particulars if it is to be told, and commits; changes nothing if another worker has it.
async fn put_aside(
    mut tx: Tx,
    worker: &Worker,
    attempt: &StoredAttempt,
    next: AttemptState,
    due_or_lease: Option<DateTime<Utc>>,
    (why, about): (&str, Option<(&str, Value)>),
) -> Result<(), AttemptTrouble> {
    let outcome = Outcome {
        words: Some(why),
        ..Outcome::default()
    };
    if settle(&mut tx, worker, attempt, next, due_or_lease, &outcome).await? {
        if let Some((kind, detail)) = about {
            note(&mut tx, attempt, kind, why, detail);
        }
        tx.commit().await?;
    }
    Ok(())
}

/// The attempt cannot be made any more, and another step may take its place.
pub(super) async fn cancelled_and_planned_anew(
    worker: &Worker,
    attempt: &StoredAttempt,
    why: &str,
) -> Result<(), AttemptTrouble> {
    let (mut tx, recovery) = locked(worker, attempt).await?;
    let outcome = Outcome {
        words: Some(why),
        ..Outcome::default()
    };
    let next = AttemptState::Cancelled;
    if !settle(&mut tx, worker, attempt, next, None, &outcome).await? {
        return Ok(());
    }
    note(&mut tx, attempt, "attempt.cancelled", why, json!({}));
    let planned = match recovery.filter(|recovery| recovery.state.is_open()) {
        Some(recovery) => plan::next(&mut tx, &recovery).await?,
        None => Planned::Nothing,
    };
    tx.commit().await?;
    if planned == Planned::Scheduled {
        worker.planned.notify_one();
    }
    Ok(())
}

/// A timeline entry and its event, about an attempt.
pub(super) fn note(tx: &mut Tx, attempt: &StoredAttempt, kind: &str, why: &str, mut detail: Value) {
    detail["attempt_id"] = json!(attempt.id);
    detail["number"] = json!(attempt.number);
    db::timeline::announce(tx, attempt.tenant, attempt.recovery, kind, why, detail);
}
