//! Amounts as people write them, from whole minor units.
//!
//! Marks and places by Unicode CLDR 48 (`numbers/symbols`, `currencyFormats`).

use domain::Money;
use domain::payer::Language;

/// How a language writes numbers.
#[derive(Debug, Clone, Copy)]
struct Style {
    group: char,
    decimal: char,
    /// Whether the currency stands after the number.
    after: bool,
}

const ENGLISH: Style = Style {
    group: ',',
    decimal: '.',
    after: false,
};
/// A space that does not break the line.
const NO_BREAK: char = '\u{a0}';

/// By the language's tag, its region where that decides, else its first part.
fn style(language: &Language) -> Style {
    let style = |group, decimal, after| Style {
        group,
        decimal,
        after,
    };
    match (language.primary(), language.region()) {
        ("de", Some("AT")) => style(NO_BREAK, ',', false),
        ("de" | "fr" | "it", Some("CH" | "LI")) => style('’', '.', false),
        (
            "es",
            Some("MX" | "US" | "PR" | "419" | "GT" | "HN" | "NI" | "PA" | "PE" | "SV" | "DO"),
        ) => ENGLISH,
        ("pt", Some("BR")) | ("nl" | "tr" | "id", _) => style('.', ',', false),
        ("de" | "es" | "it" | "da" | "el" | "hr" | "ro" | "sl" | "sr", _) => style('.', ',', true),
        (
            "fr" | "pt" | "bg" | "cs" | "et" | "fi" | "hu" | "lt" | "lv" | "nb" | "pl" | "ru"
            | "sk" | "sv" | "uk",
            _,
        ) => style(NO_BREAK, ',', true),
        _ => ENGLISH,
    }
}

/// `₹1,29,950.00`, `€1,299.50`, `1.299,50 €`, `R$ 1.299,50`, else `KWD 1.005`.
pub(crate) fn for_people(money: Money, language: &Language) -> String {
    let style = style(language);
    let number = number(money, style);
    match (symbol(money.currency().code(), language), style.after) {
        (Some(symbol), true) => format!("{number}{NO_BREAK}{symbol}"),
        // English and Hindi set the sign close, others apart.
        (Some(symbol), false) if style.decimal == '.' && style.group == ',' => {
            format!("{symbol}{number}")
        }
        (Some(symbol), false) => format!("{symbol}{NO_BREAK}{number}"),
        (None, true) => format!("{number}{NO_BREAK}{}", money.currency().code()),
        (None, false) => format!("{}{NO_BREAK}{number}", money.currency().code()),
    }
    .replace(NO_BREAK, if style.group == ',' { " " } else { "\u{a0}" })
}

/// `INR 1,29,950.00`, `1.299,50 EUR`: the rupee sign and the space that does not
/// break are not in GSM 03.38, and one such character would make a text message
/// cost three.
pub(crate) fn for_text_messages(money: Money, language: &Language) -> String {
    let style = style(language);
    let number = number(money, style)
        .replace(NO_BREAK, " ")
        .replace('’', "'");
    let code = money.currency().code();
    if style.after {
        format!("{number} {code}")
    } else {
        format!("{code} {number}")
    }
}

/// Only where the sign names one currency to its payers.
fn symbol(code: &str, language: &Language) -> Option<&'static str> {
    match (code, language.region()) {
        ("INR", _) => Some("₹"),
        ("EUR", _) => Some("€"),
        ("GBP", _) => Some("£"),
        ("JPY", _) => Some("¥"),
        ("BRL", _) => Some("R$"),
        // Elsewhere the sign is taken for the payer's own dollar or peso.
        ("USD", None | Some("US" | "IN" | "GB" | "DE" | "FR")) => Some("$"),
        _ => None,
    }
}

fn number(money: Money, style: Style) -> String {
    let digits = money.currency().minor_digits();
    let scale = 10i64.pow(digits);
    // India counts in lakhs: three digits, then pairs.
    let in_lakhs = money.currency().code() == "INR" && style.group == ',';
    let whole = grouped(
        &(money.minor() / scale).to_string(),
        if in_lakhs { 2 } else { 3 },
        style.group,
    );
    if digits == 0 {
        return whole;
    }
    let width = digits as usize;
    format!("{whole}{}{:0width$}", style.decimal, money.minor() % scale)
}

fn grouped(digits: &str, after_first: usize, mark: char) -> String {
    let (mut rest, last) = digits.split_at(digits.len().saturating_sub(3));
    let mut groups = vec![last];
    while !rest.is_empty() {
        let (before, group) = rest.split_at(rest.len().saturating_sub(after_first));
        groups.push(group);
        rest = before;
    }
    groups.reverse();
    groups.join(&mark.to_string())
}

#[cfg(test)]
mod tests {
    use domain::Currency;
    use proptest::prelude::*;

    use super::*;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::parse(code).unwrap()).unwrap()
    }

    fn language(tag: &str) -> Language {
        Language::parse(tag).unwrap()
    }

    #[test]
    fn amounts_are_written_as_their_payers_write_them() {
        for (minor, code, tag, wanted) in [
            (12_995_000, "INR", "en-IN", "₹1,29,950.00"),
            (1_234_567_890, "INR", "hi", "₹1,23,45,678.90"),
            (129_950, "EUR", "en", "€1,299.50"),
            (129_950, "EUR", "de", "1.299,50 €"),
            (129_950, "EUR", "de-AT", "€ 1 299,50"),
            (129_950, "CHF", "de-CH", "CHF 1’299.50"),
            (129_950, "EUR", "fr-FR", "1 299,50 €"),
            (129_950, "MXN", "es-MX", "MXN 1,299.50"),
            (129_950, "BRL", "pt-BR", "R$ 1.299,50"),
            (5, "USD", "en-US", "$0.05"),
            (5, "USD", "en-CA", "USD 0.05"),
            (500, "JPY", "ja", "¥500"),
            (1_005, "KWD", "ar-KW", "KWD 1.005"),
        ] {
            let text = for_people(money(minor, code), &language(tag));
            assert_eq!(text.replace(NO_BREAK, " "), wanted, "{tag}");
        }
        let text = |code, tag| for_text_messages(money(129_950, code), &language(tag));
        assert_eq!(text("INR", "en"), "INR 1,299.50");
        assert_eq!(text("EUR", "fr"), "1 299,50 EUR");
        assert_eq!(text("CHF", "de-CH"), "CHF 1'299.50");
    }

    proptest! {
        #[test]
        fn no_digit_is_lost_or_added(
            minor in 1..=domain::money::MAX_MINOR,
            code in "INR|EUR|JPY|KWD",
            tag in "en|de|de-AT|de-CH|fr|es-MX|pt-BR|hi|xx",
        ) {
            let money = money(minor, &code);
            for text in [for_people(money, &language(&tag)), for_text_messages(money, &language(&tag))] {
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                prop_assert_eq!(digits.parse::<i64>().unwrap(), minor);
            }
        }
    }
}
