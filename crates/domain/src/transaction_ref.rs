//! The merchant's own name for what a payer owed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most characters a reference may have.
pub const MAX_CHARS: usize = 64;

/// A merchant's reference, such as an order or invoice number: 1 to 64
/// printable characters, without blanks at either end. Unique per organization.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TransactionRef(String);

/// Text that cannot be a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTransactionRef {
    /// Nothing but blanks.
    #[error("a transaction reference must not be empty")]
    Empty,
    /// More than [`MAX_CHARS`] characters.
    #[error("a transaction reference must have at most {MAX_CHARS} characters")]
    TooLong,
    /// A control character, such as a line break or a zero byte.
    #[error("a transaction reference must have printable characters only")]
    NotPrintable,
}

impl TransactionRef {
    /// Reads a reference; blanks around it are dropped.
    pub fn parse(text: &str) -> Result<Self, InvalidTransactionRef> {
        let text = text.trim();
        if text.is_empty() {
            Err(InvalidTransactionRef::Empty)
        } else if text.chars().any(is_unprintable) {
            Err(InvalidTransactionRef::NotPrintable)
        } else if text.chars().count() > MAX_CHARS {
            Err(InvalidTransactionRef::TooLong)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// The reference as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Controls, and the marks that turn the direction of text: a reference with
/// those reads differently from what it is.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

impl TryFrom<String> for TransactionRef {
    type Error = InvalidTransactionRef;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}
impl From<TransactionRef> for String {
    fn from(reference: TransactionRef) -> Self {
        reference.0
    }
}
impl std::str::FromStr for TransactionRef {
    type Err = InvalidTransactionRef;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}
impl fmt::Display for TransactionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn faults_are_told_apart() {
        assert_eq!(
            TransactionRef::parse("  "),
            Err(InvalidTransactionRef::Empty)
        );
        assert_eq!(
            TransactionRef::parse(&"x".repeat(65)),
            Err(InvalidTransactionRef::TooLong)
        );
        for text in ["a\nb", "a\0b", "a\u{202e}b"] {
            assert_eq!(
                TransactionRef::parse(text),
                Err(InvalidTransactionRef::NotPrintable)
            );
        }
        assert_eq!(
            TransactionRef::parse(" INV-7/β ").unwrap().as_str(),
            "INV-7/β"
        );
        assert!(serde_json::from_str::<TransactionRef>("\"\"").is_err());
    }

    proptest! {
        #[test]
        fn what_is_taken_keeps_the_promise(text in ".{0,80}") {
            if let Ok(reference) = TransactionRef::parse(&text) {
                let chars = reference.as_str().chars().count();
                prop_assert!((1..=MAX_CHARS).contains(&chars));
                prop_assert!(!reference.as_str().chars().any(char::is_control));
                prop_assert_eq!(TransactionRef::parse(reference.as_str()), Ok(reference.clone()));
            }
        }
    }
}
