//! A table and what it is of, as JSON or CSV.

use actix_web::HttpResponse;
use chrono::{DateTime, FixedOffset};
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::{Format, Wanted};
use super::csv;
use crate::problem::Problem;

/// The stretch of time that was answered.
#[derive(Serialize, ToSchema)]
pub(crate) struct WindowView {
    /// Where it begins, on a quarter-hour.
    from: DateTime<FixedOffset>,
    /// Where it ends, without that moment, on a quarter-hour.
    to: DateTime<FixedOffset>,
    /// The zone whose days are meant.
    #[schema(example = "Asia/Kolkata")]
    tz: &'static str,
    /// Whether no beginning was asked for, and it is the last 30 days.
    is_usual: bool,
}

/// Rows, and what they are of.
#[derive(Serialize, ToSchema)]
pub(crate) struct Table<T> {
    window: WindowView,
    /// The only currency, if one was asked for.
    #[schema(example = "INR")]
    currency: Option<&'static str>,
    /// A row for each currency, or for each of its parts.
    data: Vec<T>,
}

impl Wanted {
    pub(super) fn view(&self) -> WindowView {
        let local =
            |at: DateTime<chrono::Utc>| at.with_timezone(&self.window.zone()).fixed_offset();
        WindowView {
            from: local(self.window.from()),
            to: local(self.window.to()),
            tz: self.window.zone().name(),
            is_usual: self.is_usual,
        }
    }

    /// The rows in the format that was asked for; `name` names the file.
    pub(super) fn answer<T: Serialize>(
        &self,
        name: &str,
        data: Vec<T>,
    ) -> Result<HttpResponse, Problem> {
        match self.format {
            Format::Csv => csv::table(name, &data),
            Format::Json => Ok(HttpResponse::Ok().json(Table {
                window: self.view(),
                currency: self.currency.map(domain::Currency::code),
                data,
            })),
        }
    }
}
