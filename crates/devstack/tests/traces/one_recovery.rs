//! One recovery, from a signed webhook over a charge to the payer's inbox, and on to a message of
//! another hour.

use devstack::process::Process;
use serde_json::{Value, json};
use testkit::eventually;
use testkit::otlp::{Receiver, Span};

use crate::stage::{Failed, PATIENCE, SERVICES, Stage};
use crate::story::{CLIENT, CONSUMER, PRODUCER, SERVER, Story, says};

const FAILURES: &str = "failures";
const EMAILS: &str = "notifications:email";
const INTERNAL: i32 = 1;

#[tokio::test]
async fn one_trace_goes_from_the_webhook_to_the_inbox_and_a_later_one_is_linked_to_it() {
    let receiver = Receiver::start().await;
    let steps = json!([
        { "delay_seconds": 0, "action": "charge" },
        { "delay_seconds": 0, "action": "message" },
        { "delay_seconds": 3_600, "action": "message" },
    ]);
    let mut stage = Stage::start(receiver.endpoint(), &steps).await;

    let failed = stage.fail_payment("traced").await;
    stage.messages(&failed, 1).await;
    let recovery = recovery(&stage, &failed).await;
    let first = trace_with(&receiver, 1, &recovery).await;
    let asked = until_the_inbox(&first, &recovery);

    an_hour_passes(&stage).await;
    stage.messages(&failed, 2).await;
    let second = trace_with(&receiver, 2, &recovery).await;
    linked_to(&second, asked);

    for service in SERVICES {
        let process = stage.stack.process(service).unwrap();
        logged(process, &first, &receiver).await;
    }
    for service in ["retry-worker", "notifier"] {
        let process = stage.stack.process(service).unwrap();
        logged(process, &second, &receiver).await;
    }
    stage.stack.stop().await;
}

/// Webhook, failure event, charge, message, mail: each the child of what caused it. Answers the
/// step that asked for the message.
fn until_the_inbox<'a>(trace: &'a Story, recovery: &str) -> &'a Span {
    let roots = trace.roots();
    assert_eq!(roots.len(), 1, "{roots:#?}");
    let webhook = roots[0];
    assert_eq!(trace.orphans(), Vec::<&Span>::new());
    assert_eq!((webhook.service.as_str(), webhook.kind), ("api", SERVER));
    assert_eq!(says(webhook, "http.request.method"), "POST");
    assert!(says(webhook, "http.route").starts_with("/v1/webhooks/stripe/"));
    assert_eq!(says(webhook, "http.response.status_code"), "200");

    let planning = handed_on(trace, webhook, ("api", "retry-worker"), FAILURES);
    let charge = trace.child(planning, "retry-worker", "attempt.charge", INTERNAL);
    let asking = trace.child(charge, "retry-worker", "psp.stripe.confirm", CLIENT);
    assert_eq!(says(asking, "http.request.method"), "POST");
    assert_eq!(says(asking, "http.response.status_code"), "402");
    assert_eq!(says(asking, "server.address"), "127.0.0.1");
    let message = trace.child(charge, "retry-worker", "attempt.message", INTERNAL);
    delivered(trace, message);
    for span in trace.spans() {
        let of_work = [INTERNAL, PRODUCER, CONSUMER].contains(&span.kind);
        if of_work && span.attributes.contains_key("recovery.id") {
            assert_eq!(says(span, "recovery.id"), recovery, "{}", span.name);
        }
        assert!(span.links.is_empty(), "{}", span.name);
    }
    message
}

/// A trace of its own, whose root is the later step, linked to the step that planned it.
fn linked_to(trace: &Story, planner: &Span) {
    let roots = trace.roots();
    assert_eq!(roots.len(), 1, "{roots:#?}");
    let later = roots[0];
    assert_eq!(trace.orphans(), Vec::<&Span>::new());
    assert_eq!(
        (later.service.as_str(), later.name.as_str()),
        ("retry-worker", "attempt.message")
    );
    assert_ne!(later.trace_id, planner.trace_id);
    let planned_by = (planner.trace_id.clone(), planner.span_id.clone());
    assert_eq!(later.links, [planned_by]);
    delivered(trace, later);
}

/// From the step that asked for a message to the mail server.
fn delivered(trace: &Story, step: &Span) {
    let notifying = handed_on(trace, step, ("retry-worker", "notifier"), EMAILS);
    let mail = trace.child(notifying, "notifier", "smtp.send", CLIENT);
    assert_eq!(says(mail, "server.address"), "127.0.0.1");
}

/// Over a stream, from one service to another: the span in which the other one works on it.
fn handed_on<'a>(
    trace: &'a Story,
    cause: &Span,
    (from, to): (&str, &str),
    stream: &str,
) -> &'a Span {
    let publish = trace.child(cause, from, &format!("publish {stream}"), PRODUCER);
    let process = trace.child(publish, to, &format!("process {stream}"), CONSUMER);
    for (span, operation, kind) in [
        (publish, "publish", "send"),
        (process, "process", "process"),
    ] {
        assert_eq!(says(span, "messaging.system"), "redis");
        assert_eq!(says(span, "messaging.destination.name"), stream);
        assert_eq!(says(span, "messaging.operation.name"), operation);
        assert_eq!(says(span, "messaging.operation.type"), kind);
        assert!(says(span, "recovery.id").starts_with("rec_"));
        assert!(says(span, "organization.id").starts_with("org_"));
    }
    assert_eq!(says(process, "messaging.consumer.group.name"), to);
    process
}

/// The recovery's id, as spans and people have it.
async fn recovery(stage: &Stage, failed: &Failed) -> String {
    let query = "
        SELECT 'rec_' || replace(r.id::text, '-', '') FROM recoveries r
        JOIN transactions t ON t.id = r.transaction_id WHERE t.transaction_ref = $1";
    let row = stage.database.query_one(query, &[&failed.reference]).await;
    row.unwrap().get(0)
}

/// The step that waits was planned an hour ago, and is due.
async fn an_hour_passes(stage: &Stage) {
    let waits = "UPDATE attempts SET created_at = created_at - interval '1 hour', due_at = now()
                 WHERE state = 'scheduled' AND due_at > now() + interval '50 minutes'";
    let moved = async || stage.database.execute(waits, &[]).await.unwrap() == 1;
    eventually(PATIENCE, moved).await;
}

/// The trace in which the payer's mail number `number` was sent, once all of it has come.
async fn trace_with(receiver: &Receiver, number: usize, recovery: &str) -> Story {
    let whole = |spans: &[Span]| {
        let mails: Vec<&Span> = spans.iter().filter(|it| it.name == "smtp.send").collect();
        let story = Story::of(spans, &mails.get(number - 1)?.trace_id);
        let is_about_it = |span: &Span| {
            let about = span.attributes.get("recovery.id");
            about.is_some_and(|id| id == recovery)
        };
        let is_whole = story.roots().len() == 1
            && story.orphans().is_empty()
            && story.spans().iter().any(is_about_it);
        is_whole.then_some(story)
    };
    receiver.wait_for(PATIENCE, whole).await
}

/// The service's log has lines of that trace, each in one of the service's spans of it.
async fn logged(process: &Process, trace: &Story, receiver: &Receiver) {
    let service = process.name();
    let log = std::fs::read_to_string(process.log_file()).unwrap();
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let trace_id = trace.spans()[0].trace_id.as_str();
    let of_trace: Vec<Value> = lines.filter(|it| it["trace_id"] == trace_id).collect();
    assert!(
        !of_trace.is_empty(),
        "{service} logged nothing of {trace_id}"
    );
    for line in of_trace {
        assert_eq!(line["service"], service);
        // Of work that is not at its end the span is still to come.
        let same = |span: &Span| line["span_id"] == span.span_id.as_str();
        let of = |spans: &[Span]| spans.iter().find(|span| same(span)).cloned();
        let span = receiver.wait_for(PATIENCE, of).await;
        assert_eq!(
            (span.service.as_str(), span.trace_id.as_str()),
            (service, trace_id)
        );
    }
}
