//! Countries.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::{PhoneNumber, places};
use crate::money::Currency;

/// A country or territory of ISO 3166-1, by its two letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct Country(&'static str);

/// Text that names no country.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a two-letter ISO 3166-1 country code such as IN, DE or US")]
pub struct UnknownCountry;

/// The officially assigned codes, in order (ISO 3166-1, 249 of them, 2026-11).
#[rustfmt::skip]
const CODES: &[&str] = &[
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ",
    "BA", "BB", "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS",
    "BT", "BV", "BW", "BY", "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN",
    "CO", "CR", "CU", "CV", "CW", "CX", "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE",
    "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF",
    "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GS", "GT", "GU", "GW", "GY", "HK", "HM",
    "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM",
    "JO", "JP", "KE", "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC",
    "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK",
    "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS", "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA",
    "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU", "NZ", "OM", "PA", "PE", "PF", "PG",
    "PH", "PK", "PL", "PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS", "RU", "RW",
    "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS",
    "ST", "SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO",
    "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE", "VG", "VI",
    "VN", "VU", "WF", "WS", "YE", "YT", "ZA", "ZM", "ZW",
];

impl Country {
    /// Reads two letters in either case.
    pub fn parse(code: &str) -> Result<Self, UnknownCountry> {
        let code = code.trim().to_ascii_uppercase();
        CODES
            .binary_search(&code.as_str())
            .ok()
            .and_then(|index| CODES.get(index))
            .map(|code| Self(code))
            .ok_or(UnknownCountry)
    }

    /// The two upper-case letters.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// The payer's country: the one that the merchant or the PSP gave when it is a
/// code of ISO 3166-1, else that of the phone number, else the currency's when
/// it is spent in one country alone.
pub fn country(
    explicit: Option<&str>,
    phone: Option<&PhoneNumber>,
    currency: Currency,
) -> Option<Country> {
    explicit
        .and_then(|code| Country::parse(code).ok())
        .or_else(|| {
            let place = places::of_phone(phone?)?;
            Country::parse(place.country).ok()
        })
        .or_else(|| Country::parse(places::country_of_currency(currency)?).ok())
}

// Derived, it would borrow from its input for ever, because of the field's lifetime.
impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::parse(&code).map_err(D::Error::custom)
    }
}
impl TryFrom<String> for Country {
    type Error = UnknownCountry;
    fn try_from(code: String) -> Result<Self, Self::Error> {
        Self::parse(&code)
    }
}
impl std::str::FromStr for Country {
    type Err = UnknownCountry;
    fn from_str(code: &str) -> Result<Self, Self::Err> {
        Self::parse(code)
    }
}
impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.0.to_owned()
    }
}
impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(explicit: Option<&str>, phone: Option<&str>, currency: &str) -> Option<&'static str> {
        let phone = phone.map(|text| PhoneNumber::parse(text).unwrap());
        let currency = Currency::parse(currency).unwrap();
        country(explicit, phone.as_ref(), currency).map(Country::as_str)
    }

    #[test]
    fn the_codes_are_in_order_and_all_there() {
        assert!(CODES.is_sorted());
        assert_eq!(CODES.len(), 249);
        assert_eq!(Country::parse(" in "), Country::parse("IN"));
        for text in ["", "I", "IND", "XX", "UK", "ÄÄ"] {
            assert_eq!(Country::parse(text), Err(UnknownCountry), "{text:?}");
        }
    }

    #[test]
    fn the_best_hint_tells_the_country() {
        assert_eq!(told(Some("de"), Some("+919812345678"), "USD"), Some("DE"));
        assert_eq!(told(Some("Mars"), Some("+919812345678"), "USD"), Some("IN"));
        assert_eq!(told(None, Some("+14165550123"), "USD"), Some("CA"));
        assert_eq!(told(None, None, "INR"), Some("IN"));
        assert_eq!(told(None, None, "EUR"), None);
        // Dollars are paid with all over the world.
        assert_eq!(told(None, None, "USD"), None);
    }

    #[test]
    fn a_country_is_written_and_read_as_its_two_letters() {
        let india = Country::parse("IN").unwrap();
        assert_eq!(format!("{india} {india:?}"), "IN IN");
        assert_eq!("in".parse(), Ok(india));
        assert_eq!("India".parse::<Country>(), Err(UnknownCountry));
        assert_eq!(serde_json::to_string(&india).unwrap(), r#""IN""#);
        assert_eq!(serde_json::from_str::<Country>(r#""IN""#).unwrap(), india);
        assert!(serde_json::from_str::<Country>(r#""XX""#).is_err());
    }
}
