use chrono::TimeDelta;
use tracing::Instrument as _;

use super::Stack;
use crate::trace::{self, TraceContext};

#[test]
fn work_that_follows_at_once_is_in_its_causes_trace() {
    let (stack, subscriber) = Stack::new(&[]);
    tracing::subscriber::with_default(subscriber, || {
        let cause = tracing::info_span!("webhook");
        let carried = TraceContext::of(&cause);
        drop(cause);
        assert_eq!(carried.tracestate, None);
        let effect = tracing::info_span!("process");
        trace::continue_from(&effect, &carried);
        let inside = effect.in_scope(|| (TraceContext::current(), trace::current_trace_id()));
        assert_eq!(inside.0.trace_id(), carried.trace_id());
        assert_eq!(inside.1.as_deref(), carried.trace_id());
        assert_ne!(inside.0.traceparent, carried.traceparent);
    });
    let (cause, effect) = (stack.span("webhook"), stack.span("process"));
    assert_eq!(
        effect.span_context.trace_id(),
        cause.span_context.trace_id()
    );
    assert_eq!(effect.parent_span_id, cause.span_context.span_id());
    assert!(effect.parent_span_is_remote);
}

#[test]
fn work_that_happens_much_later_has_a_trace_of_its_own_linked_to_its_cause() {
    let (stack, subscriber) = Stack::new(&[]);
    tracing::subscriber::with_default(subscriber, || {
        let plan = TraceContext::of(&tracing::info_span!("plan"));
        let _loop = tracing::info_span!("claim loop").entered();
        let charge = tracing::info_span!("charge");
        trace::link_to(&charge, &plan);
        charge.in_scope(|| tracing::info!("charged"));
    });
    let (plan, outer) = (
        stack.span("plan").span_context,
        stack.span("claim loop").span_context,
    );
    let charge = stack.span("charge");
    assert_ne!(charge.span_context.trace_id(), plan.trace_id());
    assert_ne!(charge.span_context.trace_id(), outer.trace_id());
    assert_eq!(charge.parent_span_id.to_string(), "0000000000000000");
    let links: Vec<_> = charge.links.iter().map(|link| &link.span_context).collect();
    assert_eq!(links.len(), 1);
    assert_eq!(
        (links[0].trace_id(), links[0].span_id()),
        (plan.trace_id(), plan.span_id())
    );
}

#[test]
fn the_time_that_has_passed_decides_between_the_causes_trace_and_one_of_its_own() {
    let (stack, subscriber) = Stack::new(&[]);
    tracing::subscriber::with_default(subscriber, || {
        let cause = TraceContext::of(&tracing::info_span!("cause"));
        let soon = tracing::info_span!("soon");
        trace::follow(&soon, &cause, trace::SAME_TRACE - TimeDelta::seconds(1));
        let late = tracing::info_span!("late");
        trace::follow(&late, &cause, trace::SAME_TRACE);
    });
    let cause = stack.span("cause").span_context;
    let (soon, late) = (stack.span("soon"), stack.span("late"));
    assert_eq!(soon.span_context.trace_id(), cause.trace_id());
    assert!(soon.links.is_empty());
    assert_ne!(late.span_context.trace_id(), cause.trace_id());
    assert_eq!(late.links[0].span_context.span_id(), cause.span_id());
}

#[test]
fn a_parent_given_too_late_is_told_in_the_log_and_changes_nothing() {
    let (stack, subscriber) = Stack::new(&[]);
    tracing::subscriber::with_default(subscriber, || {
        let other = TraceContext::of(&tracing::info_span!("other"));
        let span = tracing::info_span!("late");
        span.in_scope(|| {});
        trace::continue_from(&span, &other);
    });
    assert_eq!(
        stack.lines()[0]["message"],
        "a span was given its parent too late"
    );
    assert_eq!(stack.lines()[0]["event.span"], "late");
    assert_eq!(
        stack.span("late").parent_span_id.to_string(),
        "0000000000000000"
    );
}

#[tokio::test]
async fn the_trace_stays_with_a_task_across_its_waits() {
    let (stack, subscriber) = Stack::new(&[]);
    let _default = tracing::subscriber::set_default(subscriber);
    let work = |name: &'static str| {
        async move {
            let before = trace::current_trace_id();
            tokio::task::yield_now().await;
            tracing::info!("{name}");
            assert_eq!(trace::current_trace_id(), before);
            before.unwrap()
        }
        .instrument(tracing::info_span!(parent: None, "work"))
    };
    let (one, two) = tokio::join!(work("one"), work("two"));
    assert_ne!(one, two);
    assert_eq!(trace::current_trace_id(), None);
    let lines = stack.lines();
    for line in &lines {
        let expected = if line["message"] == "one" { &one } else { &two };
        assert_eq!(line["trace_id"], **expected, "{line}");
    }
    assert_eq!(lines.len(), 2);
}
