//! Money: whole minor units and a currency, never a float.
//!
//! A minor unit is the currency's smallest one under ISO 4217: 1,00 EUR is 100,
//! 1 JPY is 1, 1.000 KWD is 1000.

use std::fmt;

use iso_currency::Currency as IsoCurrency;
use serde::{Deserialize, Serialize};

/// An ISO 4217 currency that payers can pay in.
///
/// Codes that name no spendable money (`XXX`, `XTS`, precious metals, bond
/// units, special drawing rights) are refused: they have no minor unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(IsoCurrency);

/// Text that is not a currency that payers can pay in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an ISO 4217 currency code such as INR, EUR or USD")]
pub struct UnknownCurrency;

impl Currency {
    /// Reads a three-letter code in either case.
    pub fn parse(code: &str) -> Result<Self, UnknownCurrency> {
        IsoCurrency::from_code(&code.to_ascii_uppercase())
            .filter(|currency| currency.exponent().is_some())
            .map(Self)
            .ok_or(UnknownCurrency)
    }

    /// The upper-case ISO 4217 code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Digits after the decimal mark: 2 for EUR, 0 for JPY, 3 for KWD.
    pub fn minor_digits(self) -> u32 {
        u32::from(self.0.exponent().unwrap_or(0))
    }
}

impl TryFrom<String> for Currency {
    type Error = UnknownCurrency;
    fn try_from(code: String) -> Result<Self, Self::Error> {
        Self::parse(&code)
    }
}
impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}
impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The largest amount taken: PSPs cap a charge at 8 to 12 digits, and twelve
/// digits of minor units leave room for every sum that Tinko makes of them.
pub const MAX_MINOR: i64 = 999_999_999_999;

/// An amount owed or paid: above zero, at most [`MAX_MINOR`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawMoney", into = "RawMoney")]
pub struct Money {
    minor: i64,
    currency: Currency,
}

#[derive(Serialize, Deserialize)]
struct RawMoney {
    minor: i64,
    currency: Currency,
}

/// An amount that cannot be owed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMoney {
    /// Nothing, or less than nothing.
    #[error("an amount must be above zero minor units")]
    NotPositive,
    /// More than any PSP would charge at once.
    #[error("an amount must be at most {MAX_MINOR} minor units")]
    TooLarge,
}

/// Two amounts that cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SumError {
    /// Money is never added across currencies.
    #[error("{0} cannot be added to {1}")]
    Currencies(Currency, Currency),
    /// The sum is larger than an amount may be.
    #[error("the sum is out of range")]
    Overflow,
}

impl Money {
    /// An amount of `minor` units of `currency`.
    pub fn new(minor: i64, currency: Currency) -> Result<Self, InvalidMoney> {
        match minor {
            ..=0 => Err(InvalidMoney::NotPositive),
            1..=MAX_MINOR => Ok(Self { minor, currency }),
            _ => Err(InvalidMoney::TooLarge),
        }
    }

    /// Minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The sum, within one currency and in range.
    pub fn checked_add(self, other: Self) -> Result<Self, SumError> {
        if self.currency != other.currency {
            return Err(SumError::Currencies(self.currency, other.currency));
        }
        self.minor
            .checked_add(other.minor)
            .and_then(|minor| Self::new(minor, self.currency).ok())
            .ok_or(SumError::Overflow)
    }
}

impl TryFrom<RawMoney> for Money {
    type Error = InvalidMoney;
    fn try_from(raw: RawMoney) -> Result<Self, Self::Error> {
        Self::new(raw.minor, raw.currency)
    }
}
impl From<Money> for RawMoney {
    fn from(money: Money) -> Self {
        Self {
            minor: money.minor,
            currency: money.currency,
        }
    }
}

impl fmt::Display for Money {
    /// `1299.50 INR`, `500 JPY`: for logs and timelines; payers see a localized form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.currency.minor_digits();
        if digits == 0 {
            return write!(f, "{} {}", self.minor, self.currency);
        }
        let scale = 10i64.pow(digits);
        let width = digits as usize;
        write!(
            f,
            "{}.{:0width$} {}",
            self.minor / scale,
            self.minor % scale,
            self.currency
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::parse(code).unwrap()).unwrap()
    }

    #[test]
    fn amounts_print_with_the_digits_of_their_currency() {
        assert_eq!(money(129_950, "inr").to_string(), "1299.50 INR");
        assert_eq!(money(500, "JPY").to_string(), "500 JPY");
        assert_eq!(money(1_005, "KWD").to_string(), "1.005 KWD");
    }

    #[test]
    fn codes_without_spendable_money_are_refused() {
        for code in ["XXX", "XTS", "XAU", "ZZZ", "", "EURO", "€"] {
            assert_eq!(Currency::parse(code), Err(UnknownCurrency), "{code}");
        }
    }

    #[test]
    fn currencies_have_the_minor_digits_of_iso_4217() {
        for (code, digits) in [("JPY", 0), ("EUR", 2), ("INR", 2), ("KWD", 3)] {
            let currency = Currency::parse(code).unwrap();
            assert_eq!(currency.minor_digits(), digits, "{code}");
            assert_eq!(currency.code(), code);
            assert_eq!(currency.to_string(), code);
        }
    }

    #[test]
    fn stored_money_reads_back_and_what_cannot_be_owed_does_not() {
        let stored = r#"{"minor":129950,"currency":"INR"}"#;
        let amount = money(129_950, "INR");
        assert_eq!(serde_json::to_string(&amount).unwrap(), stored);
        assert_eq!(serde_json::from_str::<Money>(stored).unwrap(), amount);
        for (wrong, why) in [
            (r#"{"minor":0,"currency":"INR"}"#, "above zero"),
            (r#"{"minor":1000000000000,"currency":"INR"}"#, "at most"),
            (r#"{"minor":1,"currency":"XAU"}"#, "ISO 4217"),
        ] {
            let error = serde_json::from_str::<Money>(wrong).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn the_largest_and_the_smallest_amount_are_amounts() {
        let euros = Currency::parse("EUR").unwrap();
        for minor in [1, MAX_MINOR] {
            let amount = Money::new(minor, euros).unwrap();
            assert_eq!((amount.minor(), amount.currency()), (minor, euros));
        }
        assert_eq!(Money::new(0, euros), Err(InvalidMoney::NotPositive));
        assert_eq!(Money::new(-1, euros), Err(InvalidMoney::NotPositive));
        assert_eq!(
            Money::new(MAX_MINOR + 1, euros),
            Err(InvalidMoney::TooLarge)
        );
        let sum = money(MAX_MINOR - 1, "EUR").checked_add(money(1, "EUR"));
        assert_eq!(sum, Ok(money(MAX_MINOR, "EUR")));
    }

    proptest! {
        #[test]
        fn only_amounts_above_zero_and_in_range_exist(minor: i64) {
            let made = Money::new(minor, Currency::parse("EUR").unwrap());
            prop_assert_eq!(made.is_ok(), (1..=MAX_MINOR).contains(&minor));
        }

        #[test]
        fn a_sum_is_exact_or_refused(a in 1..=MAX_MINOR, b in 1..=MAX_MINOR) {
            let sum = money(a, "USD").checked_add(money(b, "USD"));
            if a + b <= MAX_MINOR {
                prop_assert_eq!(sum.unwrap().minor(), a + b);
            } else {
                prop_assert_eq!(sum, Err(SumError::Overflow));
            }
        }

        #[test]
        fn currencies_never_mix(a in 1..=MAX_MINOR, b in 1..=MAX_MINOR) {
            prop_assert!(money(a, "USD").checked_add(money(b, "INR")).is_err());
        }
    }
}
