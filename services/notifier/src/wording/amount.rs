//! Amounts as people write them, from whole minor units.

use domain::Money;

/// `₹1,29,950.00`, `€1,299.50`, `¥500`, else `KWD 1.005`.
pub(super) fn for_people(money: Money) -> String {
    match symbol(money.currency().code()) {
        Some(symbol) => format!("{symbol}{}", number(money)),
        None => with_code(money),
    }
}

/// `INR 1,29,950.00`: the rupee sign is not in GSM 03.38, and one such
/// character would make a text message cost three.
pub(super) fn with_code(money: Money) -> String {
    format!("{} {}", money.currency().code(), number(money))
}

/// Only where the sign names one currency to its payers.
fn symbol(code: &str) -> Option<&'static str> {
    match code {
        "INR" => Some("₹"),
        "EUR" => Some("€"),
        "GBP" => Some("£"),
        "JPY" => Some("¥"),
        "USD" => Some("$"),
        _ => None,
    }
}

fn number(money: Money) -> String {
    let digits = money.currency().minor_digits();
    let scale = 10i64.pow(digits);
    // India counts in lakhs: three digits, then pairs.
    let after_first = if money.currency().code() == "INR" {
        2
    } else {
        3
    };
    let whole = grouped(&(money.minor() / scale).to_string(), after_first);
    if digits == 0 {
        return whole;
    }
    let width = digits as usize;
    format!("{whole}.{:0width$}", money.minor() % scale)
}

fn grouped(digits: &str, after_first: usize) -> String {
    let (mut rest, last) = digits.split_at(digits.len().saturating_sub(3));
    let mut groups = vec![last];
    while !rest.is_empty() {
        let (before, group) = rest.split_at(rest.len().saturating_sub(after_first));
        groups.push(group);
        rest = before;
    }
    groups.reverse();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use domain::Currency;
    use proptest::prelude::*;

    use super::*;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::parse(code).unwrap()).unwrap()
    }

    #[test]
    fn amounts_are_written_as_their_payers_write_them() {
        for (minor, code, wanted) in [
            (12_995_000, "INR", "₹1,29,950.00"),
            (1_234_567_890, "INR", "₹1,23,45,678.90"),
            (129_950, "EUR", "€1,299.50"),
            (5, "USD", "$0.05"),
            (500, "JPY", "¥500"),
            (1_005, "KWD", "KWD 1.005"),
        ] {
            assert_eq!(for_people(money(minor, code)), wanted);
        }
        assert_eq!(with_code(money(129_950, "INR")), "INR 1,299.50");
    }

    proptest! {
        #[test]
        fn no_digit_is_lost_or_added(minor in 1..=domain::money::MAX_MINOR, code in "INR|EUR|JPY|KWD") {
            let text = with_code(money(minor, &code));
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            prop_assert_eq!(digits.parse::<i64>().unwrap(), minor);
        }
    }
}
