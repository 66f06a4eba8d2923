//! Where a phone number or a currency belongs.

mod area_codes;
mod calling_codes;
mod currencies;

use chrono_tz::Tz;

use self::area_codes::BY_AREA_CODE;
use self::calling_codes::BY_CALLING_CODE;
use self::currencies::{BY_CURRENCY, ZONES_OF_SHARED_CURRENCIES};
use super::PhoneNumber;
use crate::money::Currency;

/// A country and a time zone in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Two letters of ISO 3166-1.
    pub(super) country: &'static str,
    /// The zone where most people of the place live.
    pub(super) zone: Tz,
}

/// The place of a phone number.
pub(super) fn of_phone(phone: &PhoneNumber) -> Option<Place> {
    let digits = phone.expose().trim_start_matches('+');
    if let Some(national) = digits.strip_prefix('1') {
        return of_area(national);
    }
    BY_CALLING_CODE
        .iter()
        .filter(|(code, _, _)| digits.starts_with(code))
        .max_by_key(|(code, _, _)| code.len())
        .map(|(_, country, zone)| Place {
            country,
            zone: *zone,
        })
}

fn of_area(national: &str) -> Option<Place> {
    let area: Option<u16> = national.get(..3).and_then(|digits| digits.parse().ok());
    BY_AREA_CODE
        .iter()
        .find(|(_, _, areas)| area.is_some_and(|area| areas.contains(&area)))
        .or_else(|| BY_AREA_CODE.first())
        .map(|(country, zone, _)| Place {
            country,
            zone: *zone,
        })
}

/// The zone where most people of a country live, as far as the tables know it.
pub(super) fn zone_of_country(country: &str) -> Option<Tz> {
    let of_calling = BY_CALLING_CODE
        .iter()
        .map(|(_, country, zone)| (*country, *zone));
    let of_areas = BY_AREA_CODE
        .iter()
        .map(|(country, zone, _)| (*country, *zone));
    of_calling
        .chain(of_areas)
        .find(|(row, _)| *row == country)
        .map(|(_, zone)| zone)
}

/// The country that alone spends a currency.
pub(super) fn country_of_currency(currency: Currency) -> Option<&'static str> {
    BY_CURRENCY
        .iter()
        .find(|(code, _)| *code == currency.code())
        .map(|(_, country)| *country)
}

/// The zone where most people pay in a currency.
pub(super) fn zone_of_currency(currency: Currency) -> Option<Tz> {
    ZONES_OF_SHARED_CURRENCIES
        .iter()
        .find(|(code, _)| *code == currency.code())
        .map(|(_, zone)| *zone)
        .or_else(|| zone_of_country(country_of_currency(currency)?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::payer::Country;

    fn place(number: &str) -> Option<(&'static str, Tz)> {
        let phone = PhoneNumber::parse(number).unwrap();
        of_phone(&phone).map(|place| (place.country, place.zone))
    }

    #[test]
    fn the_longest_code_that_fits_holds() {
        assert_eq!(place("+74951234567"), Some(("RU", Tz::Europe__Moscow)));
        assert_eq!(place("+77011234567"), Some(("KZ", Tz::Asia__Almaty)));
        assert_eq!(place("+2348012345678"), Some(("NG", Tz::Africa__Lagos)));
        assert_eq!(place("+99912345678"), None);
    }

    #[test]
    fn areas_of_one_country_code_are_told_apart() {
        assert_eq!(place("+12025550123"), Some(("US", Tz::America__New_York)));
        assert_eq!(place("+13125550123"), Some(("US", Tz::America__Chicago)));
        assert_eq!(
            place("+14155550123"),
            Some(("US", Tz::America__Los_Angeles))
        );
        assert_eq!(place("+18085550123"), Some(("US", Tz::Pacific__Honolulu)));
        assert_eq!(place("+16045550123"), Some(("CA", Tz::America__Vancouver)));
        assert_eq!(place("+18765550123"), Some(("JM", Tz::America__Jamaica)));
    }

    #[test]
    fn a_code_begins_another_only_where_a_country_shares_it() {
        for (a, _, _) in BY_CALLING_CODE {
            for (b, country, _) in BY_CALLING_CODE {
                let shared = *a == "7" && *country == "KZ";
                assert!(a == b || !b.starts_with(a) || shared, "{a} begins {b}");
            }
        }
        let codes: BTreeSet<_> = BY_CALLING_CODE.iter().map(|(code, _, _)| code).collect();
        assert_eq!(codes.len(), BY_CALLING_CODE.len());
        let areas: Vec<_> = BY_AREA_CODE
            .iter()
            .flat_map(|(_, _, areas)| *areas)
            .collect();
        assert_eq!(areas.iter().collect::<BTreeSet<_>>().len(), areas.len());
    }

    #[test]
    fn every_country_and_currency_in_the_tables_exists() {
        let countries = BY_CALLING_CODE
            .iter()
            .map(|(_, country, _)| *country)
            .chain(BY_AREA_CODE.iter().map(|(country, _, _)| *country))
            .chain(BY_CURRENCY.iter().map(|(_, country)| *country));
        for country in countries {
            assert!(Country::parse(country).is_ok(), "{country}");
        }
        let shared = ZONES_OF_SHARED_CURRENCIES.iter().map(|(code, _)| *code);
        for code in BY_CURRENCY.iter().map(|(code, _)| *code).chain(shared) {
            assert!(Currency::parse(code).is_ok(), "{code}");
        }
    }

    #[test]
    fn every_country_of_a_currency_has_a_zone() {
        for (code, country) in BY_CURRENCY {
            assert!(zone_of_country(country).is_some(), "{code} {country}");
        }
    }

    #[test]
    fn a_number_too_short_for_an_area_and_one_of_an_unknown_area_count_as_new_york() {
        assert_eq!(place("+19995550123"), Some(("US", Tz::America__New_York)));
        let whole = of_area("20").map(|place| (place.country, place.zone));
        assert_eq!(whole, Some(("US", Tz::America__New_York)));
    }

    #[test]
    fn countries_and_currencies_have_the_zone_of_most_of_their_people() {
        for (country, zone) in [
            ("IN", Some(Tz::Asia__Kolkata)),
            ("US", Some(Tz::America__New_York)),
            ("CA", Some(Tz::America__Toronto)),
            ("JM", Some(Tz::America__Jamaica)),
            ("AQ", None),
        ] {
            assert_eq!(zone_of_country(country), zone, "{country}");
        }
        for (currency, country, zone) in [
            ("INR", Some("IN"), Some(Tz::Asia__Kolkata)),
            ("EUR", None, Some(Tz::Europe__Berlin)),
            ("USD", None, Some(Tz::America__New_York)),
            ("XCD", None, None),
        ] {
            let currency = Currency::parse(currency).unwrap();
            assert_eq!(country_of_currency(currency), country);
            assert_eq!(zone_of_currency(currency), zone);
        }
    }
}
