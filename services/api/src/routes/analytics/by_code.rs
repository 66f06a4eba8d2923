//! `GET /v1/analytics/by_code`: what became of recoveries, by the code that decided their category.

use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use db::rollups::{Dimension, Measure};
use domain::analytics::statistics::Share;
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::{Asked, Wanted};
use super::table::Table;
use super::tally::Tally;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

/// One currency's recoveries of one code.
#[derive(Serialize, ToSchema)]
struct CodeRow {
    /// ISO 4217.
    #[schema(example = "INR")]
    currency: &'static str,
    /// The code in lower case, or `other` for those that no table of ours knows.
    #[schema(example = "do_not_honor")]
    code: String,
    /// Recoveries that opened.
    opened: i64,
    /// What they were owed, in minor units.
    opened_minor: i64,
    /// Of them: won back.
    recovered: i64,
    /// What they brought, in minor units.
    recovered_minor: i64,
    /// Recovered of opened, from 0 to 1.
    recovery_rate: Option<f64>,
}

/// What became of the recoveries that opened in the window, by the code that decided their category.
#[utoipa::path(
    get,
    path = "/v1/analytics/by_code",
    tag = "Analytics",
    params(Asked),
    responses((status = 200, description = "A row for each currency and code.", content((Table<CodeRow> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn list(
    access: ReadAccess,
    asked: Query<Asked>,
    request: HttpRequest,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted::read(&asked, &request, api.backbone.clock.now())?;
    let tallies = wanted.tallies(&api, access.tenant, Dimension::Code).await?;
    let rows = tallies.iter().flat_map(|(currency, keys)| {
        keys.iter()
            .map(|(key, tally)| CodeRow::new(currency, key, tally))
    });
    wanted.answer("by_code", rows.collect())
}

impl CodeRow {
    fn new(currency: &'static str, code: &str, tally: &Tally) -> Self {
        Self {
            currency,
            code: code.to_owned(),
            opened: tally.number(Measure::Opened),
            opened_minor: tally.minor(Measure::Opened),
            recovered: tally.number(Measure::Won),
            recovered_minor: tally.minor(Measure::Won),
            recovery_rate: tally.won().map(Share::rate),
        }
    }
}
