//! A payer's time zone, as well as it can be told.

use chrono_tz::Tz;

use super::PhoneNumber;
use crate::money::Currency;

/// The payer's time zone: the one that the merchant gave when it is an IANA
/// name, else that of the phone number's country, else that of the currency's,
/// else UTC.
///
/// A country that spans several zones counts as the zone where most of its
/// people live, so a guess can be hours off for a Californian (`+1` is New
/// York) or a Siberian. Merchants who know better should say so.
pub fn time_zone(explicit: Option<&str>, phone: Option<&PhoneNumber>, currency: Currency) -> Tz {
    explicit
        .and_then(|name| name.trim().parse().ok())
        .or_else(|| phone.and_then(of_phone))
        .or_else(|| of_currency(currency))
        .unwrap_or(Tz::UTC)
}

/// Country codes of ITU-T E.164 (list of 2016-12-15) and the zone of most people there.
const BY_CALLING_CODE: &[(&str, Tz)] = &[
    ("1", Tz::America__New_York),
    ("7", Tz::Europe__Moscow),
    ("20", Tz::Africa__Cairo),
    ("27", Tz::Africa__Johannesburg),
    ("30", Tz::Europe__Athens),
    ("31", Tz::Europe__Amsterdam),
    ("32", Tz::Europe__Brussels),
    ("33", Tz::Europe__Paris),
    ("34", Tz::Europe__Madrid),
    ("351", Tz::Europe__Lisbon),
    ("353", Tz::Europe__Dublin),
    ("358", Tz::Europe__Helsinki),
    ("36", Tz::Europe__Budapest),
    ("39", Tz::Europe__Rome),
    ("40", Tz::Europe__Bucharest),
    ("41", Tz::Europe__Zurich),
    ("420", Tz::Europe__Prague),
    ("43", Tz::Europe__Vienna),
    ("44", Tz::Europe__London),
    ("45", Tz::Europe__Copenhagen),
    ("46", Tz::Europe__Stockholm),
    ("47", Tz::Europe__Oslo),
    ("48", Tz::Europe__Warsaw),
    ("49", Tz::Europe__Berlin),
    ("52", Tz::America__Mexico_City),
    ("54", Tz::America__Argentina__Buenos_Aires),
    ("55", Tz::America__Sao_Paulo),
    ("56", Tz::America__Santiago),
    ("57", Tz::America__Bogota),
    ("60", Tz::Asia__Kuala_Lumpur),
    ("61", Tz::Australia__Sydney),
    ("62", Tz::Asia__Jakarta),
    ("63", Tz::Asia__Manila),
    ("64", Tz::Pacific__Auckland),
    ("65", Tz::Asia__Singapore),
    ("66", Tz::Asia__Bangkok),
    ("81", Tz::Asia__Tokyo),
    ("82", Tz::Asia__Seoul),
    ("84", Tz::Asia__Ho_Chi_Minh),
    ("852", Tz::Asia__Hong_Kong),
    ("86", Tz::Asia__Shanghai),
    ("880", Tz::Asia__Dhaka),
    ("90", Tz::Europe__Istanbul),
    ("91", Tz::Asia__Kolkata),
    ("92", Tz::Asia__Karachi),
    ("94", Tz::Asia__Colombo),
    ("234", Tz::Africa__Lagos),
    ("254", Tz::Africa__Nairobi),
    ("966", Tz::Asia__Riyadh),
    ("971", Tz::Asia__Dubai),
    ("972", Tz::Asia__Jerusalem),
    ("977", Tz::Asia__Kathmandu),
];

/// Currencies of one country, or of countries whose clocks agree within an hour.
const BY_CURRENCY: &[(&str, Tz)] = &[
    ("AED", Tz::Asia__Dubai),
    ("AUD", Tz::Australia__Sydney),
    ("BDT", Tz::Asia__Dhaka),
    ("BRL", Tz::America__Sao_Paulo),
    ("CAD", Tz::America__Toronto),
    ("CHF", Tz::Europe__Zurich),
    ("CNY", Tz::Asia__Shanghai),
    ("CZK", Tz::Europe__Prague),
    ("DKK", Tz::Europe__Copenhagen),
    ("EUR", Tz::Europe__Berlin),
    ("GBP", Tz::Europe__London),
    ("HKD", Tz::Asia__Hong_Kong),
    ("IDR", Tz::Asia__Jakarta),
    ("INR", Tz::Asia__Kolkata),
    ("JPY", Tz::Asia__Tokyo),
    ("KRW", Tz::Asia__Seoul),
    ("LKR", Tz::Asia__Colombo),
    ("MXN", Tz::America__Mexico_City),
    ("MYR", Tz::Asia__Kuala_Lumpur),
    ("NOK", Tz::Europe__Oslo),
    ("NPR", Tz::Asia__Kathmandu),
    ("NZD", Tz::Pacific__Auckland),
    ("PKR", Tz::Asia__Karachi),
    ("PLN", Tz::Europe__Warsaw),
    ("SEK", Tz::Europe__Stockholm),
    ("SGD", Tz::Asia__Singapore),
    ("THB", Tz::Asia__Bangkok),
    ("TRY", Tz::Europe__Istanbul),
    ("USD", Tz::America__New_York),
    ("ZAR", Tz::Africa__Johannesburg),
];

/// No country code is the beginning of another, so at most one row fits.
fn of_phone(phone: &PhoneNumber) -> Option<Tz> {
    let digits = phone.expose().trim_start_matches('+');
    BY_CALLING_CODE
        .iter()
        .find(|(code, _)| digits.starts_with(code))
        .map(|(_, zone)| *zone)
}

fn of_currency(currency: Currency) -> Option<Tz> {
    BY_CURRENCY
        .iter()
        .find(|(code, _)| *code == currency.code())
        .map(|(_, zone)| *zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(explicit: Option<&str>, phone: Option<&str>, currency: &str) -> Tz {
        let phone = phone.map(|text| PhoneNumber::parse(text).unwrap());
        time_zone(explicit, phone.as_ref(), Currency::parse(currency).unwrap())
    }

    #[test]
    fn the_best_hint_decides() {
        let us = Some("+12025550123");
        assert_eq!(
            zone(Some("America/Los_Angeles"), us, "INR"),
            Tz::America__Los_Angeles
        );
        assert_eq!(zone(Some("Mars/Olympus"), us, "INR"), Tz::America__New_York);
        assert_eq!(zone(None, Some("+919812345678"), "USD"), Tz::Asia__Kolkata);
        assert_eq!(zone(None, None, "INR"), Tz::Asia__Kolkata);
        assert_eq!(zone(None, Some("+99912345678"), "ISK"), Tz::UTC);
    }

    #[test]
    fn no_calling_code_begins_another() {
        for (a, _) in BY_CALLING_CODE {
            let within = BY_CALLING_CODE
                .iter()
                .filter(|(b, _)| b.starts_with(a))
                .count();
            assert_eq!(within, 1, "{a}");
        }
    }

    #[test]
    fn every_currency_in_the_table_exists() {
        for (code, _) in BY_CURRENCY {
            assert!(Currency::parse(code).is_ok(), "{code}");
        }
    }
}
