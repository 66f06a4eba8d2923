//! `GET /v1/analytics/funnel`: how far recoveries came.

use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use db::rollups::Measure;
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::{Asked, Wanted};
use super::table::Table;
use super::tally::Tally;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

/// The funnel of one currency.
#[derive(Serialize, ToSchema)]
struct FunnelRow {
    /// ISO 4217.
    #[schema(example = "INR")]
    currency: &'static str,
    /// Payments that failed, for each of which a recovery opened.
    failed: i64,
    /// Of them: whose payer was written to.
    contacted: i64,
    /// Of them: whose payer opened a link.
    opened: i64,
    /// Of them: paid, by whatever way.
    paid: i64,
}

/// How far the recoveries that opened in the window came: failed, contacted, opened, paid.
#[utoipa::path(
    get,
    path = "/v1/analytics/funnel",
    tag = "Analytics",
    params(Asked),
    responses((status = 200, description = "A row for each currency.", content((Table<FunnelRow> = "application/json"), (String = "text/csv"))))
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
        .map(|(currency, tally)| FunnelRow::new(currency, tally));
    wanted.answer("funnel", rows.collect())
}

impl FunnelRow {
    fn new(currency: &'static str, tally: &Tally) -> Self {
        Self {
            currency,
            failed: tally.number(Measure::Opened),
            contacted: tally.number(Measure::Contacted),
            opened: tally.number(Measure::Visited),
            paid: tally.number(Measure::Won),
        }
    }
}
