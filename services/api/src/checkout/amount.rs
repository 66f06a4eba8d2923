//! Money as people write it.

use domain::Money;
use iso_currency::Currency as IsoCurrency;

/// `₹1,29,999.50`, `$12.00 USD`, `¥500`: the sign, digits in groups, and the code
/// where the sign is that of several currencies.
pub fn in_words(money: Money) -> String {
    let code = money.currency().code();
    let digits = money.currency().minor_digits();
    let scale = 10_i64.pow(digits);
    let (whole, part) = (money.minor() / scale, money.minor() % scale);
    let whole = if code == "INR" {
        grouped(whole, 2)
    } else {
        grouped(whole, 3)
    };
    let number = if digits == 0 {
        whole
    } else {
        format!("{whole}.{part:0width$}", width = digits as usize)
    };
    match sign(code) {
        // The sign of some twenty currencies says little by itself.
        Some("$") => format!("${number} {code}"),
        Some(sign) => format!("{sign}{number}"),
        None => format!("{number} {code}"),
    }
}

/// The signs that everyone knows; of the others only the dollar's.
fn sign(code: &str) -> Option<&'static str> {
    match code {
        "INR" => Some("₹"),
        "EUR" => Some("€"),
        "GBP" => Some("£"),
        "JPY" => Some("¥"),
        _ => {
            let symbol = IsoCurrency::from_code(code)?.symbol().symbol;
            (symbol == "$").then_some("$")
        }
    }
}

/// Thousands first, then groups of `further` digits: 3 nearly everywhere, 2 in India.
fn grouped(number: i64, further: usize) -> String {
    let digits = number.to_string();
    let split = digits.len().saturating_sub(3);
    let (high, low) = digits.split_at(split);
    if high.is_empty() {
        return low.to_owned();
    }
    let mut groups: Vec<&str> = Vec::new();
    let mut rest = high;
    while rest.len() > further {
        let (before, group) = rest.split_at(rest.len() - further);
        groups.push(group);
        rest = before;
    }
    groups.push(rest);
    groups.reverse();
    format!("{},{low}", groups.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Currency;

    #[test]
    fn money_reads_as_people_write_it() {
        for (minor, code, wanted) in [
            (1_299_950, "INR", "₹12,999.50"),
            (12_345_678_900, "INR", "₹12,34,56,789.00"),
            (1_200, "USD", "$12.00 USD"),
            (123_456_789, "EUR", "€1,234,567.89"),
            (500, "JPY", "¥500"),
            (1_005, "KWD", "1.005 KWD"),
            (99, "GBP", "£0.99"),
            (100_000, "SEK", "1,000.00 SEK"),
        ] {
            let money = Money::new(minor, Currency::parse(code).unwrap()).unwrap();
            assert_eq!(in_words(money), wanted);
        }
    }
}
