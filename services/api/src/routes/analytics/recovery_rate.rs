//! `GET /v1/analytics/recovery_rate`: how many of the recoveries that opened were won back.

use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use db::rollups::Measure;
use domain::analytics::statistics::Share;
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::{Asked, Wanted};
use super::table::Table;
use super::tally::Tally;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

/// The rate of one currency.
#[derive(Serialize, ToSchema)]
struct RateRow {
    /// ISO 4217.
    #[schema(example = "INR")]
    currency: &'static str,
    /// Recoveries that opened.
    opened: i64,
    /// Of them: won back.
    recovered: i64,
    /// Recovered of opened, from 0 to 1; null if none opened.
    #[schema(example = 0.375)]
    recovery_rate: Option<f64>,
    /// The lower end of the rate's interval of 95 % (Wilson).
    rate_low: Option<f64>,
    /// Its upper end.
    rate_high: Option<f64>,
    /// What the recoveries were owed, in minor units.
    opened_minor: i64,
    /// What came in for them, in minor units.
    recovered_minor: i64,
}

/// How many of the recoveries that opened in the window were won back, and how much of the money.
#[utoipa::path(
    get,
    path = "/v1/analytics/recovery_rate",
    tag = "Analytics",
    params(Asked),
    responses((status = 200, description = "A row for each currency.", content((Table<RateRow> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn show(
    access: ReadAccess,
    asked: Query<Asked>,
    request: HttpRequest,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted::read(&asked, &request, api.backbone.clock.now())?;
    let totals = wanted.totals(&api, access.tenant).await?;
    let rows = totals
        .iter()
        .map(|(currency, tally)| RateRow::new(currency, tally));
    wanted.answer("recovery_rate", rows.collect())
}

impl RateRow {
    fn new(currency: &'static str, tally: &Tally) -> Self {
        let share = tally.won();
        let interval = share.map(Share::interval);
        Self {
            currency,
            opened: tally.number(Measure::Opened),
            recovered: tally.number(Measure::Won),
            recovery_rate: share.map(Share::rate),
            rate_low: interval.map(|interval| interval.low),
            rate_high: interval.map(|interval| interval.high),
            opened_minor: tally.minor(Measure::Opened),
            recovered_minor: tally.minor(Measure::Won),
        }
    }
}
