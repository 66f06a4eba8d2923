//! `GET /v1/analytics/by_category`: what became of recoveries, by the category that they opened with.

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

/// One currency's recoveries of one category.
#[derive(Serialize, ToSchema)]
struct CategoryRow {
    /// ISO 4217.
    #[schema(example = "INR")]
    currency: &'static str,
    /// The category, as `/v1/classify` answers it in `reason`.
    #[schema(example = "insufficient_funds")]
    category: String,
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

/// What became of the recoveries that opened in the window, by the category that they opened with.
#[utoipa::path(
    get,
    path = "/v1/analytics/by_category",
    tag = "Analytics",
    params(Asked),
    responses((status = 200, description = "A row for each currency and category.", content((Table<CategoryRow> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn list(
    access: ReadAccess,
    asked: Query<Asked>,
    request: HttpRequest,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted::read(&asked, &request, api.backbone.clock.now())?;
    let tallies = wanted
        .tallies(&api, access.tenant, Dimension::Category)
        .await?;
    let rows = tallies.iter().flat_map(|(currency, keys)| {
        keys.iter()
            .map(|(key, tally)| CategoryRow::new(currency, key, tally))
    });
    wanted.answer("by_category", rows.collect())
}

impl CategoryRow {
    fn new(currency: &'static str, category: &str, tally: &Tally) -> Self {
        Self {
            currency,
            category: category.to_owned(),
            opened: tally.number(Measure::Opened),
            opened_minor: tally.minor(Measure::Opened),
            recovered: tally.number(Measure::Won),
            recovered_minor: tally.minor(Measure::Won),
            recovery_rate: tally.won().map(Share::rate),
        }
    }
}
