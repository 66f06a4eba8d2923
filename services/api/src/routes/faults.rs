//! Reading a query or a body field by field, so that every fault is told, each with its
//! field.

use std::fmt::Display;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use domain::id::Kind;

use super::page::{Asked, Wanted};
use crate::conduct::body;
use crate::problem::{FieldFault, Problem};

/// What is wrong with the fields that were read so far.
#[derive(Default)]
pub(crate) struct Faults(Vec<FieldFault>);

impl Faults {
    /// What was read, or a note of what is wrong with it.
    pub(crate) fn take<T, E: Display>(&mut self, field: &str, read: Result<T, E>) -> Option<T> {
        read.map_err(|fault| self.note(field, fault.to_string()))
            .ok()
    }

    /// What `read` makes of the field, if it is there and reads.
    pub(crate) fn by<T, E: Display>(
        &mut self,
        field: &str,
        text: Option<&str>,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.take(field, read(text?))
    }

    /// The field, if it is there and reads.
    pub(crate) fn read<T: FromStr>(&mut self, field: &str, text: Option<&str>) -> Option<T>
    where
        T::Err: Display,
    {
        self.by(field, text, str::parse)
    }

    /// The time that the field holds.
    pub(crate) fn time(&mut self, field: &str, text: Option<&str>) -> Option<DateTime<Utc>> {
        self.by(field, text, body::time)
    }

    /// The times from which on and before which, the first of them the earlier.
    pub(crate) fn times(
        &mut self,
        from: Option<&str>,
        to: Option<&str>,
    ) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
        let (from, to) = (self.time("from", from), self.time("to", to));
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            self.note("to", "must be later than from");
        }
        (from, to)
    }

    /// Something is wrong with the field.
    pub(crate) fn note(&mut self, field: &str, fault: impl Into<String>) {
        self.0.push(FieldFault::new(field, fault));
    }

    /// Adds faults that were found elsewhere.
    pub(crate) fn extend(&mut self, found: impl IntoIterator<Item = FieldFault>) {
        self.0.extend(found);
    }

    /// Whether nothing is wrong so far.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The page that is asked for, if nothing is wrong with any field.
    pub(crate) fn page<K: Kind>(self, asked: &Asked) -> Result<Wanted<K>, Problem> {
        asked.read_besides(self.0)
    }

    /// A problem with all that is wrong, if anything is.
    pub(crate) fn end(self) -> Result<(), Problem> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.into())
        }
    }
}

impl From<Faults> for Problem {
    fn from(faults: Faults) -> Self {
        Self::invalid(faults.0)
    }
}
