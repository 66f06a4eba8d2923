//! A time as its reader's clock and language say it.

use chrono::{DateTime, Datelike, Timelike, Utc};
use chrono_tz::Tz;
use domain::payer::Language;

use crate::BuiltIn;

/// Months as they stand in a date (Unicode CLDR 48, `months/format/wide`).
#[expect(clippy::too_many_lines, reason = "a table")]
const fn months(language: BuiltIn) -> [&'static str; 12] {
    match language {
        BuiltIn::English => [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
        BuiltIn::German => [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
        BuiltIn::Spanish => [
            "enero",
            "febrero",
            "marzo",
            "abril",
            "mayo",
            "junio",
            "julio",
            "agosto",
            "septiembre",
            "octubre",
            "noviembre",
            "diciembre",
        ],
        BuiltIn::French => [
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ],
        BuiltIn::Hindi => [
            "जनवरी",
            "फ़रवरी",
            "मार्च",
            "अप्रैल",
            "मई",
            "जून",
            "जुलाई",
            "अगस्त",
            "सितंबर",
            "अक्टूबर",
            "नवंबर",
            "दिसंबर",
        ],
        BuiltIn::Portuguese => [
            "janeiro",
            "fevereiro",
            "março",
            "abril",
            "maio",
            "junho",
            "julho",
            "agosto",
            "setembro",
            "outubro",
            "novembro",
            "dezembro",
        ],
    }
}

/// `15 January 2027, 13:30 IST`. The zone is named: where it was guessed, the
/// reader sees by which clock the time is told. A language that Tinko does not
/// speak gets digits (ISO 8601), which every language reads.
pub(crate) fn moment(at: DateTime<Utc>, zone: Tz, language: &Language) -> String {
    let local = at.with_timezone(&zone);
    let (day, year) = (local.day(), local.year());
    let clock = format!("{:02}:{:02}", local.hour(), local.minute());
    let zone = zone_name(&local.format("%Z").to_string());
    let Some(spoken) = BuiltIn::of(language) else {
        return format!("{} {clock} {zone}", local.format("%Y-%m-%d"));
    };
    let month = months(spoken)[local.month0() as usize];
    let american = language.region() == Some("US");
    match spoken {
        BuiltIn::English if american => {
            let clock = local.format("%-I:%M %p");
            format!("{month} {day}, {year}, {clock} {zone}")
        }
        BuiltIn::English | BuiltIn::Hindi => format!("{day} {month} {year}, {clock} {zone}"),
        BuiltIn::German => format!("{day}. {month} {year}, {clock} Uhr ({zone})"),
        BuiltIn::French => {
            let day = if day == 1 {
                "1er".to_owned()
            } else {
                day.to_string()
            };
            format!("{day} {month} {year} à {clock} ({zone})")
        }
        BuiltIn::Spanish | BuiltIn::Portuguese => {
            format!("{day} de {month} de {year}, {clock} ({zone})")
        }
    }
}

/// The tz database has letters for some zones, and an offset such as `+03` for others.
fn zone_name(name: &str) -> String {
    if name.starts_with(['+', '-']) {
        format!("UTC{name}")
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_by_the_readers_clock_and_in_the_readers_words() {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for (tag, zone, wanted) in [
            ("en-IN", Tz::Asia__Kolkata, "15 January 2027, 13:30 IST"),
            (
                "en-US",
                Tz::America__New_York,
                "January 15, 2027, 3:00 AM EST",
            ),
            ("de", Tz::Europe__Berlin, "15. Januar 2027, 09:00 Uhr (CET)"),
            ("fr", Tz::Europe__Paris, "15 janvier 2027 à 09:00 (CET)"),
            (
                "es-AR",
                Tz::America__Argentina__Buenos_Aires,
                "15 de enero de 2027, 05:00 (UTC-03)",
            ),
            (
                "pt-BR",
                Tz::America__Sao_Paulo,
                "15 de janeiro de 2027, 05:00 (UTC-03)",
            ),
            ("hi", Tz::Asia__Kolkata, "15 जनवरी 2027, 13:30 IST"),
            ("ta", Tz::UTC, "2027-01-15 08:00 UTC"),
        ] {
            assert_eq!(moment(at, zone, &Language::parse(tag).unwrap()), wanted);
        }
    }
}
