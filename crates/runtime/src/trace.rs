//! Trace contexts that travel: in headers, in stream entries, in outbox rows.
//!
//! A context is W3C's `traceparent` and `tracestate` (<https://www.w3.org/TR/trace-context/>). It
//! exists whether or not traces are exported, since log lines and rows carry its id.
//!
//! Work that follows at once *continues* its cause's trace ([`continue_from`]). Work that happens
//! much later (a retry planned for Thursday) starts a trace of its own that is *linked* to its cause
//! ([`link_to`]): a trace that stays open for days is of no use to anyone. Where either may be,
//! [`follow`] decides by the time that has passed.
//!
//! All must be called **before the span is entered** (and before its context is asked for): from
//! then on its ids are given and its parent is fixed.
//!
//! ```
//! # use runtime::trace::{TraceContext, continue_from};
//! # use tracing::Instrument as _;
//! # async fn handle() {}
//! # async fn consume(from_entry: TraceContext) {
//! let span = tracing::info_span!("process tinko:failures", otel.kind = "consumer");
//! continue_from(&span, &from_entry);
//! handle().instrument(span).await;
//! # }
//! ```

use std::collections::HashMap;

use chrono::TimeDelta;
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::{SpanContext, TraceContextExt as _},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::{OpenTelemetrySpanExt as _, SetParentError};

/// Header and field name of the trace's id, the span's id and the flags.
pub const TRACEPARENT: &str = "traceparent";

/// Header and field name of what other vendors add.
pub const TRACESTATE: &str = "tracestate";

/// How long after its cause work is still a part of the cause's trace.
pub const SAME_TRACE: TimeDelta = TimeDelta::minutes(5);

/// The longest `tracestate` taken from outside, in bytes: what W3C asks everyone to pass on at
/// least. A longer one is left out, as the standard allows, since it would be stored with each row.
const TRACESTATE_LIMIT: usize = 512;

/// Where a unit of work stands in its trace, in the form in which it travels.
///
/// The fields may hold anything (they come from rows and headers); a context that is not valid
/// behaves as an absent one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceContext {
    /// `00-{trace id}-{span id}-{flags}`.
    pub traceparent: Option<String>,
    /// What other vendors add, if anything.
    pub tracestate: Option<String>,
}

impl TraceContext {
    /// The context of the span that is entered now; an empty one outside every span.
    pub fn current() -> Self {
        Self::from_context(&Context::current())
    }

    /// The context of `span`. It gives the span its ids: it can't be given a parent any more.
    pub fn of(span: &Span) -> Self {
        Self::from_context(&span.context())
    }

    /// The context in headers (or anything else that has names and texts). An invalid one is left
    /// out, as the standard asks: it never fails a request.
    pub fn from_headers(get: impl Fn(&str) -> Option<String>) -> Self {
        let received = Self {
            traceparent: get(TRACEPARENT),
            tracestate: get(TRACESTATE).filter(|state| state.len() <= TRACESTATE_LIMIT),
        };
        if received.parse().is_some() {
            received
        } else {
            Self::default()
        }
    }

    /// The trace's id, 32 hexadecimal digits, if the context is valid.
    pub fn trace_id(&self) -> Option<&str> {
        self.parse()?;
        self.traceparent.as_deref()?.trim().split('-').nth(1)
    }

    /// Whether there is no valid context here.
    pub fn is_empty(&self) -> bool {
        self.parse().is_none()
    }

    fn from_context(context: &Context) -> Self {
        let mut carrier = Carrier::default();
        TraceContextPropagator::new().inject_context(context, &mut carrier);
        Self {
            traceparent: carrier.0.remove(TRACEPARENT),
            tracestate: carrier
                .0
                .remove(TRACESTATE)
                .filter(|state| !state.is_empty()),
        }
    }

    fn parse(&self) -> Option<SpanContext> {
        let context = TraceContextPropagator::new().extract_with_context(&Context::new(), self);
        let span_context = context.span().span_context().clone();
        span_context.is_valid().then_some(span_context)
    }
}

impl Extractor for TraceContext {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            TRACEPARENT => self.traceparent.as_deref(),
            TRACESTATE => self.tracestate.as_deref(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT, TRACESTATE]
    }
}

#[derive(Default)]
struct Carrier(HashMap<String, String>);

impl Injector for Carrier {
    fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }
}

/// Makes `span` a part of its cause's trace. With an invalid `parent` the span keeps the parent
/// it has. Call it before the span is entered.
pub fn continue_from(span: &Span, parent: &TraceContext) {
    if let Some(parent) = parent.parse() {
        set_parent(span, Context::new().with_remote_span_context(parent));
    }
}

/// Makes `span` the start of a new trace, linked to its cause if that is valid. Call it before the
/// span is entered.
pub fn link_to(span: &Span, cause: &TraceContext) {
    set_parent(span, Context::new());
    if let Some(cause) = cause.parse() {
        span.add_link(cause);
    }
}

/// Continues the trace of a cause that is as old as `age`, or from [`SAME_TRACE`] on starts a trace
/// that is linked to it. Call it before the span is entered.
///
/// The age is that at which the work begins, not that at which it was to begin: what was due at once
/// and could be done only the next day has a trace of its own.
pub fn follow(span: &Span, cause: &TraceContext, age: TimeDelta) {
    if age < SAME_TRACE {
        continue_from(span, cause);
    } else {
        link_to(span, cause);
    }
}

/// The id of the trace that is under way, 32 hexadecimal digits.
pub fn current_trace_id() -> Option<String> {
    current_ids().map(|(trace_id, _)| trace_id)
}

/// Trace and span id of the span that is entered now.
pub(crate) fn current_ids() -> Option<(String, String)> {
    Context::map_current(|context| {
        let span = context.span();
        let ids = span.span_context();
        ids.is_valid()
            .then(|| (ids.trace_id().to_string(), ids.span_id().to_string()))
    })
}

fn set_parent(span: &Span, parent: Context) {
    match span.set_parent(parent) {
        // Without telemetry (a tool, a unit test) and for a span that no one records there is
        // nothing to be done.
        Ok(()) | Err(SetParentError::LayerNotFound | SetParentError::SpanDisabled) => {}
        Err(error) => {
            let span = span.metadata().map_or("", tracing::Metadata::name);
            tracing::warn!(%error, span, "a span was given its parent too late");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn from(parent: &str, state: &str) -> TraceContext {
        TraceContext::from_headers(|name| match name {
            TRACEPARENT => Some(parent.to_owned()),
            TRACESTATE => Some(state.to_owned()),
            _ => None,
        })
    }

    #[test]
    fn headers_are_carried_as_they_came() {
        let context = from(PARENT, "vendor=1");
        assert_eq!(context.traceparent.as_deref(), Some(PARENT));
        assert_eq!(context.tracestate.as_deref(), Some("vendor=1"));
        assert_eq!(context.trace_id(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        assert!(!context.is_empty());
    }

    #[test]
    fn an_invalid_parent_is_as_none() {
        for parent in [
            "",
            "nonsense",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(
                from(parent, "vendor=1"),
                TraceContext::default(),
                "{parent}"
            );
            let stored = TraceContext {
                traceparent: Some(parent.to_owned()),
                tracestate: None,
            };
            assert_eq!(stored.trace_id(), None, "{parent}");
            assert!(stored.is_empty(), "{parent}");
        }
    }

    #[test]
    fn a_state_longer_than_the_standard_asks_for_is_left_out() {
        let context = from(PARENT, &format!("vendor={}", "x".repeat(600)));
        assert_eq!(context.tracestate, None);
        assert!(!context.is_empty());
    }

    #[test]
    fn without_telemetry_there_is_no_context_and_nothing_breaks() {
        let span = tracing::info_span!("alone");
        continue_from(&span, &from(PARENT, ""));
        link_to(&span, &from(PARENT, ""));
        assert_eq!(TraceContext::of(&span), TraceContext::default());
        assert_eq!(TraceContext::current(), TraceContext::default());
        assert_eq!(current_trace_id(), None);
    }
}
