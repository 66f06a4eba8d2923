//! `GET /v1/analytics/time_to_recovery`: how long it took until the money came in.

use std::collections::BTreeMap;

use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use db::rollups::{Dimension, Measure};
use domain::analytics::speed;
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::{Asked, Wanted};
use super::table::Table;
use super::tally::Tally;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

/// How long one currency's recoveries took, in seconds from their opening. Read
/// from a histogram: off by less than 19 %.
#[derive(Serialize, ToSchema)]
struct SpeedRow {
    /// ISO 4217.
    #[schema(example = "INR")]
    currency: &'static str,
    /// Payments that came in within the window.
    payments: i64,
    /// A quarter took no longer.
    p25_seconds: Option<i64>,
    /// Half took no longer.
    p50_seconds: Option<i64>,
    /// Three quarters took no longer.
    p75_seconds: Option<i64>,
    /// Nine of ten took no longer.
    p90_seconds: Option<i64>,
    /// 99 of 100 took no longer.
    p99_seconds: Option<i64>,
}

/// How long it took from a recovery's opening until its money came in, for
/// payments of the window.
#[utoipa::path(
    get,
    path = "/v1/analytics/time_to_recovery",
    tag = "Analytics",
    params(Asked),
    responses((status = 200, description = "A row for each currency.", content((Table<SpeedRow> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn show(
    access: ReadAccess,
    asked: Query<Asked>,
    request: HttpRequest,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted::read(&asked, &request, api.backbone.clock.now())?;
    let tallies = wanted
        .tallies(&api, access.tenant, Dimension::Speed)
        .await?;
    let rows = tallies
        .iter()
        .map(|(currency, buckets)| SpeedRow::new(currency, buckets));
    wanted.answer("time_to_recovery", rows.collect())
}

impl SpeedRow {
    fn new(currency: &'static str, buckets: &BTreeMap<String, Tally>) -> Self {
        let count = |(bucket, tally): (&String, &Tally)| {
            let number = u64::try_from(tally.number(Measure::Recovered)).ok()?;
            Some((bucket.parse().ok()?, number))
        };
        let counts: Vec<(usize, u64)> = buckets.iter().filter_map(count).collect();
        let quantile = |percent| speed::quantile(&counts, percent);
        Self {
            currency,
            payments: buckets
                .values()
                .map(|it| it.number(Measure::Recovered))
                .sum(),
            p25_seconds: quantile(25),
            p50_seconds: quantile(50),
            p75_seconds: quantile(75),
            p90_seconds: quantile(90),
            p99_seconds: quantile(99),
        }
    }
}
