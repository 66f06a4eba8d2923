//! `GET /v1/analytics/summary`: the figures of a dashboard.

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

/// What became of one currency's recoveries.
#[derive(Serialize, ToSchema)]
struct SummaryRow {
    /// ISO 4217.
    #[schema(example = "INR")]
    currency: &'static str,
    /// Recoveries that opened.
    opened: i64,
    /// What they were owed, in minor units.
    opened_minor: i64,
    /// Of them: won back.
    won: i64,
    /// What they brought, in minor units.
    won_minor: i64,
    /// Won of opened, from 0 to 1; null if none opened.
    #[schema(example = 0.375)]
    recovery_rate: Option<f64>,
    /// Of them: over without money.
    ended: i64,
    /// Of them: still under way.
    open: i64,
    /// Of them: whose payer was written to.
    contacted: i64,
    /// Of them: whose payer opened a link.
    visited: i64,
    /// Payments that came in within the window, whenever their recovery opened.
    payments: i64,
    /// What they brought, in minor units.
    revenue_recovered_minor: i64,
    /// Messages that a provider took within the window.
    messages_sent: i64,
    /// Charges that went through within the window.
    charges_succeeded: i64,
    /// Charges that were declined within the window.
    charges_declined: i64,
}

/// The figures of a dashboard.
#[utoipa::path(
    get,
    path = "/v1/analytics/summary",
    tag = "Analytics",
    params(Asked),
    responses((status = 200, description = "A row for each currency.", content((Table<SummaryRow> = "application/json"), (String = "text/csv"))))
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
        .map(|(currency, tally)| SummaryRow::new(currency, tally));
    wanted.answer("summary", rows.collect())
}

impl SummaryRow {
    fn new(currency: &'static str, tally: &Tally) -> Self {
        let number = |measure| tally.number(measure);
        let over = number(Measure::Won) + number(Measure::Ended);
        Self {
            currency,
            opened: number(Measure::Opened),
            opened_minor: tally.minor(Measure::Opened),
            won: number(Measure::Won),
            won_minor: tally.minor(Measure::Won),
            recovery_rate: tally.won().map(Share::rate),
            ended: number(Measure::Ended),
            open: number(Measure::Opened) - over,
            contacted: number(Measure::Contacted),
            visited: number(Measure::Visited),
            payments: number(Measure::Recovered),
            revenue_recovered_minor: tally.minor(Measure::Recovered),
            messages_sent: number(Measure::Sent),
            charges_succeeded: number(Measure::ChargeSucceeded),
            charges_declined: number(Measure::ChargeDeclined),
        }
    }
}
