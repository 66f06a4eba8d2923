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
/// After so many recoveries in a row of which the PSP did not tell, the turn is
/// over: a PSP that is down costs its time-outs, and others wait for the place.
const PATIENCE: u32 = 3;
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
    let mut untold = 0;
    for member in walked.members {
        let recovery = member.recovery;
        let compared = Box::pin(compare(worker, &mut looker, run, &held, member));
        match stop.run_until_cancelled(compared).await {
            Some(Ok(Compared::Told)) => untold = 0,
            Some(Ok(Compared::Untold)) => untold += 1,
            // Another worker goes on with it.
            Some(Ok(Compared::Lost)) => return Ok(()),
            Some(Err(error)) => return Err(error),
            None => return hand_back(worker, &held, None).await,
        }
        held.reached = Some(recovery);
        if untold == PATIENCE {
            return hand_back(worker, &held, None).await;
        }
    }
    if walked.done {
        return finish(worker, &held).await;
    }
    hand_back(worker, &held, walked.to).await
}

/// What became of one recovery.
enum Compared {
    /// The PSP told all that was asked.
    Told,
    /// It did not.
    Untold,
    /// The run is not held any more.
    Lost,
}

/// Compares one recovery.
async fn compare(
    worker: &Worker,
    looker: &mut Looker<'_>,
    run: &StoredRun,
    held: &Held,
    mut member: Member,
) -> Result<Compared, DbError> {
    for _ in 0..LOOKS {
        let told = looker.look(&member).await?;
        match settle(worker, held, &member, &told).await? {
            Settled::Passed if told.trouble.is_some() => return Ok(Compared::Untold),
            Settled::Passed => return Ok(Compared::Told),
            Settled::Lost => return Ok(Compared::Lost),
            Settled::Moved => {}
        }
        let mut conn = worker.backbone.db.read().await?;
        let again = db::recon::member(&mut conn, run, member.recovery).await?;
        drop(conn);
        member = again.unwrap_or(member);
    }
    let untold = Looked::untold(RESTLESS);
    Ok(match settle(worker, held, &member, &untold).await? {
        Settled::Passed => Compared::Told,
        Settled::Moved | Settled::Lost => Compared::Lost,
    })
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
