//! Log lines for people: our programs write JSON, a terminal shows one short line for each.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};

use devstack::os::Follow;
use serde_json::{Map, Value};

/// Shown in their place on the line, or the same on every line.
const PLACED: [&str; 6] = [
    "timestamp",
    "level",
    "message",
    "service",
    "target",
    "span_id",
];
/// So that names of this length and less stand in one column.
const NAME_WIDTH: usize = 12;
/// ANSI colours that can be read on light and dark.
const COLOURS: [u8; 6] = [36, 35, 34, 32, 33, 31];

/// Prints the lines of the process `name`, each with the name before it.
pub(crate) fn printer(name: &str) -> Follow {
    let prefix = prefix(name, std::io::stdout().is_terminal());
    Follow::new(move |line| {
        // One write a line, so that those of several processes do not mix. When nobody reads any
        // more there is nobody to tell.
        let _ = std::io::stdout()
            .lock()
            .write_all(format!("{prefix} {}\n", render(line)).as_bytes());
    })
}

fn prefix(name: &str, coloured: bool) -> String {
    let sum: usize = name.bytes().map(usize::from).sum();
    let colour = COLOURS[sum % COLOURS.len()];
    if coloured {
        format!("\u{1b}[{colour}m{name:<NAME_WIDTH$}\u{1b}[0m")
    } else {
        format!("{name:<NAME_WIDTH$}")
    }
}

/// `12:00:00.123 INFO  message name=value …`; what is no JSON object stays as it is.
fn render(line: &str) -> String {
    let Ok(Value::Object(mut fields)) = serde_json::from_str::<Value>(line) else {
        return line.to_owned();
    };
    // The subscriber of some programs keeps an event's own fields in an object of their own.
    if let Some(Value::Object(own)) = fields.remove("fields") {
        fields.extend(own);
    }
    let time = text(&fields, "timestamp");
    let time = time.split_once('T').map_or(time.as_str(), |(_, time)| time);
    let time: String = time.chars().take("12:00:00.123".len()).collect();
    let mut shown = format!(
        "{time} {:<5} {}",
        text(&fields, "level"),
        text(&fields, "message")
    );
    for (name, value) in fields
        .iter()
        .filter(|(name, _)| !PLACED.contains(&name.as_str()))
    {
        let _ = match value {
            Value::String(text) => write!(shown, " {name}={text}"),
            other => write!(shown, " {name}={other}"),
        };
    }
    shown
}

fn text(fields: &Map<String, Value>, name: &str) -> String {
    fields
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_line_becomes_a_short_one() {
        let line = r#"{"timestamp":"2026-11-25T10:11:12.345678Z","level":"INFO","target":"api",
            "message":"started","service":"api","port":8080,"recovery.id":"rec_1"}"#;
        assert_eq!(
            render(line),
            "10:11:12.345 INFO  started port=8080 recovery.id=rec_1"
        );
    }

    #[test]
    fn anything_else_stays_as_it_is() {
        assert_eq!(render("thread 'main' panicked"), "thread 'main' panicked");
        assert_eq!(render("[1, 2]"), "[1, 2]");
    }
}
