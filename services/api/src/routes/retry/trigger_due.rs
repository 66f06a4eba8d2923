//! `POST /v1/retry/trigger-due`: how much is due now.
//!
//! Nothing is charged or sent here: the workers look for what is due by
//! themselves, at the latest after `TINKO__POLL_MS`, so there is nobody to wake.
//! Clients of the older system, where nothing moved without this, may go on calling.

use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Api;
use crate::auth::AdminAccess;
use crate::problem::Problem;

/// More are not counted.
const MOST: i64 = 1_000;

/// What is due.
#[derive(Serialize, ToSchema)]
#[schema(as = DueAttempts)]
pub(crate) struct DueView {
    /// Always true.
    ok: bool,
    /// Attempts that are due now and that the workers take up next, up to 1,000.
    #[schema(minimum = 0, maximum = 1000)]
    processed: i64,
    /// When they were counted.
    timestamp: DateTime<Utc>,
}

/// Tells how many attempts are due.
///
/// The workers take them up by themselves, within moments; nothing is charged or
/// sent by this request.
#[utoipa::path(
    post,
    path = "/v1/retry/trigger-due",
    tag = "Attempts",
    responses((status = 200, description = "How many are due.", body = DueView)),
)]
pub(crate) async fn trigger(access: AdminAccess, api: Data<Api>) -> Result<Json<DueView>, Problem> {
    let now = api.backbone.clock.now();
    let mut conn = api.backbone.db.read().await?;
    let due = db::attempts::count_due(&mut conn, access.tenant, now, MOST).await?;
    Ok(Json(DueView {
        ok: true,
        processed: due,
        timestamp: now,
    }))
}
