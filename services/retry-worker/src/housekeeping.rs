//! What must be done without anyone asking: sweeping the outbox, closing what is
//! over, making, analyzing and retiring partitions, forgetting old keys. Every replica does all of it;
//! row locks keep them apart.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use backbone::Backbone;
use backbone::sweep::{Sweeper, gauge};
use chrono::TimeDelta;
use contracts::Stream;
use db::recoveries::StoredRecovery;
use db::retention::{Kept, Keys};
use db::{DbError, Tx};
use domain::RecoveryState;
use domain::policy::FinalAction;
use tokio_util::sync::CancellationToken;

use crate::{Worker, checkouts, plan};

/// Most recoveries closed in one transaction.
const CLOSE_BATCH: i64 = 100;
/// Between two looks at messages that wait for room, while there are some: a few times
/// while what was let ahead is sent.
const FILL_UP: Duration = Duration::from_millis(200);
/// As [`FILL_UP`], while none was found or none had room.
const FILL_UP_SELDOM: Duration = Duration::from_secs(1);
/// Between two looks for tables that hold far more than Postgres knows of.
const OUTGROWN_TABLES: Duration = Duration::from_secs(5);
/// Between two looks at partitions and old keys.
const SELDOM: Duration = Duration::from_mins(10);
/// Months of partitions made ahead.
const MONTHS_AHEAD: i32 = 3;
/// Months ahead without which something is amiss, as readiness has it.
const MONTHS_NEEDED: i32 = 1;
/// How long an idempotency key's answer is kept.
const KEYS_KEPT: TimeDelta = TimeDelta::hours(48);
/// How long a payment that came before any failure of it is remembered: PSPs
/// repeat and reorder their events for three days at most (Stripe, live mode).
/// <https://docs.stripe.com/webhooks#automatic-retries>
const PAYMENTS_KEPT: TimeDelta = TimeDelta::days(7);
/// How long comparisons with the PSPs and what they found are kept.
const COMPARISONS_KEPT: TimeDelta = TimeDelta::days(90);
/// How long a session is kept after it expired, so that its login can be looked into.
const SESSIONS_KEPT: TimeDelta = TimeDelta::days(30);
/// How long a count of tries to log in is kept: longer than it is looked at.
const TRIES_KEPT: TimeDelta = TimeDelta::hours(25);
/// How long a code or an invitation is kept after it expired.
const CODES_KEPT: TimeDelta = TimeDelta::days(30);
/// Most rows forgotten at once.
const FORGET_BATCH: i64 = 10_000;

/// Sweeps and closes every `period`, until `stop`.
pub async fn often(
    worker: Worker,
    sweeper: Arc<Sweeper>,
    period: Duration,
    stop: CancellationToken,
) {
    let backbone = worker.backbone.clone();
    while !stop.is_cancelled() {
        if let Err(error) = sweeper.step().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the outbox was not swept"
            );
        }
        if let Err(error) = close_due(&backbone).await {
            tracing::warn!(%error, "recoveries that are over were not closed");
        }
        if let Err(error) = checkouts::close_left_open(&worker).await {
            tracing::warn!(%error, "checkouts that are over were not closed");
        }
        observe(&backbone, &sweeper).await;
        stop.run_until_cancelled(tokio::time::sleep(period)).await;
    }
}

/// Gives Redis the messages that wait for room there, until `stop`.
pub async fn fill_up(sweeper: Arc<Sweeper>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let pause = match sweeper.fill_up().await {
            Ok(0) => FILL_UP_SELDOM,
            Ok(_) => FILL_UP,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "messages that wait for room were not looked at"
                );
                FILL_UP_SELDOM
            }
        };
        stop.run_until_cancelled(tokio::time::sleep(pause)).await;
    }
}

/// Has Postgres look at tables that fill ([`db::statistics`]), until `stop`.
pub async fn outgrown_tables(backbone: Backbone, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let analyzing = async {
            let mut conn = backbone.db.read().await?;
            db::statistics::analyze_outgrown(&mut conn).await
        };
        match analyzing.await {
            Ok(tables) if tables.is_empty() => {}
            Ok(tables) => {
                let tables = tables.join(", ");
                tracing::info!(tables, "tables that fill were analyzed");
            }
            Err(error) => tracing::warn!(%error, "tables that fill were not analyzed"),
        }
        stop.run_until_cancelled(tokio::time::sleep(OUTGROWN_TABLES))
            .await;
    }
}

async fn observe(backbone: &Backbone, sweeper: &Sweeper) {
    for stream in Stream::ALL {
        if let Err(error) = backbone
            .streams
            .observe(stream, backbone::group_of(stream))
            .await
        {
            tracing::debug!(%error, stream = stream.as_str(), "stream not observed");
        }
    }
    if let Err(error) = backbone.streams.observe_memory().await {
        tracing::debug!(%error, "Redis's memory not observed");
    }
    if let Err(error) = sweeper.observe().await {
        tracing::debug!(%error, "outbox not observed");
    }
    if let Err(error) = observe_attempts(backbone).await {
        tracing::debug!(%error, "due attempts not observed");
    }
}

async fn observe_attempts(backbone: &Backbone) -> Result<(), DbError> {
    let mut conn = backbone.db.read().await?;
    let waiting = db::attempts::waiting(&mut conn, backbone.clock.now()).await?;
    metrics::gauge!("attempts_due").set(gauge(waiting.due));
    metrics::gauge!("attempts_oldest_due_seconds").set(gauge(waiting.oldest_due.num_seconds()));
    metrics::gauge!("charges_in_doubt").set(gauge(waiting.in_doubt));
    metrics::gauge!("charges_oldest_in_doubt_seconds")
        .set(gauge(waiting.oldest_in_doubt.num_seconds()));
    // So that nobody forgets one.
    metrics::gauge!("tinko_holds").set(gauge(db::holds::count(&mut conn).await?));
    Ok(())
}

/// Closes recoveries whose time is over; answers how many.
pub async fn close_due(backbone: &Backbone) -> Result<usize, DbError> {
    let mut tx = backbone.db.begin(backbone.cause()).await?;
    let due = db::recoveries::due_to_close(&mut tx, CLOSE_BATCH).await?;
    let mut asked = HashMap::new();
    for recovery in &due {
        let (state, why) = how_it_ends(recovery);
        let arm = (recovery.policy, recovery.assigned.arm.variant.clone());
        let action = if let Some(action) = asked.get(&arm) {
            *action
        } else {
            let action = final_action(&mut tx, recovery).await?;
            asked.insert(arm, action);
            action
        };
        db::ending::ended_asking(&mut tx, recovery.tenant, recovery.id, state, why, action).await?;
    }
    tx.commit().await?;
    Ok(due.len())
}

/// What the recovery's policy asks for at its end. A policy that does not read
/// keeps no recovery, and nobody else's, from being closed.
async fn final_action(tx: &mut Tx, recovery: &StoredRecovery) -> Result<FinalAction, DbError> {
    match plan::followed(tx.conn(), recovery).await {
        Ok(followed) => Ok(followed.policy.document().final_action),
        Err(error @ DbError::Corrupt { .. }) => {
            tracing::error!(%error, recovery.id = %recovery.id, "no final action is asked for");
            Ok(FinalAction::None)
        }
        Err(error) => Err(error),
    }
}

const fn how_it_ends(recovery: &StoredRecovery) -> (RecoveryState, &'static str) {
    if recovery.assigned.arm.hold_out {
        (
            RecoveryState::Expired,
            "It was held out of the policy's experiment, and its time is over",
        )
    } else if recovery.plan_done {
        (
            RecoveryState::Exhausted,
            "Every step was taken, and the payer's time to pay has passed",
        )
    } else {
        (
            RecoveryState::Expired,
            "Its time ran out with steps left to take",
        )
    }
}

/// Makes partitions ahead, retires old ones and forgets old keys, now and then, until
/// `stop`.
pub async fn seldom(backbone: Backbone, kept: Kept, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = partitions(&backbone, kept).await {
            tracing::warn!(%error, "partitions were not looked after");
        }
        if let Err(error) = tidy(&backbone).await {
            tracing::warn!(%error, "old keys were not looked after");
        }
        stop.run_until_cancelled(tokio::time::sleep(SELDOM)).await;
    }
}

/// Makes partitions ahead, tells which are missing all the same, retires old ones.
pub async fn partitions(backbone: &Backbone, kept: Kept) -> Result<(), DbError> {
    let now = backbone.clock.now();
    let mut conn = backbone.db.read().await?;
    let made = db::ensure_partitions(&mut conn, now, MONTHS_AHEAD).await;
    // Told above all when they could not be made.
    let missing = db::missing_partitions(&mut conn, now, MONTHS_NEEDED).await?;
    metrics::gauge!("partitions_missing")
        .set(f64::from(u32::try_from(missing.len()).unwrap_or(u32::MAX)));
    drop(conn);
    let made = made?;
    if !made.is_empty() {
        tracing::info!(partitions = made.join(", "), "partitions were made");
    }
    retire(backbone, kept).await
}

/// A transaction for each, so that none is locked while another is worked on.
async fn retire(backbone: &Backbone, kept: Kept) -> Result<(), DbError> {
    for (kind, months) in kept.kinds() {
        loop {
            let mut tx = backbone.db.begin(backbone.cause()).await?;
            let detached = db::retention::detach_one(&mut tx, kind, months).await;
            let Some(partition) = tx.end(detached).await? else {
                break;
            };
            tracing::info!(partition, "a partition was detached");
        }
    }
    loop {
        let mut tx = backbone.db.begin(backbone.cause()).await?;
        let dropped = db::retention::drop_one(&mut tx).await;
        let Some(partition) = tx.end(dropped).await? else {
            break;
        };
        tracing::info!(partition, "a partition was dropped");
    }
    let now = backbone.clock.now();
    let mut conn = backbone.db.read().await?;
    let keys = [
        (Keys::Failures, kept.history),
        (Keys::PspEvents, kept.psp_events),
    ];
    for (keys, months) in keys {
        let Some(months) = months else { continue };
        while was_full(
            db::retention::forget_keys(&mut conn, keys, now, months, FORGET_BATCH).await?,
        ) {}
    }
    Ok(())
}

/// Whether a batch that was forgotten was a full one, so that there may be another.
fn was_full(forgotten: usize) -> bool {
    i64::try_from(forgotten).is_ok_and(|forgotten| forgotten >= FORGET_BATCH)
}

async fn tidy(backbone: &Backbone) -> Result<(), DbError> {
    let now = backbone.clock.now();
    let mut conn = backbone.db.read().await?;
    while was_full(db::idempotency::forget(&mut conn, now - KEYS_KEPT, FORGET_BATCH).await?) {}
    while was_full(db::registrations::forget(&mut conn, now - KEYS_KEPT, FORGET_BATCH).await?) {}
    while was_full(db::recon::forget(&mut conn, now - COMPARISONS_KEPT, FORGET_BATCH).await?) {}
    while was_full(db::sessions::forget(&mut conn, now - SESSIONS_KEPT, FORGET_BATCH).await?) {}
    while was_full(db::login_tries::forget(&mut conn, now - TRIES_KEPT, FORGET_BATCH).await?) {}
    while was_full(db::user_codes::forget(&mut conn, now - CODES_KEPT, FORGET_BATCH).await?) {}
    while was_full(db::underway::forget(&mut conn, now - PAYMENTS_KEPT, FORGET_BATCH).await?) {}
    while was_full(db::paid::forget(&mut conn, now - PAYMENTS_KEPT, FORGET_BATCH).await?) {}
    Ok(())
}
