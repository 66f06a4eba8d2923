//! `GET /v1/analytics/attempts_summary`: charges and messages by what became of them.

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

/// The attempts of one currency's recoveries.
#[derive(Serialize, ToSchema)]
struct AttemptsRow {
    /// ISO 4217.
    #[schema(example = "INR")]
    currency: &'static str,
    /// Charges that came to an end.
    charges: i64,
    /// Of them: went through.
    charges_succeeded: i64,
    /// Of them: declined.
    charges_declined: i64,
    /// Messages that a provider took.
    messages_sent: i64,
    /// Messages that arrived.
    messages_delivered: i64,
    /// Messages that came back.
    messages_bounced: i64,
    /// Messages that could not be sent.
    messages_failed: i64,
    /// Messages of which nobody can say whether they were sent.
    messages_unconfirmed: i64,
}

/// Charges and messages of the window by what became of them.
#[utoipa::path(
    get,
    path = "/v1/analytics/attempts_summary",
    tag = "Analytics",
    params(Asked),
    responses((status = 200, description = "A row for each currency.", content((Table<AttemptsRow> = "application/json"), (String = "text/csv"))))
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
        .map(|(currency, tally)| AttemptsRow::new(currency, tally));
    wanted.answer("attempts_summary", rows.collect())
}

impl AttemptsRow {
    fn new(currency: &'static str, tally: &Tally) -> Self {
        let number = |measure| tally.number(measure);
        Self {
            currency,
            charges: number(Measure::ChargeSucceeded) + number(Measure::ChargeDeclined),
            charges_succeeded: number(Measure::ChargeSucceeded),
            charges_declined: number(Measure::ChargeDeclined),
            messages_sent: number(Measure::Sent),
            messages_delivered: number(Measure::Delivered),
            messages_bounced: number(Measure::Bounced),
            messages_failed: number(Measure::Failed),
            messages_unconfirmed: number(Measure::Unconfirmed),
        }
    }
}
