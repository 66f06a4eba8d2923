//! Log lines: one JSON object each, or text for people.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};

use chrono::SecondsFormat;
use serde::{
    Serializer as _,
    ser::{Error as _, SerializeMap as _},
};
use serde_json::Value;
use tracing::{Event, Subscriber};
use tracing_subscriber::{EnvFilter, Layer, fmt::MakeWriter, layer::Context, registry::LookupSpan};

use super::{
    TelemetryError,
    levels::EventsBy,
    span_ids::{self, Fields},
};
use crate::{
    clock::{Clock as _, SystemClock},
    settings::{Common, LogFormat},
    trace,
};

/// Names that every line has; an event's field of such a name is written as `event.{name}`.
const OWN: [&str; 7] = [
    "timestamp",
    "level",
    "target",
    "service",
    "trace_id",
    "span_id",
    "span",
];

/// The layer that writes log lines to `writer` as the settings ask.
pub(super) fn layer<S, W>(
    service: &'static str,
    common: &Common,
    writer: W,
) -> Result<Box<dyn Layer<S> + Send + Sync>, TelemetryError>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EventsBy(EnvFilter::try_new(&common.log_level)?);
    Ok(match common.log_format {
        LogFormat::Json => JsonLines { service, writer }.with_filter(filter).boxed(),
        LogFormat::Text => tracing_subscriber::fmt::layer()
            .with_writer(writer)
            .with_ansi(std::io::stderr().is_terminal())
            .with_filter(filter)
            .boxed(),
    })
}

struct JsonLines<W> {
    service: &'static str,
    writer: W,
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        let Ok(mut line) = self.line(event, &cx) else {
            return; // texts, numbers and booleans always serialize
        };
        line.push(b'\n');
        // One write, so that lines of several threads don't mix. When nobody reads standard error
        // there is nobody to tell either.
        let _unread = self
            .writer
            .make_writer_for(event.metadata())
            .write_all(&line);
    }
}

impl<W> JsonLines<W> {
    fn line<S>(&self, event: &Event<'_>, cx: &Context<'_, S>) -> serde_json::Result<Vec<u8>>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let ids = span_ids::around(event, cx);
        let target = logged_target(event, &mut fields);
        let mut line = Vec::with_capacity(256);
        let mut serializer = serde_json::Serializer::new(&mut line);
        let mut map = serializer.serialize_map(None)?;
        let now = SystemClock
            .now()
            .to_rfc3339_opts(SecondsFormat::Micros, true);
        map.serialize_entry("timestamp", &now)?;
        map.serialize_entry("level", event.metadata().level().as_str())?;
        map.serialize_entry("target", &target)?;
        map.serialize_entry("message", &fields.take("message").unwrap_or_default())?;
        map.serialize_entry("service", self.service)?;
        if let Some((trace_id, span_id)) = trace::current_ids() {
            map.serialize_entry("trace_id", &trace_id)?;
            map.serialize_entry("span_id", &span_id)?;
        }
        if let Some(span) = cx.event_span(event) {
            map.serialize_entry("span", span.name())?;
        }
        for (name, value) in &ids.0 {
            if !fields.0.iter().any(|(own, _)| own == name) {
                map.serialize_entry(name, value)?;
            }
        }
        for (name, value) in &fields.0 {
            if OWN.contains(name) {
                map.serialize_entry(&format!("event.{name}"), value)?;
            } else {
                map.serialize_entry(name, value)?;
            }
        }
        map.end().map_err(serde_json::Error::custom)?;
        Ok(escaped(line))
    }
}

/// The line without what JSON lets stand and viewers act on: U+2028 and U+2029, which some take for
/// the end of a line, DEL and the C1 controls, of which U+009B begins a terminal's commands, and
/// the marks that turn the direction of writing. They stand in texts alone, so that `\u` and four
/// digits may take their place.
fn escaped(line: Vec<u8>) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(&line) else {
        return line; // a serializer's own output always is
    };
    if !text.contains(acted_on) {
        return line;
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if acted_on(letter) {
            let _infallible = write!(escaped, "\\u{:04x}", u32::from(letter));
        } else {
            escaped.push(letter);
        }
    }
    escaped.into_bytes()
}

const fn acted_on(letter: char) -> bool {
    matches!(letter, '\u{7f}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The event's target. Records of the `log` crate come with their own target among their fields.
fn logged_target(event: &Event<'_>, fields: &mut Fields) -> String {
    for place in ["log.module_path", "log.file", "log.line"] {
        fields.take(place);
    }
    match fields.take("log.target") {
        Some(Value::String(target)) => target,
        _ => event.metadata().target().to_owned(),
    }
}
