//! The words of a failure, which decide where no code does.

use super::Category;
use super::contract::CONTRACT;
use super::table::{Row, Verdict};

/// A rule on words: each group wants one of its words in the message.
struct Words {
    groups: &'static [&'static [&'static str]],
    row: Row,
}

const fn words(
    groups: &'static [&'static [&'static str]],
    code: &'static str,
    verdict: Verdict,
    meaning: &'static str,
) -> Words {
    let source = &CONTRACT;
    Words {
        groups,
        row: Row {
            code,
            verdict,
            meaning,
            source,
        },
    }
}

/// The rules of the older contract, in its order: the first that fits wins.
static RULES: [Words; 4] = [
    words(
        &[&["otp", "3ds", "authentication"]],
        "authentication",
        Verdict::payer_retries(Category::AuthenticationRequired, 30),
        "the message speaks of authentication",
    ),
    words(
        &[&["network", "timeout", "gateway"]],
        "connection",
        Verdict::soft_after(Category::Network, 30),
        "the message speaks of connection trouble",
    ),
    words(
        &[&["insufficient"]],
        "insufficient",
        Verdict::soft(Category::InsufficientFunds),
        "the message speaks of missing money",
    ),
    words(
        &[&["upi"], &["pending"]],
        "upi pending",
        Verdict::payer_retries(Category::UpiPending, 0),
        "the message speaks of a pending UPI payment",
    ),
];

/// What a message says, in either case of letters.
pub(super) fn read(message: &str) -> Option<&'static Row> {
    let says = |group: &&[&str]| group.iter().any(|word| mentions(message, word));
    let rule = RULES.iter().find(|rule| rule.groups.iter().all(says))?;
    Some(&rule.row)
}

/// Whether `text` holds `word`, in either case of ASCII letters. Makes no copy.
pub(super) fn mentions(text: &str, word: &str) -> bool {
    text.as_bytes()
        .windows(word.len())
        .any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}
