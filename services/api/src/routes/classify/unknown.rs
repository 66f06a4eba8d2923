//! `GET /v1/classify/unknown?days=N`: codes that no table knows, met most often first.

use actix_web::web::{Data, Json, Query};
use chrono::{DateTime, Utc};
use db::unknown_codes::{self, MetCode};
use domain::classification::{FailureSource, Signal};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;

const USUAL_DAYS: u16 = 30;
const MOST_DAYS: u16 = 90;

/// As it came, so that a fault names it.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// How many days back.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 90, default = 30)]
    days: Option<String>,
}

/// Codes that no table knows.
#[derive(Serialize, ToSchema)]
#[schema(as = UnknownCodes)]
pub(crate) struct UnknownCodes {
    days: u16,
    data: Vec<CodeView>,
}

/// A code, and how often it was met.
#[derive(Serialize, ToSchema)]
#[schema(as = UnknownCode)]
struct CodeView {
    #[schema(value_type = words::FailureSource)]
    source: FailureSource,
    #[schema(value_type = words::Signal)]
    signal: Signal,
    code: String,
    /// The newest message that came with it, without what it said of the payer.
    #[schema(required)]
    example: Option<String>,
    count: i64,
    first_seen: DateTime<Utc>,
    last_seen: DateTime<Utc>,
}

/// Lists codes that no table knows, met most often first.
#[utoipa::path(
    get,
    path = "/v1/classify/unknown",
    tag = "Classification",
    params(Asked),
    responses(
        (status = 200, description = "The codes.", body = UnknownCodes),
    )
)]
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
