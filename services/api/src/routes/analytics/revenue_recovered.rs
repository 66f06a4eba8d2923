//! `GET /v1/analytics/revenue_recovered`: the money that came in, and by which way.

use std::collections::BTreeMap;

use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use db::recoveries::RecoveredBy;
use db::rollups::{Dimension, Measure};
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::{Asked, Wanted};
use super::table::Table;
use super::tally::Tally;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

/// What came in of one currency.
#[derive(Serialize, ToSchema)]
struct RevenueRow {
    /// ISO 4217.
    #[schema(example = "INR")]
    currency: &'static str,
    /// Payments that came in within the window.
    payments: i64,
    /// What they brought, in minor units.
    revenue_recovered_minor: i64,
    /// Of it: by our charges of saved means.
    by_charge_minor: i64,
    /// Of it: by payers through a link.
    by_link_minor: i64,
    /// Of it: by another way, such as the PSP's own retries.
    elsewhere_minor: i64,
}

/// The money that came in within the window, whenever its recovery opened.
#[utoipa::path(
    get,
    path = "/v1/analytics/revenue_recovered",
    tag = "Analytics",
    params(Asked),
    responses((status = 200, description = "A row for each currency.", content((Table<RevenueRow> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn show(
    access: ReadAccess,
    asked: Query<Asked>,
    request: HttpRequest,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted::read(&asked, &request, api.backbone.clock.now())?;
    let ways = wanted.tallies(&api, access.tenant, Dimension::Way).await?;
    let rows = ways
        .iter()
        .map(|(currency, ways)| RevenueRow::new(currency, ways));
    wanted.answer("revenue_recovered", rows.collect())
}

impl RevenueRow {
    fn new(currency: &'static str, ways: &BTreeMap<String, Tally>) -> Self {
        let minor = |way: &Tally| way.minor(Measure::Recovered);
        let by = |way: RecoveredBy| ways.get(way.as_str()).map_or(0, minor);
        Self {
            currency,
            payments: ways
                .values()
                .map(|way| way.number(Measure::Recovered))
                .sum(),
            revenue_recovered_minor: ways.values().map(minor).fold(0, i64::saturating_add),
            by_charge_minor: by(RecoveredBy::Charge),
            by_link_minor: by(RecoveredBy::Link),
            elsewhere_minor: by(RecoveredBy::Elsewhere),
        }
    }
}
