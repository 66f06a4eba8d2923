//! Remembers of each span the fields that say whose work it is, for log lines and error reports.

use std::{error::Error, fmt};

use serde_json::Value;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

/// Fields with their values, each name once, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fields(pub(super) Vec<(&'static str, Value)>);

impl Fields {
    fn set(&mut self, name: &'static str, value: Value) {
        match self.0.iter_mut().find(|(other, _)| *other == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    fn set_if_new(&mut self, name: &'static str, value: &Value) {
        if !self.0.iter().any(|(other, _)| *other == name) {
            self.0.push((name, value.clone()));
        }
    }

    /// Takes the field out.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let place = self.0.iter().position(|(other, _)| *other == name)?;
        Some(self.0.remove(place).1)
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.set(field.name(), with_sources(value).into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field.name(), format!("{value:?}").into());
    }
}

/// An error's sentence and those of its sources, each said once.
fn with_sources(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let sentence = error.to_string();
        // Many errors quote their source in their own sentence.
        if !text.contains(&sentence) {
            text.push_str(": ");
            text.push_str(&sentence);
        }
        source = error.source();
    }
    text
}

/// The fields of one span that end in `.id`.
struct Ids(Fields);

fn is_id(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| end == "id")
}

/// The layer that remembers them.
pub(super) struct SpanIds;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SpanIds {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, cx: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        fields.0.retain(|(name, _)| is_id(name));
        if let Some(span) = cx.span(id) {
            span.extensions_mut().insert(Ids(fields));
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, cx: Context<'_, S>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        let Some(span) = cx.span(id) else { return };
        if let Some(ids) = span.extensions_mut().get_mut::<Ids>() {
            for (name, value) in fields.0.into_iter().filter(|(name, _)| is_id(name)) {
                ids.0.set(name, value);
            }
        }
    }
}

/// The ids of the spans around `event`; an inner span's go before an outer one's.
pub(super) fn around<S>(event: &Event<'_>, cx: &Context<'_, S>) -> Fields
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let mut all = Fields::default();
    for span in cx.event_scope(event).into_iter().flatten() {
        if let Some(ids) = span.extensions().get::<Ids>() {
            for (name, value) in &ids.0.0 {
                all.set_if_new(name, value);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Outer(&'static str, #[source] std::io::Error);

    #[test]
    fn an_error_is_told_with_its_sources_each_once() {
        let source = || std::io::Error::other("connection refused");
        assert_eq!(
            with_sources(&Outer("the claim failed", source())),
            "the claim failed: connection refused"
        );
        assert_eq!(
            with_sources(&Outer("the claim failed (connection refused)", source())),
            "the claim failed (connection refused)"
        );
    }
}
