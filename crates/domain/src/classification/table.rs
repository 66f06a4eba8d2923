//! What a row of a code table says, where it is from, and how it is found.

use std::cmp::Ordering;

use super::{Category, Contact, Course, Hardness};

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

    /// What to do about it.
    pub const fn course(self) -> Course {
        match (self.contact, self.charge_allowed, self.hardness) {
            (Contact::None, _, _) => Course::Stop,
            (Contact::Neutral, _, _) => Course::AskNeutrally,
            (Contact::Normal, true, _) => Course::ChargeAgain,
            (Contact::Normal, false, Hardness::Soft) => Course::PayerRetries,
            (Contact::Normal, false, Hardness::Hard) => Course::Ask,
        }
    }

    /// What it permits, without why: verdicts that differ in it disagree.
    pub(super) const fn permits(self) -> (Hardness, bool, Contact) {
        (self.hardness, self.charge_allowed, self.contact)
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub struct Source {
    /// The page or document.
    pub title: &'static str,
    /// Its address; empty for general knowledge.
    pub url: &'static str,
    /// The day it was read or written down, `YYYY-MM-DD`.
    pub read: &'static str,
}

/// How rows stand in a table: shorter codes first, then by their letters, in
/// either case. Length first, since it tells most codes apart at one glance.
const fn order(code: &[u8], other: &[u8]) -> Ordering {
    if code.len() < other.len() {
        return Ordering::Less;
    }
    if code.len() > other.len() {
        return Ordering::Greater;
    }
    let mut at = 0;
    while at < code.len() {
        let (letter, theirs) = (
            code[at].to_ascii_lowercase(),
            other[at].to_ascii_lowercase(),
        );
        if letter < theirs {
            return Ordering::Less;
        }
        if letter > theirs {
            return Ordering::Greater;
        }
        at += 1;
    }
    Ordering::Equal
}

/// The rows in the order in which [`find`] wants them, made by the compiler; a
/// code that stands twice does not compile. In the sources they stand by meaning.
pub(super) const fn sorted<const N: usize>(listed: &[Row]) -> [Row; N] {
    let mut rows = [listed[0]; N];
    let mut taken = 1;
    while taken < N {
        let row = listed[taken];
        let mut at = taken;
        while at > 0 {
            match order(row.code.as_bytes(), rows[at - 1].code.as_bytes()) {
                Ordering::Less => rows[at] = rows[at - 1],
                Ordering::Equal => panic!("a code stands twice in its table"),
                Ordering::Greater => break,
            }
            at -= 1;
        }
        rows[at] = row;
        taken += 1;
    }
    rows
}

/// The row of a code in a [`sorted`] table, the code written in either case,
/// blanks around it dropped.
pub(super) fn find(rows: &'static [Row], code: &str) -> Option<&'static Row> {
    let code = code.trim().as_bytes();
    let at = rows.binary_search_by(|row| order(row.code.as_bytes(), code));
    at.ok().and_then(|at| rows.get(at))
}
