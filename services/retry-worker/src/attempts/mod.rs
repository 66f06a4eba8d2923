//! What a claimed attempt does.
//!
//! ```text
//! message   one transaction: links, notification rows, outbox, next step; the
//!           planner's own, where it is due as it is planned
//! charge    1  lock the recovery: open? then reserve its one open charge, and a
//!              try on the card; put off or give up where a rule says so
//!           2  close the payer's live checkout, so that no payment meets the charge
//!           3  ask the PSP where the payment stands
//!           4  charge, under the attempt's id as idempotency key
//!           5  settle: succeeded, declined, handed back, or in doubt
//! in doubt  look up; what surely did not happen is charged again, under the same
//!           key at first and as a new attempt after some minutes
//! ```
//!
//! While a payment is on its way (authorized late, or by a means that takes days)
//! neither is done: the attempt waits for its end.
//!
//! No transaction is open while a PSP is asked.

mod budget;
mod charge;
mod look_up;
pub(crate) mod message;
mod outcome;
mod prepare;
mod refusal;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use db::attempts::StoredAttempt;
use db::recoveries::StoredRecovery;
use db::{DbError, Tenant};
use domain::id::{AttemptId, RecoveryId};
use domain::{AttemptKind, AttemptState};
use runtime::trace::{self, TraceContext};
use tracing::{Instrument, Span};

use crate::Worker;
use crate::places::Place;

/// How long an attempt rests for which Postgres had no time.
const GIVEN_BACK_FOR: TimeDelta = TimeDelta::seconds(2);
/// Before each try to give an attempt back, milliseconds; after the last it is left to
/// its lease.
const GIVE_BACK_AFTER_MS: [u64; 5] = [250, 500, 1_000, 2_000, 4_000];

/// Why an attempt could not be brought to an end now. It is claimed again: soon, if
/// Postgres had no time for it, or else when its lease runs out.
#[derive(Debug, thiserror::Error)]
pub enum AttemptTrouble {
    /// Postgres.
    #[error("the attempt's rows could not be read or written")]
    Db(#[from] DbError),
}

/// Acts on a claimed attempt, once there is a place for it.
pub async fn act(worker: &Worker, attempt: StoredAttempt) {
    let organization = attempt.tenant.organization();
    let place = Place::next(&worker.places, organization).await;
    act_in(worker, attempt, place).await;
}

/// Acts on a claimed attempt in a place of its own, which is free again then.
pub async fn act_in(worker: &Worker, attempt: StoredAttempt, mut place: Place) {
    let span = span(&attempt, worker.backbone.clock.now());
    let outcome = async {
        // On the heap: what planning holds would make every caller's future large.
        if let Err(error) = Box::pin(act_on(worker, &attempt, &mut place)).await {
            // Final for this claim, not for the attempt.
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "attempt not brought to an end"
            );
            let AttemptTrouble::Db(error) = error;
            if !error.is_passing() || !given_back(worker, &attempt).await {
                metrics::counter!("attempts_left_to_lease_total").increment(1);
            }
        }
    };
    outcome.instrument(span).await;
}

/// Ends the lease of an attempt that this worker is done with. Its place is kept
/// meanwhile, so that a Postgres that cannot keep up is asked for less.
async fn given_back(worker: &Worker, attempt: &StoredAttempt) -> bool {
    for pause in GIVE_BACK_AFTER_MS.map(Duration::from_millis) {
        tokio::time::sleep(pause).await;
        let giving_back = async {
            let mut conn = worker.backbone.db.read().await?;
            let until = worker.backbone.clock.now() + GIVEN_BACK_FOR;
            db::attempts::let_go(&mut conn, attempt, worker.id, until).await
        };
        match giving_back.await {
            Ok(()) => {
                metrics::counter!("attempts_given_back_total").increment(1);
                return true;
            }
            Err(error) if error.is_passing() => {}
            Err(_) => return false,
        }
    }
    false
}

async fn act_on(
    worker: &Worker,
    attempt: &StoredAttempt,
    place: &mut Place,
) -> Result<(), AttemptTrouble> {
    if (attempt.kind, attempt.state) == (AttemptKind::Charge, AttemptState::InDoubt) {
        return look_up::look_up(worker, attempt, place).await;
    }
    let now = worker.backbone.clock.now();
    let conn = worker.backbone.db.read().await?;
    let (tenant, recovery) = (attempt.tenant, attempt.recovery);
    let rests = db::underway::rests_until(&conn, tenant, recovery, now).await?;
    drop(conn);
    match (rests, attempt.kind) {
        (Some(until), _) => outcome::rests(worker, attempt, until).await,
        (None, AttemptKind::Message) => message::ask(worker, attempt).await,
        (None, AttemptKind::Charge) => Box::pin(charge::charge(worker, attempt, place)).await,
    }
}

/// A step that is taken soon after its planning is part of the planner's trace; a later
/// one starts a trace of its own, linked to it.
fn span(attempt: &StoredAttempt, now: DateTime<Utc>) -> Span {
    let (tenant, recovery) = (attempt.tenant, attempt.recovery);
    let span = span_of(tenant, recovery, attempt.id, attempt.kind, attempt.number);
    span.record("attempt.claims", attempt.claims);
    let planner = TraceContext {
        traceparent: attempt.traceparent.clone(),
        tracestate: attempt.tracestate.clone(),
    };
    trace::follow(&span, &planner, now - attempt.created_at);
    span
}

/// The span of an attempt, within the current one.
fn span_of(
    tenant: Tenant,
    recovery: RecoveryId,
    attempt: AttemptId,
    kind: AttemptKind,
    number: u32,
) -> Span {
    tracing::info_span!(
        "attempt",
        otel.name = format!("attempt.{kind}"),
        organization.id = %tenant.organization(),
        recovery.id = %recovery,
        attempt.id = %attempt,
        attempt.number = number,
        attempt.claims = tracing::field::Empty,
    )
}

/// Why an attempt is put aside for which [`may_be_acted_on`] is false.
const NOT_TO_BE_ACTED_ON: &str =
    "the recovery had ended, is paused, or is held out of its policy's experiment";

/// Whether anything may be done about a recovery: it is open, not paused, and not
/// held out of its policy's experiment, whatever planned the step.
const fn may_be_acted_on(recovery: &StoredRecovery) -> bool {
    recovery.state.is_open() && recovery.paused_at.is_none() && !recovery.assigned.arm.hold_out
}
