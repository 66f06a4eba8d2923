//! One turn of a comparison: a page of recoveries, one by one.

use db::DbError;
use db::recon::{Held, Member, StoredRun};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::look::{Looked, Looker};
use super::pace::Pace;
use super::settle::{Settled, settle};
use crate::Worker;

/// Recoveries walked in one turn.
const PAGE: i64 = 100;
/// How often a recovery that moves while it is compared is looked at again.
const LOOKS: u32 = 3;
const RESTLESS: &str = "the recovery kept changing while it was compared";

/// Works on a claimed comparison until its page is done, or `stop`.
pub async fn take(worker: &Worker, pace: &Pace, run: StoredRun, stop: &CancellationToken) {
    let span = tracing::info_span!(
        "recon.turn",
        organization.id = %run.tenant.organization(),
        recon.run.id = %run.id,
    );
    let turn = async {
        if let Err(error) = page(worker, pace, &run, stop).await {
            // Final for this turn, not for the comparison: its lease runs out.
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "comparison left to its lease"
            );
        }
    };
    turn.instrument(span).await;
}

async fn page(
    worker: &Worker,
    pace: &Pace,
    run: &StoredRun,
    stop: &CancellationToken,
) -> Result<(), DbError> {
    let backbone = &worker.backbone;
    let mut conn = backbone.db.read().await?;
    let walked = db::recon::walk(&mut conn, run, PAGE).await?;
    drop(conn);
    let mut held = Held {
        run: run.id,
        tenant: run.tenant,
        worker: worker.id,
        reached: run.reached,
    };
    let mut looker = Looker::new(worker, pace, run.tenant);
    for member in walked.members {
        let recovery = member.recovery;
        let compared = compare(worker, &mut looker, run, &held, member);
        match stop.run_until_cancelled(compared).await {
            Some(Ok(true)) => held.reached = Some(recovery),
            // Another worker goes on with it.
            Some(Ok(false)) => return Ok(()),
            Some(Err(error)) => return Err(error),
            None => return hand_back(worker, &held, None).await,
        }
    }
    if walked.done {
        return finish(worker, &held).await;
    }
    hand_back(worker, &held, walked.to).await
}

/// Compares one recovery. False if the run is not held any more.
async fn compare(
    worker: &Worker,
    looker: &mut Looker<'_>,
    run: &StoredRun,
    held: &Held,
    mut member: Member,
) -> Result<bool, DbError> {
    for _ in 0..LOOKS {
        let told = looker.look(&member).await?;
        match settle(worker, held, &member, &told).await? {
            Settled::Passed => return Ok(true),
            Settled::Lost => return Ok(false),
            Settled::Moved => {}
        }
        let mut conn = worker.backbone.db.read().await?;
        let again = db::recon::member(&mut conn, run, member.recovery).await?;
        drop(conn);
        member = again.unwrap_or(member);
    }
    let untold = Looked::untold(RESTLESS);
    Ok(settle(worker, held, &member, &untold).await? == Settled::Passed)
}

async fn finish(worker: &Worker, held: &Held) -> Result<(), DbError> {
    let mut conn = worker.backbone.db.read().await?;
    let now = worker.backbone.clock.now();
    if db::recon::finish(&mut conn, held, now).await? {
        metrics::counter!("recon_runs_finished_total").increment(1);
    }
    Ok(())
}

async fn hand_back(
    worker: &Worker,
    held: &Held,
    to: Option<domain::id::RecoveryId>,
) -> Result<(), DbError> {
    let mut conn = worker.backbone.db.read().await?;
    let now = worker.backbone.clock.now();
    db::recon::hand_back(&mut conn, held, to, now).await?;
    Ok(())
}
