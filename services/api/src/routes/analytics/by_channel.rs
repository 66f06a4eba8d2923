//! `GET /v1/analytics/by_channel`: messages, visits and payments by channel.

use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use db::rollups::{Dimension, Measure};
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::{Asked, Wanted};
use super::table::Table;
use super::tally::Tally;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

/// What went out and came in by one channel, for one currency's recoveries.
#[derive(Serialize, ToSchema)]
struct ChannelRow {
    /// ISO 4217.
    #[schema(example = "INR")]
    currency: &'static str,
    /// `email`, `sms`, `whatsapp`, or `link` for links that a partner passed on.
    #[schema(example = "email")]
    channel: String,
    /// Messages that a provider took.
    sent: i64,
    /// Messages that arrived.
    delivered: i64,
    /// Messages that came back.
    bounced: i64,
    /// Messages that could not be sent.
    failed: i64,
    /// Messages of which nobody can say whether they were sent.
    unconfirmed: i64,
    /// Links of the channel that were opened.
    opened: i64,
    /// Payments through a link of the channel.
    payments: i64,
    /// What they brought, in minor units.
    revenue_recovered_minor: i64,
}

/// Messages, opened links and payments of the window, by channel.
#[utoipa::path(
    get,
    path = "/v1/analytics/by_channel",
    tag = "Analytics",
    params(Asked),
    responses((status = 200, description = "A row for each currency and channel.", content((Table<ChannelRow> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn list(
    access: ReadAccess,
    asked: Query<Asked>,
    request: HttpRequest,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted::read(&asked, &request, api.backbone.clock.now())?;
    let tallies = wanted
        .tallies(&api, access.tenant, Dimension::Channel)
        .await?;
    let rows = tallies.iter().flat_map(|(currency, channels)| {
        channels
            .iter()
            .map(|(channel, tally)| ChannelRow::new(currency, channel, tally))
    });
    wanted.answer("by_channel", rows.collect())
}

impl ChannelRow {
    fn new(currency: &'static str, channel: &str, tally: &Tally) -> Self {
        Self {
            currency,
            channel: channel.to_owned(),
            sent: tally.number(Measure::Sent),
            delivered: tally.number(Measure::Delivered),
            bounced: tally.number(Measure::Bounced),
            failed: tally.number(Measure::Failed),
            unconfirmed: tally.number(Measure::Unconfirmed),
            opened: tally.number(Measure::Visits),
            payments: tally.number(Measure::Recovered),
            revenue_recovered_minor: tally.minor(Measure::Recovered),
        }
    }
}
