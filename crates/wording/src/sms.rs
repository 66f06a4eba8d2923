//! The length of text messages, as networks count and charge it
//! (3GPP TS 23.038 for the alphabets, TS 23.040 for messages of several parts).

use serde::Serialize;

/// The most characters of a merchant's name where a text would not fit otherwise.
pub(crate) const SHORT_NAME: usize = 20;

/// The GSM 03.38 default alphabet without ASCII letters and digits.
const DEFAULT_ALPHABET: &str =
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
/// Its extension: each takes two places.
const EXTENSION: &str = "^{}\\[~]|€";

/// The alphabet that a text message is sent in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Encoding {
    /// Seven bits a character.
    #[serde(rename = "GSM-7")]
    Gsm7,
    /// Two bytes a character: one character outside of GSM-7 is enough.
    #[serde(rename = "UCS-2")]
    Ucs2,
}

impl Encoding {
    /// Places of a message of one part, and of each part of several: six octets
    /// of each go to the header that joins them.
    const fn places(self) -> (usize, usize) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Ucs2 => (70, 67),
        }
    }
}

/// What a text message takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Segments {
    /// Its alphabet.
    pub encoding: Encoding,
    /// Its characters, as people count them.
    pub characters: usize,
    /// Places in its alphabet.
    pub units: usize,
    /// Parts that it is sent, and charged, in.
    pub segments: usize,
}

impl Segments {
    /// Counts a text.
    pub fn of(text: &str) -> Self {
        let septets: Option<Vec<usize>> = text.chars().map(septets).collect();
        let (encoding, widths) = match septets {
            Some(widths) => (Encoding::Gsm7, widths),
            None => (Encoding::Ucs2, text.chars().map(char::len_utf16).collect()),
        };
        let units = widths.iter().sum();
        let (one, many) = encoding.places();
        Self {
            encoding,
            characters: widths.len(),
            units,
            segments: if units <= one {
                1
            } else {
                parts(&widths, many)
            },
        }
    }

    /// Whether a text goes out as one part of the seven-bit alphabet.
    pub(crate) fn is_one_cheap_part(self) -> bool {
        self.encoding == Encoding::Gsm7 && self.segments == 1
    }
}

/// No character is cut in two, so a part may stay one place short.
fn parts(widths: &[usize], places: usize) -> usize {
    let (mut parts, mut taken) = (1, 0);
    for width in widths {
        if taken + width > places {
            parts += 1;
            taken = 0;
        }
        taken += width;
    }
    parts
}

/// Places in the seven-bit alphabet; `None` if the character is not in it.
fn septets(c: char) -> Option<usize> {
    match c {
        _ if c.is_ascii_alphanumeric() || DEFAULT_ALPHABET.contains(c) => Some(1),
        _ if EXTENSION.contains(c) => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_the_networks_count_them() {
        let count = |text: &str| {
            let counted = Segments::of(text);
            (counted.encoding, counted.units, counted.segments)
        };
        assert_eq!(count("Zahlung: 5 €, ü"), (Encoding::Gsm7, 16, 1));
        assert_eq!(count("₹5"), (Encoding::Ucs2, 2, 1));
        assert_eq!(count("`😀"), (Encoding::Ucs2, 3, 1));
        assert_eq!(count(&"a".repeat(160)), (Encoding::Gsm7, 160, 1));
        assert_eq!(count(&"a".repeat(161)), (Encoding::Gsm7, 161, 2));
        assert_eq!(count(&"a".repeat(307)), (Encoding::Gsm7, 307, 3));
        assert_eq!(count(&"ब".repeat(70)), (Encoding::Ucs2, 70, 1));
        assert_eq!(count(&"ब".repeat(71)), (Encoding::Ucs2, 71, 2));
    }

    #[test]
    fn no_character_is_cut_between_two_parts() {
        let text = format!("{}{}", "a".repeat(152), "€".repeat(77));
        let counted = Segments::of(&text);
        assert_eq!((counted.units, counted.segments), (306, 3));
    }
}
