//! Phone numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A phone number in E.164 form: `+`, then 8 to 15 digits, the first not zero
/// (ITU-T E.164, 6.2.1; fewer than eight digits reach no mobile phone).
/// Printing shows `+91******1234`; see [`PhoneNumber::expose`].
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

/// Text that is not an international phone number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a phone number in international form, such as +919812345678")]
pub struct InvalidPhone;

impl PhoneNumber {
    /// Reads a number with its country code; blanks, dots, hyphens and
    /// brackets between digits are dropped. A national number is refused:
    /// guessing its country would send somebody else the payer's link.
    pub fn parse(text: &str) -> Result<Self, InvalidPhone> {
        let digits = text.trim().strip_prefix('+').ok_or(InvalidPhone)?;
        let digits: String = digits
            .chars()
            .filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')'))
            .collect();
        let well_formed = (8..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if well_formed {
            Ok(Self(format!("+{digits}")))
        } else {
            Err(InvalidPhone)
        }
    }

    /// The number itself, to hand a message over.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `+91******1234`: the first two digits and the last four. Of a short
    /// number the last two, so that at least four stay hidden.
    pub fn masked(&self) -> String {
        let shown = if self.0.len() >= 11 { 4 } else { 2 };
        let hidden = self.0.len() - 3 - shown;
        format!(
            "{}{}{}",
            &self.0[..3],
            "*".repeat(hidden),
            &self.0[self.0.len() - shown..]
        )
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = InvalidPhone;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}
impl From<PhoneNumber> for String {
    fn from(number: PhoneNumber) -> Self {
        number.0
    }
}
impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}
impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_prints_masked() {
        let number = PhoneNumber::parse(" +91 98123-41234 ").unwrap();
        assert_eq!(number.expose(), "+919812341234");
        assert_eq!(
            format!("{number} {number:?}"),
            "+91******1234 +91******1234"
        );
    }

    #[test]
    fn what_is_not_international_is_refused() {
        for text in [
            "",
            "+",
            "9812345678",
            "0091981234567",
            "+0123456789",
            "+1234567",
            "+1234567890123456",
            "+91x812345678",
            "+٩١٩٨١٢٣٤٥٦٧",
        ] {
            assert_eq!(PhoneNumber::parse(text), Err(InvalidPhone), "{text:?}");
        }
    }

    #[test]
    fn a_short_number_shows_two_digits_at_its_end() {
        for (number, masked) in [
            ("+12345678", "+12****78"),
            ("+123456789", "+12*****89"),
            ("+1234567890", "+12****7890"),
            ("+123456789012345", "+12*********2345"),
        ] {
            assert_eq!(PhoneNumber::parse(number).unwrap().masked(), masked);
        }
    }

    #[test]
    fn a_stored_number_reads_back_whole_and_only_if_it_is_one() {
        let number = PhoneNumber::parse("+91 (98) 1234.1234").unwrap();
        let stored = r#""+919812341234""#;
        assert_eq!(serde_json::to_string(&number).unwrap(), stored);
        assert_eq!(serde_json::from_str::<PhoneNumber>(stored).unwrap(), number);
        assert!(serde_json::from_str::<PhoneNumber>(r#""9812341234""#).is_err());
    }

    proptest! {
        #[test]
        fn at_least_four_digits_stay_hidden(digits in "[1-9][0-9]{7,14}") {
            let number = PhoneNumber::parse(&format!("+{digits}")).unwrap();
            let masked = number.to_string();
            prop_assert_eq!(masked.len(), number.expose().len());
            prop_assert!(masked.matches('*').count() >= 4);
        }
    }
}
