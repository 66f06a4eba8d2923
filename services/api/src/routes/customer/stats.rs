//! `GET /v1/customer/organization/stats`: the last year, from the roll-ups, so that it
//! costs the same whatever there is.

use actix_web::web::{Data, Json};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use chrono_tz::Tz;
use db::rollups::{Dimension, Measure, Sum};
use domain::analytics::window::Window;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

/// How far back is counted, in days.
const DAYS: i64 = 365;

/// What came of the last year.
#[derive(Serialize, ToSchema)]
#[schema(as = OrganizationStats)]
pub(crate) struct StatsView {
    /// Recoveries that opened.
    recoveries_opened: i64,
    /// Recoveries that ended with the money.
    recoveries_recovered: i64,
    /// Messages that were sent.
    messages_sent: i64,
    /// The money that came in, by currency.
    recovered: Vec<AmountView>,
    /// The first day that is counted.
    from: DateTime<Utc>,
    /// The end of the last.
    to: DateTime<Utc>,
}

/// An amount of money.
#[derive(Serialize, ToSchema)]
#[schema(as = RecoveredAmount)]
struct AmountView {
    /// An ISO 4217 code.
    #[schema(example = "INR")]
    currency: &'static str,
    /// In whole minor units of it.
    #[schema(minimum = 0)]
    amount: i64,
}

/// Counts what came of the last 365 days.
///
/// From roll-ups that follow within moments; see the analytics for more.
#[utoipa::path(
    get,
    path = "/v1/customer/organization/stats",
    tag = "Customers",
    responses((status = 200, description = "The counts.", body = StatsView)),
)]
pub(crate) async fn show(access: ReadAccess, api: Data<Api>) -> Result<Json<StatsView>, Problem> {
    let day = TimeDelta::days(1);
    let today = api.backbone.clock.now().duration_trunc(day);
    let to = today.map_err(|_| Problem::internal())? + day;
    let from = to - TimeDelta::days(DAYS);
    let year = Window::new(from, to, Tz::UTC).map_err(|_| Problem::internal())?;
    let year = year.pieces();
    let mut conn = api.backbone.db.read().await?;
    let tenant = access.tenant;
    let sums = db::rollups::sums(&mut conn, tenant, Dimension::All, &year, None, None).await?;
    let of = |measure: Measure| sums.iter().filter(move |sum| sum.measure == measure);
    let number = |measure| of(measure).map(|sum| sum.number).sum();
    let amount = |sum: &Sum| AmountView {
        currency: sum.currency.code(),
        amount: sum.minor,
    };
    Ok(Json(StatsView {
        recoveries_opened: number(Measure::Opened),
        recoveries_recovered: number(Measure::Recovered),
        messages_sent: number(Measure::Sent),
        recovered: of(Measure::Recovered).map(amount).collect(),
        from,
        to,
    }))
}
