//! `?from=&to=&tz=&currency=&format=`, which every read of analytics takes.

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::Currency;
use domain::analytics::window::{Window, WindowError, day_begins, usual_first_day};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::problem::Problem;
use crate::routes::faults::Faults;

/// As it came: each field is read on its own, so that every fault is named.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Where the window begins: a time in RFC 3339, a local time without offset, or
    /// a day, which begins at its midnight in `tz`. Widened to a quarter-hour.
    /// Without it the window is 30 days long.
    #[param(max_length = 40, example = "2026-11-01")]
    from: Option<String>,
    /// Where the window ends, without that moment; a day is included as a whole.
    /// Now, without it.
    #[param(max_length = 40, example = "2026-11-30")]
    to: Option<String>,
    /// The zone whose days are meant, by its name in the IANA database; UTC without it.
    #[param(max_length = 64, example = "Asia/Kolkata")]
    tz: Option<String>,
    /// Only this currency (ISO 4217); one row for each without it.
    #[param(min_length = 3, max_length = 3, example = "INR")]
    currency: Option<String>,
    /// `json` or `csv`; `Accept: text/csv` asks for the latter too.
    #[param(example = "json")]
    format: Option<String>,
}

/// How it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Csv,
}

/// What is read.
pub(crate) struct Wanted {
    pub(crate) window: Window,
    /// Whether the window is one that was not asked for in full.
    pub(crate) is_usual: bool,
    pub(crate) currency: Option<Currency>,
    pub(crate) format: Format,
}

impl Wanted {
    /// Reads what was asked for; `now` ends a window whose end was not given.
    pub(crate) fn read(
        asked: &Asked,
        request: &HttpRequest,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        let mut faults = Faults::default();
        let zone = faults.take("tz", zone(asked.tz.as_deref()));
        let currency = faults.take("currency", currency(asked.currency.as_deref()));
        let format = faults.take("format", format(asked.format.as_deref(), request));
        // A time without offset is read in the zone, or in UTC where that does not read.
        let place = zone.unwrap_or(Tz::UTC);
        let to = match asked.to.as_deref() {
            None => Some(now),
            Some(text) => faults.take("to", moment(text, place, Edge::To)),
        };
        let from = match asked.from.as_deref() {
            None => to.map(|to| usual_from(to, place)),
            Some(text) => faults.take("from", moment(text, place, Edge::From)),
        };
        let window = from.zip(to).and_then(|(from, to)| {
            let window = Window::new(from, to, place);
            faults.take("from", window.map_err(|it: WindowError| it.to_string()))
        });
        match (window, currency, format) {
            (Some(window), Some(currency), Some(format)) if faults.is_empty() => Ok(Self {
                window,
                is_usual: asked.from.is_none(),
                currency,
                format,
            }),
            _ => Err(faults.into()),
        }
    }
}

fn zone(text: Option<&str>) -> Result<Tz, String> {
    text.map_or(Ok(Tz::UTC), |text| {
        text.parse()
            .map_err(|_| "must be the name of a time zone, such as Asia/Kolkata".to_owned())
    })
}

fn currency(text: Option<&str>) -> Result<Option<Currency>, String> {
    let read = text.map(Currency::parse).transpose();
    read.map_err(|fault| fault.to_string())
}

fn format(text: Option<&str>, request: &HttpRequest) -> Result<Format, String> {
    match text {
        Some("json") => Ok(Format::Json),
        Some("csv") => Ok(Format::Csv),
        Some(_) => Err("must be json or csv".to_owned()),
        None if accepts_csv(request) => Ok(Format::Csv),
        None => Ok(Format::Json),
    }
}

fn accepts_csv(request: &HttpRequest) -> bool {
    let accept = request.headers().get(ACCEPT);
    let accept = accept.and_then(|value| value.to_str().ok()).unwrap_or("");
    let first = accept.split(',').next().unwrap_or_default();
    let essence = first.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("text/csv")
}

#[derive(Clone, Copy)]
enum Edge {
    From,
    To,
}

/// A time with its offset, a local time, or a day: from its beginning, or up to its end.
fn moment(text: &str, zone: Tz, edge: Edge) -> Result<DateTime<Utc>, String> {
    const FAULT: &str = "must be a time in ISO 8601, such as 2026-11-01T00:00:00+05:30, or a day";
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return within_reach(at.to_utc());
    }
    if let Ok(day) = text.parse::<NaiveDate>() {
        let day = match edge {
            Edge::From => Some(day),
            Edge::To => day.succ_opt(),
        };
        let begins = day.and_then(|day| day_begins(day, zone));
        return begins.map_or_else(|| Err(FAULT.to_owned()), within_reach);
    }
    let local = text
        .parse::<NaiveDateTime>()
        .map_err(|_| FAULT.to_owned())?;
    let at = local.and_local_timezone(zone).earliest();
    let at = at.ok_or_else(|| format!("is a time that the clocks of {zone} skip"))?;
    within_reach(at.to_utc())
}

/// Far from the ends of what Postgres and ids can hold.
fn within_reach(at: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let years = 1971..=9000;
    if years.contains(&chrono::Datelike::year(&at)) {
        Ok(at)
    } else {
        Err("must be of the years 1971 to 9000".to_owned())
    }
}

/// The usual local days up to the day on which the window ends.
fn usual_from(to: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    // The end is outside of the window: a midnight belongs to the day before.
    let last = to - TimeDelta::milliseconds(1);
    let today = last.with_timezone(&zone).date_naive();
    day_begins(usual_first_day(today), zone).unwrap_or(to - TimeDelta::days(30))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use actix_web::web::Query;

    use super::*;

    const NOW: &str = "2026-11-28T10:07:00Z";

    fn read(query: &str) -> Result<Wanted, Problem> {
        let asked = Query::<Asked>::from_query(query).unwrap();
        let request = TestRequest::default().to_http_request();
        Wanted::read(&asked, &request, NOW.parse().unwrap())
    }

    fn window(query: &str) -> String {
        let window = read(query).unwrap().window;
        format!(
            "{} {}",
            window.from().to_rfc3339(),
            window.to().to_rfc3339()
        )
    }

    #[test]
    fn a_window_that_is_not_named_is_the_last_thirty_local_days() {
        assert_eq!(
            window(""),
            "2026-10-30T00:00:00+00:00 2026-11-28T10:15:00+00:00"
        );
        assert_eq!(
            window("tz=Asia/Kathmandu"),
            "2026-10-29T18:15:00+00:00 2026-11-28T10:15:00+00:00"
        );
        assert!(read("").unwrap().is_usual);
    }

    #[test]
    fn days_are_whole_local_days_across_a_change_of_the_clocks() {
        assert_eq!(
            window("from=2026-03-29&to=2026-03-29&tz=Europe/Berlin"),
            "2026-03-28T23:00:00+00:00 2026-03-29T22:00:00+00:00"
        );
        assert_eq!(
            window("from=2026-10-25&to=2026-10-25&tz=America/New_York"),
            "2026-10-25T04:00:00+00:00 2026-10-26T04:00:00+00:00"
        );
    }

    #[test]
    fn times_with_and_without_offset_are_read() {
        assert_eq!(
            window("from=2026-03-01T00:00:00&to=2026-03-01T12:00:00%2B05:30&tz=Asia/Kolkata"),
            "2026-02-28T18:30:00+00:00 2026-03-01T06:30:00+00:00"
        );
    }

    #[test]
    fn every_fault_is_named() {
        let problem = read("from=yesterday&to=never&tz=Mars/Base&currency=XXX&format=pdf")
            .map(|_| ())
            .unwrap_err();
        let body = format!("{problem:?}");
        for field in ["from", "to", "tz", "currency", "format"] {
            assert!(body.contains(&format!("field: \"{field}\"")), "{body}");
        }
        assert!(read("from=2026-03-02&to=2026-03-01").is_err());
        assert!(read("from=2000-03-02").is_err());
        assert!(read("from=-9999-01-01&to=%2B20000-01-01").is_err());
        assert!(read("from=2026-03-29T02:30:00&to=2026-04-01&tz=Europe/Berlin").is_err());
    }

    #[test]
    fn csv_is_asked_for_by_name_or_by_header() {
        assert_eq!(read("format=csv").unwrap().format, Format::Csv);
        let asked = Query::<Asked>::from_query("").unwrap();
        for (accept, format) in [
            ("text/csv", Format::Csv),
            ("text/csv;q=0.9, */*", Format::Csv),
            ("application/json, text/csv", Format::Json),
            ("*/*", Format::Json),
        ] {
            let request = TestRequest::default()
                .insert_header(("accept", accept))
                .to_http_request();
            let wanted = Wanted::read(&asked, &request, NOW.parse().unwrap()).unwrap();
            assert_eq!(wanted.format, format, "{accept}");
        }
    }
}
