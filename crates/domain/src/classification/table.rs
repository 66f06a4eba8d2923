//! What a row of a code table says, and where it is from.

use super::{Category, Contact, Hardness};

/// What follows from one code. The category and what the PSP or network says of
/// a code come from the row's source; hardness, contact and cooldown are
/// Tinko's reading of it, except where a network gives the figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Why the payment failed; [`Category::Unknown`] when the code says what to do and not why.
    pub category: Category,
    /// Whether the same means may succeed later.
    pub hardness: Hardness,
    /// Whether they may be charged again without the payer.
    pub charge_allowed: bool,
    /// Whether and how the payer may be written to.
    pub contact: Contact,
    /// Seconds from the failure to the earliest next charge; 0 for none.
    pub cooldown_seconds: u32,
}

impl Verdict {
    /// The same means may be charged again.
    pub(super) const fn soft(category: Category) -> Self {
        Self {
            category,
            hardness: Hardness::Soft,
            charge_allowed: true,
            contact: Contact::Normal,
            cooldown_seconds: 0,
        }
    }

    /// The same means may be charged again after a while.
    pub(super) const fn soft_after(category: Category, cooldown_seconds: u32) -> Self {
        Self {
            cooldown_seconds,
            ..Self::soft(category)
        }
    }

    /// The same means may do, and only with the payer there.
    pub(super) const fn payer_retries(category: Category, cooldown_seconds: u32) -> Self {
        Self {
            charge_allowed: false,
            cooldown_seconds,
            ..Self::soft(category)
        }
    }

    /// The payer has to correct something or use other means.
    pub(super) const fn ask(category: Category) -> Self {
        Self {
            hardness: Hardness::Hard,
            charge_allowed: false,
            ..Self::soft(category)
        }
    }

    /// As [`Self::ask`], and the message must not say why.
    pub(super) const fn ask_neutrally(category: Category) -> Self {
        Self {
            contact: Contact::Neutral,
            ..Self::ask(category)
        }
    }

    /// Neither charged nor written about again.
    pub(super) const fn end(category: Category) -> Self {
        Self {
            contact: Contact::None,
            ..Self::ask(category)
        }
    }

    /// Orders verdicts: the larger one forbids more.
    pub(super) fn strictness(self) -> (bool, bool, Contact, u32) {
        (
            self.hardness == Hardness::Hard,
            !self.charge_allowed,
            self.contact,
            self.cooldown_seconds,
        )
    }
}

/// One code of one source.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The code, in the source's own spelling; found in either case.
    pub code: &'static str,
    /// What follows.
    pub verdict: Verdict,
    /// What the code means.
    pub meaning: &'static str,
    /// Where that is from.
    pub source: &'static Source,
}

/// Where a row is from.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The page or document.
    pub title: &'static str,
    /// Its address; empty for general knowledge.
    pub url: &'static str,
    /// The month it was read or written down, `YYYY-MM`.
    pub read: &'static str,
}

/// The row of a code, written in either case, blanks around it dropped.
pub(super) fn find(rows: &'static [Row], code: &str) -> Option<&'static Row> {
    let code = code.trim();
    rows.iter().find(|row| row.code.eq_ignore_ascii_case(code))
}
