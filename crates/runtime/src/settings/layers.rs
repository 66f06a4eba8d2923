//! Brings default, file and environment together, and remembers which of them spoke.

use std::{collections::HashSet, fmt, path::Path};

use config::{Config, ConfigError, File, FileFormat, Map, Source, Value, ValueKind};

use super::{
    PREFIX, Setting,
    fault::{Fault, SettingsError},
};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The table's default.
    Default,
    /// The settings file of this path.
    File(String),
    /// The environment.
    Environment,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {path}"),
            Self::Environment => f.write_str("environment"),
        }
    }
}

/// A value as it was written: one text, or an array of them in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    One(String),
    Many(Vec<String>),
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(text) => f.write_str(text),
            Self::Many(texts) => f.write_str(&texts.join(",")),
        }
    }
}

/// A setting with what was found for it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) setting: Setting,
    pub(super) value: Option<(Given, Origin)>,
}

/// What becomes of settings that no table declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    /// They are misspelt.
    Wrong,
    /// They are another program's.
    PassedOver,
}

/// Everything the tables declare, in their order, with its value.
pub(super) fn read(
    tables: &[&[Setting]],
    env: impl Iterator<Item = (String, String)>,
    file: Option<&Path>,
    others: Others,
) -> Result<Vec<Found>, SettingsError> {
    let settings: Vec<Setting> = tables.concat();
    declared_once(&settings)?;
    let mut faults = Vec::new();
    let from_env = known_variables(&settings, env, &mut faults);
    let from_file = known_keys(&settings, file, &mut faults)?;
    if others == Others::PassedOver {
        // So far only what no table declares was found wrong.
        faults.clear();
    }
    let merged = merge(&settings, &from_file, from_env).map_err(|error| program_fault(&error))?;
    let file_name = file.map(|path| path.display().to_string());
    let found = settings
        .into_iter()
        .map(|setting| {
            let value = merged.get(setting.key).map(|value| {
                let origin = match (&file_name, value.origin()) {
                    (_, Some(_)) => Origin::Environment,
                    (Some(name), None) if from_file.contains_key(setting.key) => {
                        Origin::File(name.clone())
                    }
                    (_, None) => Origin::Default,
                };
                (given(value.clone()), origin)
            });
            Found { setting, value }
        })
        .collect::<Vec<_>>();
    faults.extend(missing(&found));
    if faults.is_empty() {
        Ok(found)
    } else {
        Err(SettingsError::new(faults))
    }
}

fn declared_once(settings: &[Setting]) -> Result<(), SettingsError> {
    let mut seen = HashSet::new();
    for setting in settings {
        if !seen.insert(setting.name) || !seen.insert(setting.key) {
            let why = format!("{} or its key is declared twice", setting.name);
            return Err(Fault::Program { why }.into());
        }
    }
    Ok(())
}

/// The variables that are settings, by key.
fn known_variables(
    settings: &[Setting],
    env: impl Iterator<Item = (String, String)>,
    faults: &mut Vec<Fault>,
) -> Map<String, String> {
    let mut known = Map::new();
    let mut unknown = Vec::new();
    for (name, value) in env {
        if let Some(setting) = settings.iter().find(|setting| setting.name == name) {
            known.insert(setting.key.to_owned(), value);
        } else if name.starts_with(PREFIX) {
            unknown.push(name);
        }
    }
    // The environment has no order; an error text should have one.
    unknown.sort();
    faults.extend(
        unknown
            .into_iter()
            .map(|name| Fault::UnknownVariable { name }),
    );
    known
}

/// What the file says, by key.
fn known_keys(
    settings: &[Setting],
    file: Option<&Path>,
    faults: &mut Vec<Fault>,
) -> Result<Map<String, Value>, SettingsError> {
    let Some(path) = file else {
        return Ok(Map::new());
    };
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| Fault::FileUnreadable {
        file: file.clone(),
        source,
    })?;
    let mut keys = toml(&text).map_err(|error| Fault::FileMalformed {
        file: file.clone(),
        why: without_snippet(&error),
    })?;
    let mut unknown: Vec<String> = keys
        .iter()
        .filter(|(key, value)| {
            let known = settings.iter().any(|setting| setting.key == key.as_str());
            !known || matches!(value.kind, ValueKind::Table(_))
        })
        .map(|(key, _)| key.clone())
        .collect();
    unknown.sort();
    for key in unknown {
        keys.remove(&key);
        let file = file.clone();
        faults.push(Fault::UnknownKey { key, file });
    }
    Ok(keys)
}

fn toml(text: &str) -> Result<Map<String, Value>, ConfigError> {
    File::from_str(text, FileFormat::Toml).collect()
}

/// A TOML error quotes the line it stumbled over, which may hold a secret: keeps where and why.
fn without_snippet(error: &ConfigError) -> String {
    let text = match error {
        ConfigError::FileParse { cause, .. } => cause.to_string(),
        other => other.to_string(),
    };
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.contains('|'))
        .collect();
    lines.join(": ")
}

/// Later sources win: defaults, file, environment.
fn merge(
    settings: &[Setting],
    file: &Map<String, Value>,
    env: Map<String, String>,
) -> Result<Map<String, Value>, ConfigError> {
    let mut builder = Config::builder();
    for setting in settings {
        if let Some(default) = setting.default {
            builder = builder.set_default(setting.key, default)?;
        }
    }
    builder
        .add_source(Keys(file.clone()))
        .add_source(
            config::Environment::default()
                .ignore_empty(true)
                .source(Some(env)),
        )
        .build()?
        .collect()
}

/// The file's keys, already read and checked, as a source.
#[derive(Clone, Debug)]
struct Keys(Map<String, Value>);

impl Source for Keys {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

fn given(value: Value) -> Given {
    match value.kind {
        ValueKind::Array(items) => Given::Many(
            items
                .into_iter()
                .map(|item| item.kind.to_string())
                .collect(),
        ),
        kind => Given::One(kind.to_string()),
    }
}

fn missing(found: &[Found]) -> impl Iterator<Item = Fault> + '_ {
    found
        .iter()
        .filter(|found| found.setting.required && found.value.is_none())
        .map(|found| Fault::Missing {
            name: found.setting.name,
            key: found.setting.key,
            doc: found.setting.doc,
        })
}

fn program_fault(error: &ConfigError) -> SettingsError {
    Fault::Program {
        why: error.to_string(),
    }
    .into()
}
