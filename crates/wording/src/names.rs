//! Names and other text of strangers, made safe to stand in a message.

/// The most characters of a merchant's name in a message.
const MERCHANT: usize = 60;
/// The most characters of a payer's name in a message.
const PAYER: usize = 60;

/// One line of at most `most` characters: control characters and line ends are
/// blanks (they would end a header), marks that turn the direction of writing or
/// are not seen are gone (they disguise what follows).
pub fn one_line(text: &str, most: usize) -> String {
    let visible: String = text
        .chars()
        .filter(|c| !is_disguise(*c))
        .map(|c| {
            if c.is_control() || c.is_whitespace() {
                ' '
            } else {
                c
            }
        })
        .collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    let line: String = words.join(" ").chars().take(most).collect();
    line.trim_end().to_owned()
}

fn is_disguise(c: char) -> bool {
    // U+200C and U+200D stay: Hindi is not written right without them.
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{2028}' | '\u{2029}')
}

pub(crate) fn merchant(name: &str) -> String {
    one_line(name, MERCHANT)
}

/// What to call the payer. A name with an address in it is not a name: whoever
/// fills a checkout in with someone else's email would have us send it there.
pub(crate) fn payer(name: &str) -> Option<String> {
    person(name)
}

/// What a stranger or their shop is called, where it is no address.
pub(crate) fn person(name: &str) -> Option<String> {
    let name = one_line(name, PAYER);
    let is_address = name.contains(['/', '@', '\\', '<', '>'])
        || name.split_whitespace().any(|word| {
            let (before, after) = word.split_once('.').unwrap_or((word, ""));
            before.chars().count() > 2 && after.chars().count() > 1
        });
    (!name.is_empty() && !is_address).then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_cannot_end_a_header_or_turn_the_writing_round() {
        assert_eq!(one_line("Shop\r\nBcc: x@y.z", 60), "Shop Bcc: x@y.z");
        assert_eq!(one_line("a\u{202e}b\u{200b}c\u{85}d", 60), "abc d");
        assert_eq!(one_line("  long name  ", 5), "long");
    }

    #[test]
    fn a_payers_name_carries_no_address() {
        assert_eq!(payer("Dr. Asha R. Rao").as_deref(), Some("Dr. Asha R. Rao"));
        assert_eq!(payer("J.R.R. Tolkien").as_deref(), Some("J.R.R. Tolkien"));
        for name in ["win at evil.example now", "https://x", "a@b.c", "", " \n"] {
            assert_eq!(payer(name), None, "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_one_line_within_bounds(text in "\\PC*|[\\x00-\\x20a]*", most in 1usize..80) {
            let line = one_line(&text, most);
            prop_assert!(line.chars().count() <= most);
            prop_assert!(!line.chars().any(char::is_control));
        }
    }
}
