//! One trace from the webhook to the inbox, through all three services.

use std::collections::BTreeSet;
use std::time::Duration;

use devstack::demo::Demo;
use testkit::otlp::{Receiver, Span};

use crate::Whole;

/// A trace that has spans of all three services, each joined to another by its parent.
fn through_all_three(spans: &[Span]) -> Option<Vec<Span>> {
    let traces: BTreeSet<&str> = spans.iter().map(|span| span.trace_id.as_str()).collect();
    traces.into_iter().find_map(|trace| {
        let of_trace: Vec<Span> = spans
            .iter()
            .filter(|span| span.trace_id == trace)
            .cloned()
            .collect();
        let services: BTreeSet<&str> = of_trace.iter().map(|span| span.service.as_str()).collect();
        let delivered = of_trace.iter().any(|span| span.name.contains("smtp"));
        let all = ["api", "retry-worker", "notifier"];
        (delivered && all.iter().all(|service| services.contains(service))).then_some(of_trace)
    })
}

#[tokio::test]
#[ignore = "slow: ./scripts/test --all"]
async fn one_trace_goes_from_the_webhook_to_the_inbox() {
    let receiver = Receiver::start().await;
    let endpoint = receiver.endpoint();
    let whole = Whole::start(|mut options| {
        options.otlp_endpoint = Some(endpoint);
        options
    })
    .await;
    let report = Demo::new(&whole.stack, "traced").play().await;
    assert!(report.all_as_expected(), "{report}");

    let trace = receiver
        .wait_for(Duration::from_secs(30), through_all_three)
        .await;
    let ids: BTreeSet<&str> = trace.iter().map(|span| span.span_id.as_str()).collect();
    let roots: Vec<&Span> = trace
        .iter()
        .filter(|span| !ids.contains(span.parent_span_id.as_str()))
        .collect();
    assert_eq!(
        roots.len(),
        1,
        "one unbroken trace has one root: {roots:#?}"
    );
    assert_eq!(roots[0].service, "api", "and it is the webhook's");
    for service in ["retry-worker", "notifier"] {
        assert!(
            trace.iter().any(|span| {
                span.service == service && span.attributes.contains_key("recovery.id")
            }),
            "{service}'s spans say which recovery they are about"
        );
    }
    whole.stack.stop().await;
}
