//! `GET /v1/classify/unknown?days=N`: codes that no table knows, met most often first.

use actix_web::web::{Data, Json, Query};
use chrono::{DateTime, Utc};
use db::unknown_codes::{self, MetCode};
use domain::classification::{FailureSource, Signal};
use serde::{Deserialize, Serialize};

use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

const USUAL_DAYS: u16 = 30;
const MOST_DAYS: u16 = 90;

/// As it came, so that a fault names it.
#[derive(Deserialize)]
pub(crate) struct Asked {
    days: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct UnknownCodes {
    days: u16,
    data: Vec<CodeView>,
}

#[derive(Serialize)]
struct CodeView {
    source: FailureSource,
    signal: Signal,
    code: String,
    /// The newest message that came with it, without what it said of the payer.
    example: Option<String>,
    count: i64,
    first_seen: DateTime<Utc>,
    last_seen: DateTime<Utc>,
}

pub(crate) async fn list(
    access: ReadAccess,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<Json<UnknownCodes>, Problem> {
    let days = asked.days.as_deref().map_or(Ok(USUAL_DAYS), str::parse);
    let days = days.ok().filter(|days| (1..=MOST_DAYS).contains(days));
    let Some(days) = days else {
        let fault = format!("must be a number of days from 1 to {MOST_DAYS}");
        return Err(Problem::invalid_field("days", fault));
    };
    let mut conn = api.backbone.db.read().await?;
    let now = api.backbone.clock.now();
    let met = unknown_codes::met(&mut conn, access.tenant, days, now).await?;
    let data = met.into_iter().map(CodeView::new).collect();
    Ok(Json(UnknownCodes { days, data }))
}

impl CodeView {
    fn new(met: MetCode) -> Self {
        Self {
            source: met.source,
            signal: met.signal,
            code: met.code,
            example: met.message,
            count: met.count,
            first_seen: met.first_seen,
            last_seen: met.last_seen,
        }
    }
}
