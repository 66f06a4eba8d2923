//! Reading a trace: who is whose child.

use testkit::otlp::Span;

/// As OTLP numbers kinds.
pub(crate) const SERVER: i32 = 2;
pub(crate) const CLIENT: i32 = 3;
pub(crate) const PRODUCER: i32 = 4;
pub(crate) const CONSUMER: i32 = 5;

/// All spans of a trace.
pub(crate) struct Story(Vec<Span>);

impl Story {
    pub(crate) fn of(spans: &[Span], trace_id: &str) -> Self {
        let of_trace = spans.iter().filter(|span| span.trace_id == trace_id);
        Self(of_trace.cloned().collect())
    }

    pub(crate) fn spans(&self) -> &[Span] {
        &self.0
    }

    /// Those that have no parent.
    pub(crate) fn roots(&self) -> Vec<&Span> {
        let roots = self.0.iter().filter(|span| span.parent_span_id.is_empty());
        roots.collect()
    }

    /// Those whose parent is not in the trace.
    pub(crate) fn orphans(&self) -> Vec<&Span> {
        let has_parent = |span: &&Span| self.span(&span.parent_span_id).is_some();
        let children = self.0.iter().filter(|span| !span.parent_span_id.is_empty());
        children.filter(|span| !has_parent(span)).collect()
    }

    pub(crate) fn span(&self, id: &str) -> Option<&Span> {
        self.0.iter().find(|span| span.span_id == id)
    }

    /// The one child of that service and that name, of that kind.
    pub(crate) fn child(&self, parent: &Span, service: &str, name: &str, kind: i32) -> &Span {
        let children: Vec<&Span> = self
            .0
            .iter()
            .filter(|span| span.parent_span_id == parent.span_id)
            .collect();
        let found = children
            .iter()
            .find(|span| span.service == service && span.name == name);
        let names = children.iter().map(|span| (&span.service, &span.name));
        assert!(
            found.is_some(),
            "{} has no child {service} {name}, but {:?}",
            parent.name,
            names.collect::<Vec<_>>()
        );
        let found = found.unwrap();
        assert_eq!(found.kind, kind, "{name}");
        found
    }
}

/// The span's attribute of that name.
pub(crate) fn says<'a>(span: &'a Span, attribute: &str) -> &'a str {
    let value = span.attributes.get(attribute);
    assert!(
        value.is_some(),
        "{} says no {attribute}: {span:?}",
        span.name
    );
    value.map_or("", String::as_str)
}
