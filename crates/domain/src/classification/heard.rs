//! Which signals were heard, what each said, and which one won.

use super::table::{Row, Verdict};
use super::{Category, Signal};

/// Most signals that one failure can carry: four codes, Visa's category of one
/// of them, and the message.
const MOST: usize = 6;

/// One signal that was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// Which one.
    pub signal: Signal,
    /// The table that knows it, by the name that stands in `decided_by`;
    /// `unknown` when none does.
    pub by: &'static str,
    /// What that table says; nothing when no table has the code.
    pub row: Option<&'static Row>,
    /// Whether it gave the classification its category and meaning.
    pub won: bool,
}

impl Heard {
    /// What it says, unless no table knows it.
    pub fn verdict(&self) -> Option<Verdict> {
        self.row.map(|row| row.verdict)
    }
}

/// The signals that were heard, in the order in which they are looked at. It
/// stands where it is made: hearing takes no memory from the heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeardSignals([Option<Heard>; MOST]);

impl HeardSignals {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Heard> {
        self.0.iter().flatten()
    }

    /// Those whose code no table has.
    pub fn unrecognized(&self) -> impl Iterator<Item = Signal> {
        self.iter()
            .filter(|heard| heard.row.is_none())
            .map(|heard| heard.signal)
    }

    pub(super) fn add(&mut self, signal: Signal, by: &'static str, row: Option<&'static Row>) {
        if let Some(free) = self.0.iter_mut().find(|heard| heard.is_none()) {
            *free = Some(Heard {
                signal,
                by,
                row,
                won: false,
            });
        }
    }

    /// What they come to, in one walk: this is done for every failure and plan.
    pub(super) fn sum(&self) -> Sum {
        let mut sum = Sum::default();
        for (at, heard) in self.0.iter().flatten().enumerate() {
            match heard.row {
                Some(row) => sum.take(at, row.verdict),
                None => sum.unrecognized = true,
            }
        }
        sum
    }

    /// Marks the one at a place as the one that won, and answers it.
    pub(super) fn crown(&mut self, at: usize) -> Option<Heard> {
        let winner = self.0.get_mut(at)?.as_mut()?;
        winner.won = true;
        Some(*winner)
    }
}

/// What several signals come to. Places are theirs in the list.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    /// The verdict that forbids most; of equal ones the first.
    pub(super) strictest: Option<(usize, Verdict)>,
    /// The first that says why.
    says_why: Option<usize>,
    /// The first that says at least who.
    says_who: Option<usize>,
    /// The longest wait, in seconds.
    pub(super) cooldown_seconds: u32,
    /// Whether two of them differ in what may be done.
    pub(super) disagreed: bool,
    /// Whether no table knows one of them.
    pub(super) unrecognized: bool,
}

impl Sum {
    /// The place of the one that tells most: why, else at least who.
    pub(super) fn most_telling(&self) -> Option<usize> {
        self.says_why.or(self.says_who)
    }

    fn take(&mut self, at: usize, verdict: Verdict) {
        match self.strictest {
            None => self.strictest = Some((at, verdict)),
            Some((_, strictest)) => {
                self.disagreed |= strictest.permits() != verdict.permits();
                if verdict.strictness() > strictest.strictness() {
                    self.strictest = Some((at, verdict));
                }
            }
        }
        match verdict.category {
            Category::Unknown => {}
            Category::IssuerDecline => self.says_who = self.says_who.or(Some(at)),
            _ => self.says_why = self.says_why.or(Some(at)),
        }
        self.cooldown_seconds = self.cooldown_seconds.max(verdict.cooldown_seconds);
    }
}
