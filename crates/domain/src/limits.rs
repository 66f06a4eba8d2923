//! The rules of card networks, payment rails and laws that bind every policy:
//! a plan never crosses one.
//!
//! A rule is a row of a table under `rules/`, with the words that a merchant
//! reads, its source, and the days between which it holds. [`RulePack`] is an
//! edition of all of them: what was known on a day.
//!
//! # To change a rule
//!
//! A network's figure changed, or a date was wrong: never edit the row. Add an
//! edition to `pack.rs`, close the old row with `known_until` that edition, and
//! add the row as it is known now with `known_from` it. Decisions that were
//! made under an earlier edition can then still be derived again.

mod case;
mod ceiling;
mod hours;
mod pack;
mod room;
mod rule;
mod rules;
#[cfg(test)]
mod tests;
mod visa;
mod window;

pub use case::{CardTry, ChargeCase, Rail, TriedBy, TryOutcome};
pub use ceiling::Ceiling;
pub use hours::Hours;
pub use pack::{LOOK_BACK, RulePack};
pub use room::Room;
pub use rule::{Rule, Source};
pub use visa::{VisaCategory, visa_category};

use crate::state::named;

named! {
    /// A card network.
    CardNetwork, "card network" {
        /// Visa.
        Visa = "visa",
        /// Mastercard.
        Mastercard = "mastercard",
        /// American Express.
        Amex = "amex",
        /// Discover, with Diners Club.
        Discover = "discover",
        /// `RuPay`.
        Rupay = "rupay",
        /// Any other.
        Other = "other",
    }
}

impl CardNetwork {
    /// Reads a PSP's name for a network (`visa`, `MasterCard`, `American Express`); an unknown one is [`Self::Other`].
    pub fn from_psp(name: &str) -> Self {
        let letters: String = name
            .chars()
            .filter(char::is_ascii_alphabetic)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        match letters.as_str() {
            "visa" => Self::Visa,
            "mastercard" | "mc" | "maestro" => Self::Mastercard,
            "amex" | "americanexpress" => Self::Amex,
            "discover" | "diners" | "dinersclub" => Self::Discover,
            "rupay" => Self::Rupay,
            _ => Self::Other,
        }
    }
}
