//! What can be wrong with settings, as sentences.

use std::{fmt, io};

use super::layers::Origin;

/// Everything that is wrong with the settings, found in one go as far as it can be.
///
/// Its text has one sentence a line; none holds the value of a secret.
#[derive(Debug)]
pub struct SettingsError {
    faults: Vec<Fault>,
}

impl SettingsError {
    pub(super) fn new(faults: Vec<Fault>) -> Self {
        Self { faults }
    }

    /// Each thing that is wrong.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl From<Fault> for SettingsError {
    fn from(fault: Fault) -> Self {
        Self::new(vec![fault])
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.faults.iter().enumerate() {
            let separator = if number == 0 { "" } else { "\n" };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.faults.first().and_then(std::error::Error::source)
    }
}

/// One thing that is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A variable with Tinko's prefix that no table knows.
    #[error("{name} is not a setting; --print-settings lists them all")]
    UnknownVariable {
        /// The variable.
        name: String,
    },
    /// A key in the file that no table knows.
    #[error("`{key}` in {file} is not a setting; --print-settings lists them all")]
    UnknownKey {
        /// The key.
        key: String,
        /// The file that has it.
        file: String,
    },
    /// A setting without a default that nobody gave.
    #[error("{name} is required and missing (`{key}` in the file): {doc}")]
    Missing {
        /// The variable.
        name: &'static str,
        /// The key in the file.
        key: &'static str,
        /// What it is for.
        doc: &'static str,
    },
    /// A value that is not of the setting's kind.
    #[error("{name} is {value} ({origin}), which can't be used: {why}")]
    Unusable {
        /// The variable.
        name: &'static str,
        /// The value as given, or a word in its stead when it is secret.
        value: String,
        /// Where the value came from.
        origin: Origin,
        /// What was wrong with it.
        why: String,
    },
    /// A file that can't be read.
    #[error("the settings file {file} can't be read: {source}")]
    FileUnreadable {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file that is not TOML.
    #[error("the settings file {file} is not valid TOML: {why}")]
    FileMalformed {
        /// The file.
        file: String,
        /// Where and why, without the text found there.
        why: String,
    },
    /// A mistake in the program: tables and structs that do not fit together.
    #[error("the program's own settings tables are wrong: {why}")]
    Program {
        /// What does not fit.
        why: String,
    },
}
