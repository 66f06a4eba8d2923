//! The length of text messages.

/// The most characters of a merchant's name where a text would not fit otherwise.
pub(super) const SHORT_NAME: usize = 20;

/// Seven-bit characters of one part (3GPP TS 23.038).
const PART: usize = 160;

/// The GSM 03.38 default alphabet without ASCII letters and digits.
const DEFAULT_ALPHABET: &str =
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
/// Its extension: each takes two places.
const EXTENSION: &str = "^{}\\[~]|€";

/// Whether a text goes out as one part of the seven-bit alphabet.
pub(super) fn fits_one_part(text: &str) -> bool {
    septets(text).is_some_and(|septets| septets <= PART)
}

/// Places in the seven-bit alphabet; `None` if a character is not in it, so that
/// the whole text takes two bytes a character.
fn septets(text: &str) -> Option<usize> {
    text.chars()
        .map(|c| match c {
            _ if c.is_ascii_alphanumeric() || DEFAULT_ALPHABET.contains(c) => Some(1),
            _ if EXTENSION.contains(c) => Some(2),
            _ => None,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_the_networks_count_them() {
        assert_eq!(septets("Zahlung: 5 €, ü"), Some(16));
        assert_eq!(septets("₹5"), None);
        assert_eq!(septets("`"), None);
        assert!(fits_one_part(&"a".repeat(160)));
        assert!(!fits_one_part(&"a".repeat(161)));
    }
}
