//! `GET /v1/schedule/suggested_windows?ref=&hours_ahead=`: hours in which the payer
//! of a transaction may well be written to.

use actix_web::web::{Data, Json, Query};
use chrono::{DateTime, Utc};
use db::transactions::StoredTransaction;
use domain::limits::RulePack;
use domain::payer::{PhoneNumber, country, time_zone};
use domain::schedule::{MOST_HOURS_AHEAD, PayerHours, SuggestedWindow, suggested_windows};
use domain::{Channel, PayerAddress, RetryPolicy, TransactionRef};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;
use crate::routes::faults::Faults;

/// Hours that are looked ahead by themselves.
const USUAL_HOURS: u32 = 48;

/// Whose hours, and how far ahead.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// The transaction.
    #[param(value_type = String, required = true, min_length = 1, max_length = 64, example = "order-1042")]
    r#ref: Option<String>,
    /// How far to look ahead, in hours.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 168, default = 48)]
    hours_ahead: Option<String>,
}

/// Hours to write in.
#[derive(Serialize, ToSchema)]
#[schema(as = SuggestedWindows)]
pub(crate) struct WindowsView {
    /// The transaction.
    r#ref: String,
    /// In order and apart; none where no channel of the policy reaches the payer.
    slots: Vec<SlotView>,
    /// How far was looked ahead, in hours.
    #[schema(minimum = 1, maximum = 168)]
    hours_ahead: u32,
}

/// Some time, an hour of the payer's clock at most.
#[derive(Serialize, ToSchema)]
#[schema(as = SuggestedSlot)]
struct SlotView {
    /// The first minute.
    start: DateTime<Utc>,
    /// The end, not itself within.
    end: DateTime<Utc>,
    /// How good it is: by day, in the policy's best hours and on a pay-day better.
    #[schema(minimum = 0, maximum = 1, example = 0.85)]
    score: f64,
}

impl Asked {
    fn read(&self) -> Result<(TransactionRef, u32), Problem> {
        let mut faults = Faults::default();
        if self.r#ref.is_none() {
            faults.note("ref", "is missing");
        }
        let reference = faults.by("ref", self.r#ref.as_deref(), TransactionRef::parse);
        let hours = self.hours_ahead.as_deref();
        let hours = hours.map_or(Ok(USUAL_HOURS), str::parse);
        let hours = hours
            .ok()
            .filter(|hours| (1..=MOST_HOURS_AHEAD).contains(hours));
        if hours.is_none() {
            let fault = format!("must be from 1 to {MOST_HOURS_AHEAD}");
            faults.note("hours_ahead", fault);
        }
        faults.end()?;
        let missing = || Problem::invalid_field("ref", "is missing");
        Ok((reference.ok_or_else(missing)?, hours.unwrap_or(USUAL_HOURS)))
    }
}

/// Suggests hours in which to write to the payer of a transaction.
///
/// They keep the active policy's quiet hours, and those of the law where the payer
/// is, on every channel of the policy that reaches the payer.
#[utoipa::path(
    get,
    path = "/v1/schedule/suggested_windows",
    tag = "Retry policies",
    params(Asked),
    responses(
        (status = 200, description = "The hours.", body = WindowsView),
        (status = 404, description = "There is no such transaction."),
    ),
)]
pub(crate) async fn list(
    access: ReadAccess,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<Json<WindowsView>, Problem> {
    let (reference, hours_ahead) = asked.read()?;
    let mut conn = api.backbone.db.read().await?;
    let found = db::transactions::by_ref(&mut conn, access.tenant, &reference).await?;
    let transaction = found.ok_or_else(|| Problem::not_found("transaction"))?;
    let policy = match db::policies::active(&mut conn, access.tenant).await? {
        Some(active) => active.read()?,
        None => RetryPolicy::default(),
    };
    let windows = windows(&policy, &transaction, api.backbone.clock.now(), hours_ahead);
    let slots = windows.into_iter().map(|it| SlotView {
        start: it.start,
        end: it.end,
        score: share(it.score),
    });
    Ok(Json(WindowsView {
        r#ref: reference.to_string(),
        slots: slots.collect(),
        hours_ahead,
    }))
}

/// Hundredths as a part of one.
#[expect(
    clippy::float_arithmetic,
    reason = "the older contract's score is a fraction; nothing is computed with it"
)]
fn share(hundredths: u8) -> f64 {
    f64::from(hundredths) / 100.0
}

fn windows(
    policy: &RetryPolicy,
    transaction: &StoredTransaction,
    now: DateTime<Utc>,
    hours_ahead: u32,
) -> Vec<SuggestedWindow> {
    let enabled = &policy.document().enabled_channels;
    let contacts = db::facts::contacts(transaction, enabled);
    let channels: Vec<Channel> = contacts.iter().map(PayerAddress::channel).collect();
    if channels.is_empty() {
        return Vec::new();
    }
    let (known, currency) = (&transaction.known, transaction.amount.currency());
    let phone = known.payer_phone.as_deref();
    let phone = phone.and_then(|text| PhoneNumber::parse(text).ok());
    let country = country(None, phone.as_ref(), currency);
    let zone = known.payer_time_zone.as_deref();
    let payer = PayerHours {
        channels: &channels,
        country,
        time_zone: time_zone(zone, phone.as_ref(), country, currency),
    };
    suggested_windows(policy, RulePack::current(), &payer, now, hours_ahead)
}
