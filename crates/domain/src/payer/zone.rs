//! A payer's time zone, as well as it can be told.

use chrono_tz::Tz;

use super::{Country, PhoneNumber, places};
use crate::money::Currency;

/// The payer's time zone: the one that the merchant gave when it is an IANA
/// name, else that of the phone number's country or area, else the country's,
/// else that of the currency, else UTC.
///
/// The number comes before the country, since it is the phone that must not
/// ring at night. A country that spans several zones counts as the zone where
/// most of its people live. Merchants who know better should say so.
pub fn time_zone(
    explicit: Option<&str>,
    phone: Option<&PhoneNumber>,
    country: Option<Country>,
    currency: Currency,
) -> Tz {
    explicit
        .and_then(|name| name.trim().parse().ok())
        .or_else(|| places::of_phone(phone?).map(|place| place.zone))
        .or_else(|| places::zone_of_country(country?.as_str()))
        .or_else(|| places::zone_of_currency(currency))
        .unwrap_or(Tz::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(explicit: Option<&str>, phone: Option<&str>, currency: &str) -> Tz {
        in_country(explicit, phone, None, currency)
    }

    fn in_country(
        explicit: Option<&str>,
        phone: Option<&str>,
        country: Option<&str>,
        currency: &str,
    ) -> Tz {
        let phone = phone.map(|text| PhoneNumber::parse(text).unwrap());
        let country = country.map(|code| Country::parse(code).unwrap());
        let currency = Currency::parse(currency).unwrap();
        time_zone(explicit, phone.as_ref(), country, currency)
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
        assert_eq!(zone(None, None, "EUR"), Tz::Europe__Berlin);
        assert_eq!(zone(None, None, "USD"), Tz::America__New_York);
        assert_eq!(zone(None, Some("+99912345678"), "XCD"), Tz::UTC);
    }

    #[test]
    fn a_number_wins_over_a_country_and_a_country_over_a_currency() {
        assert_eq!(
            in_country(None, Some("+919812345678"), Some("DE"), "EUR"),
            Tz::Asia__Kolkata
        );
        assert_eq!(
            in_country(None, Some("+14155550123"), Some("US"), "USD"),
            Tz::America__Los_Angeles
        );
        assert_eq!(in_country(None, None, Some("JP"), "USD"), Tz::Asia__Tokyo);
    }
}
