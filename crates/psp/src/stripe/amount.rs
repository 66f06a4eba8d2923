//! Amounts as Stripe writes them.
//!
//! Stripe's smallest unit is ISO 4217's minor unit but for three currencies
//! (<https://docs.stripe.com/currencies>, "zero-decimal" and "special cases",
//! read in 2026): ISK and UGX, which have no minor unit, are written with two
//! decimals for the sake of older clients, and MGA, which has one, is written
//! without.

use domain::money::{InvalidMoney, UnknownCurrency};
use domain::{Currency, Money};

/// An amount of Stripe's that is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AmountFault {
    #[error(transparent)]
    Money(#[from] InvalidMoney),
    #[error(transparent)]
    Currency(#[from] UnknownCurrency),
    #[error("{0} has no smaller unit than one, and this amount names a fraction of one")]
    Fraction(Currency),
}

/// How many of Stripe's units make up how many of ISO's.
const fn ratio(code: &str) -> (i64, i64) {
    match code.as_bytes() {
        b"ISK" | b"UGX" => (100, 1),
        b"MGA" => (1, 100),
        _ => (1, 1),
    }
}

/// Reads Stripe's `amount` and `currency`.
pub(crate) fn from_wire(amount: i64, currency: &str) -> Result<Money, AmountFault> {
    let currency = Currency::parse(currency)?;
    let (stripe, iso) = ratio(currency.code());
    if amount % stripe != 0 {
        return Err(AmountFault::Fraction(currency));
    }
    let minor = (amount / stripe)
        .checked_mul(iso)
        .ok_or(InvalidMoney::TooLarge)?;
    Ok(Money::new(minor, currency)?)
}

/// Stripe's `amount` and `currency` for `money`.
pub(crate) fn to_wire(money: Money) -> Result<(i64, String), AmountFault> {
    let (stripe, iso) = ratio(money.currency().code());
    if money.minor() % iso != 0 {
        return Err(AmountFault::Fraction(money.currency()));
    }
    let amount = (money.minor() / iso)
        .checked_mul(stripe)
        .ok_or(InvalidMoney::TooLarge)?;
    Ok((amount, money.currency().code().to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn currencies_that_stripe_writes_its_own_way_are_read_its_way() {
        assert_eq!(from_wire(500, "isk").unwrap().to_string(), "5 ISK");
        assert_eq!(from_wire(500, "ugx").unwrap().to_string(), "5 UGX");
        assert_eq!(from_wire(5, "mga").unwrap().to_string(), "5.00 MGA");
        assert_eq!(from_wire(500, "jpy").unwrap().to_string(), "500 JPY");
        assert_eq!(from_wire(5_000, "kwd").unwrap().to_string(), "5.000 KWD");
        assert!(matches!(
            from_wire(550, "isk"),
            Err(AmountFault::Fraction(_))
        ));
    }

    proptest! {
        #[test]
        fn an_amount_survives_the_way_to_stripe_and_back(
            minor in 1..=domain::money::MAX_MINOR,
            code in prop::sample::select(vec!["EUR", "INR", "JPY", "KWD", "ISK", "UGX", "MGA"]),
        ) {
            let money = Money::new(minor, Currency::parse(code).unwrap()).unwrap();
            if let Ok((amount, currency)) = to_wire(money) {
                prop_assert_eq!(from_wire(amount, &currency).unwrap(), money);
            } else {
                prop_assert_eq!(code, "MGA");
            }
        }
    }
}
