//! Which signals were heard, what each said, and which one won.

use super::Signal;
use super::table::{Row, Verdict};

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

    /// Those that a table knows, each with its place.
    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, &'static Row)> {
        let rows = |(at, heard): (usize, &Option<Heard>)| Some((at, heard.as_ref()?.row?));
        self.0.iter().enumerate().filter_map(rows)
    }

    /// Marks the one at a place as the one that won, and answers it.
    pub(super) fn crown(&mut self, at: usize) -> Option<Heard> {
        let winner = self.0.get_mut(at)?.as_mut()?;
        winner.won = true;
        Some(*winner)
    }

    /// Whether two of them differ in what may be done.
    pub(super) fn disagree(&self) -> bool {
        let mut verdicts = self.rows().map(|(_, row)| row.verdict.permits());
        let first = verdicts.next();
        verdicts.any(|verdict| Some(verdict) != first)
    }
}
