//! Settings: defaults, then the TOML file that `TINKO_CONFIG_FILE` names, then the environment.
//!
//! Each part of the program that has settings declares them in a table of [`Setting`]s, and a
//! struct whose fields are the tables' keys. [`load`] brings the two together; everything that is
//! wrong stops the start with a sentence that names the setting ([`SettingsError`]).
//!
//! - In the environment a setting has a name that operators know (`DATABASE_URL`) or, for those
//!   that are Tinko's alone, one that begins with `TINKO__`. An unknown name with that beginning is
//!   an error: it is a misspelling. An empty variable counts as absent, as compose files and
//!   charts produce them.
//! - In the file a setting goes by its key, at the top level. An unknown key is an error.
//! - A list is a comma-separated text in the environment and an array (or such a text) in the file.
//! - Structs may be nested with `#[serde(flatten)]`. A field's type must not be an untagged enum:
//!   the fault of one can't be told from the fault of its neighbour.

mod fault;
mod fit;
mod layers;
mod shared;
mod show;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

pub use fault::{Fault, SettingsError};
pub use layers::Origin;
use layers::Others;
pub use shared::{COMMON, Common, Environment, LogFormat, Ratio};
pub use show::{render, render_from, table};

/// Beginning of the names that are Tinko's alone.
pub const PREFIX: &str = "TINKO__";

/// Names the settings file. It is no setting itself: it must be known before any file is read.
pub const CONFIG_FILE: &str = "TINKO_CONFIG_FILE";

/// One setting: what it is called, what it is when nobody says anything, what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Environment variable: `DATABASE_URL`, or `TINKO__CLAIM_BATCH` for one of Tinko's own.
    pub name: &'static str,
    /// Field name in the settings struct and key in the file: `claim_batch`.
    pub key: &'static str,
    /// Its text when neither file nor environment gives one.
    pub default: Option<&'static str>,
    /// Whether the start fails without it.
    pub required: bool,
    /// Whether its value must never be shown.
    pub secret: bool,
    /// What it does, with its unit, in a sentence for operators.
    pub doc: &'static str,
}

impl Setting {
    /// A setting without which there is no start.
    pub const fn required(name: &'static str, key: &'static str, doc: &'static str) -> Self {
        Self::new(name, key, None, true, doc)
    }

    /// A setting that may be absent; its field is an `Option`.
    pub const fn optional(name: &'static str, key: &'static str, doc: &'static str) -> Self {
        Self::new(name, key, None, false, doc)
    }

    /// A setting with a value of its own, written as it would be in the environment.
    pub const fn with_default(
        name: &'static str,
        key: &'static str,
        default: &'static str,
        doc: &'static str,
    ) -> Self {
        Self::new(name, key, Some(default), false, doc)
    }

    /// The same setting, its value hidden wherever settings are shown.
    #[must_use]
    pub const fn secret(self) -> Self {
        Self {
            secret: true,
            ..self
        }
    }

    const fn new(
        name: &'static str,
        key: &'static str,
        default: Option<&'static str>,
        required: bool,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            key,
            default,
            required,
            secret: false,
            doc,
        }
    }
}

/// Reads the settings of `tables` from the process's environment and the file it names.
pub fn load<T: DeserializeOwned>(tables: &[&[Setting]]) -> Result<T, SettingsError> {
    load_from(tables, environment(), config_file().as_deref())
}

/// As [`load`], from the given environment and file.
pub fn load_from<T: DeserializeOwned>(
    tables: &[&[Setting]],
    env: impl Iterator<Item = (String, String)>,
    file: Option<&Path>,
) -> Result<T, SettingsError> {
    fit::fit(&layers::read(tables, env, file, Others::Wrong)?)
}

/// As [`load`], for a tool that is run where the settings of a service lie: what no table of
/// `tables` declares is passed over.
pub fn load_among<T: DeserializeOwned>(tables: &[&[Setting]]) -> Result<T, SettingsError> {
    load_among_from(tables, environment(), config_file().as_deref())
}

/// As [`load_among`], from the given environment and file.
pub fn load_among_from<T: DeserializeOwned>(
    tables: &[&[Setting]],
    env: impl Iterator<Item = (String, String)>,
    file: Option<&Path>,
) -> Result<T, SettingsError> {
    fit::fit(&layers::read(tables, env, file, Others::PassedOver)?)
}

/// The process's environment. A name or value that is not Unicode is kept with its wrong bytes
/// replaced, so that it is reported rather than overlooked.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().map(|(name, value)| {
        (
            name.to_string_lossy().into_owned(),
            value.to_string_lossy().into_owned(),
        )
    })
}

fn config_file() -> Option<PathBuf> {
    std::env::var_os(CONFIG_FILE)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}
