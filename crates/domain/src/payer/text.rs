//! Texts that others wrote, without what they say of the payer.

/// Stands where something was taken out.
const MASK: &str = "***";
/// Fewest digits in a row that may tell of a person: a card's last four.
const TELLING_DIGITS: usize = 4;

/// A PSP's or merchant's sentence without addresses and numbers of a payer:
/// words with an `@` (emails, UPI addresses) and numbers of four digits or more,
/// however they are grouped by blanks, dashes, dots and brackets. Names cannot
/// be told from other words and stay.
pub fn without_payer(text: &str) -> String {
    let words = text.split_whitespace().map(|word| {
        if word.contains('@') {
            MASK.to_owned()
        } else {
            word.to_owned()
        }
    });
    without_numbers(&words.collect::<Vec<_>>().join(" "))
}

fn without_numbers(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        kept.push_str(&rest[..start]);
        let number = number_at(&rest[start..]);
        let digits = number.chars().filter(char::is_ascii_digit).count();
        kept.push_str(if digits < TELLING_DIGITS {
            number
        } else {
            MASK
        });
        rest = &rest[start + number.len()..];
    }
    kept.push_str(rest);
    kept
}

/// The number at the start of a text that starts with a digit: up to its last
/// digit, with what groups digits in between.
fn number_at(text: &str) -> &str {
    let groups = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')');
    let end = text.find(|c| !groups(c)).unwrap_or(text.len());
    text[..end].trim_end_matches(|c: char| !c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_and_numbers_of_payers_are_taken_out() {
        for (text, kept) in [
            ("Your card was declined.", "Your card was declined."),
            (
                "no funds for jane@example.com today",
                "no funds for *** today",
            ),
            ("VPA rahul.k@okaxis is wrong", "VPA *** is wrong"),
            ("card 4242 4242 4242 4242 declined", "card *** declined"),
            ("call +91 (98765) 43-210, please", "call +***, please"),
            ("ends in 4242.", "ends in ***."),
            (
                "retry after 24 hours, code 51",
                "retry after 24 hours, code 51",
            ),
            ("ref 12-34", "ref ***"),
            ("  two\tblanks\n", "two blanks"),
            ("", ""),
            ("é 123 é 1234 é", "é 123 é *** é"),
        ] {
            assert_eq!(without_payer(text), kept, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_run_of_four_digits_is_left(text in ".{0,80}") {
            let kept = without_payer(&text);
            let runs = kept.split(|c: char| !c.is_ascii_digit());
            prop_assert!(runs.into_iter().all(|run| run.len() < TELLING_DIGITS));
            prop_assert!(!kept.contains('@'));
        }
    }
}
