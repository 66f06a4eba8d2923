//! Shows settings: those in force (secrets hidden), and the table for the documentation.

use std::{fmt::Write as _, path::Path};

use url::Url;

use super::{
    Setting, config_file, environment,
    fault::SettingsError,
    layers::{self, Given, Others},
};

/// What stands in place of what must not be shown.
const HIDDEN: &str = "[hidden]";

/// The settings in force, for `--print-settings`: a line each, `NAME = value  # where from`.
///
/// Secrets are hidden; of a URL only the password is (and of a secret one its query). Fails as
/// [`load`](super::load) does on unknown and missing settings, not on values of the wrong kind.
pub fn render(tables: &[&[Setting]]) -> Result<String, SettingsError> {
    render_from(tables, environment(), config_file().as_deref())
}

/// As [`render`], from the given environment and file.
pub fn render_from(
    tables: &[&[Setting]],
    env: impl Iterator<Item = (String, String)>,
    file: Option<&Path>,
) -> Result<String, SettingsError> {
    let mut lines = String::new();
    for found in layers::read(tables, env, file, Others::Wrong)? {
        let name = found.setting.name;
        let line = match found.value {
            Some((value, origin)) => {
                format!("{name} = {}  # {origin}", shown(&found.setting, &value))
            }
            None => format!("{name} =  # not set"),
        };
        lines.push_str(&line);
        lines.push('\n');
    }
    Ok(lines)
}

/// The settings of `tables` as a Markdown table for the documentation.
pub fn table(tables: &[&[Setting]]) -> String {
    let mut page = String::from(
        "| variable | key in the file | default | what it is for |\n|---|---|---|---|\n",
    );
    for setting in tables.iter().flat_map(|table| table.iter()) {
        let default = match setting.default {
            Some("") => "empty".to_owned(),
            Some(text) => format!("`{text}`"),
            None if setting.required => "**required**".to_owned(),
            None => "not set".to_owned(),
        };
        let secret = if setting.secret { " Secret." } else { "" };
        // Writing to a String can't fail.
        let _ = writeln!(
            page,
            "| `{}` | `{}` | {default} | {}{secret} |",
            setting.name, setting.key, setting.doc
        );
    }
    page
}

/// A value as it may be shown.
pub(super) fn shown(setting: &Setting, value: &Given) -> String {
    let text = value.to_string();
    let url = Url::parse(&text).ok().filter(Url::has_host);
    match url {
        Some(url) => shown_url(setting, url),
        None if setting.secret => HIDDEN.to_owned(),
        None => format!("`{text}`"),
    }
}

fn shown_url(setting: &Setting, mut url: Url) -> String {
    let had_password = url.password().is_some();
    // The user's name of a DSN is a key, and a web hook's secret is its path: such a URL is shown
    // only where its secret is known to be the password.
    let web = matches!(url.scheme(), "http" | "https");
    if setting.secret && web && !had_password {
        return HIDDEN.to_owned();
    }
    if setting.secret && url.query().is_some() {
        url.set_query(Some("hidden"));
    }
    // It can fail only for a URL that can have no password.
    if had_password && url.set_password(Some("hidden")).is_err() {
        return HIDDEN.to_owned();
    }
    format!("`{url}`")
}
