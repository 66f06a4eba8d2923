//! `GET /v1/retry/stats`: the organization's attempts of the last thirty days, counted.

use actix_web::web::{Data, Json};
use chrono::{DateTime, TimeDelta, Utc};
use db::attempts::Stats;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

/// How far back is counted.
const WINDOW: TimeDelta = TimeDelta::days(30);
/// Most attempts that are counted; so many are read from the index in some tens
/// of milliseconds, however many there are.
const MOST: i64 = 20_000;

/// Attempts of the last thirty days, counted by what became of them.
#[derive(Serialize, ToSchema)]
#[schema(as = RetryStats)]
pub(crate) struct StatsView {
    /// Attempts that were planned.
    total_attempts: i64,
    /// Of them, those that are not settled yet.
    pending_retries: i64,
    /// Of them, those that asked for their messages.
    sent_count: i64,
    /// Of them, charges that went through.
    completed_count: i64,
    /// Of them, charges that were declined.
    failed_count: i64,
    /// Attempts for each recovery, rounded to two places.
    avg_retry_count: f64,
    /// From when on is counted.
    from: DateTime<Utc>,
    /// Whether all since then are counted, or the newest 20,000 alone.
    complete: bool,
}

/// Counts the attempts of the last thirty days.
///
/// The newest 20,000 are counted at most; for all of them, and longer, see the
/// analytics.
#[utoipa::path(
    get,
    path = "/v1/retry/stats",
    tag = "Attempts",
    responses((status = 200, description = "The counts.", body = StatsView)),
)]
pub(crate) async fn show(access: ReadAccess, api: Data<Api>) -> Result<Json<StatsView>, Problem> {
    let from = api.backbone.clock.now() - WINDOW;
    let mut conn = api.backbone.db.read().await?;
    let stats = db::attempts::stats(&mut conn, access.tenant, from, MOST).await?;
    Ok(Json(StatsView {
        total_attempts: stats.all,
        pending_retries: stats.pending,
        sent_count: stats.written,
        completed_count: stats.charged,
        failed_count: stats.declined,
        avg_retry_count: average(&stats),
        from,
        complete: stats.all < MOST,
    }))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::float_arithmetic,
    reason = "the counts are bounded, far below what an f64 holds exactly"
)]
fn average(stats: &Stats) -> f64 {
    let hundredths = stats.all as f64 * 100.0 / stats.recoveries.max(1) as f64;
    hundredths.round() / 100.0
}
