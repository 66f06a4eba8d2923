use std::{sync::Arc, time::Duration};

use sentry::{Envelope, Transport, protocol::EnvelopeItem};

use super::{Caught, Stack, common, error_reports};

struct CaughtReports(Caught<Envelope>);

impl Transport for CaughtReports {
    fn send_envelope(&self, envelope: Envelope) {
        self.0.0.lock().unwrap().push(envelope);
    }
}

/// What is sent to Sentry while `work` runs in the stack with these settings.
fn reported(variables: &[(&str, &str)], work: impl FnOnce()) -> (Stack, Vec<EnvelopeItem>) {
    let dsn = ("SENTRY_DSN", "https://key@sentry.example/1");
    let variables = [&[dsn], variables].concat();
    let caught = Caught::default();
    let transport = Arc::new(CaughtReports(caught.clone()));
    let options = error_reports::options(
        "api",
        "1.2.3",
        &common(&variables),
        dsn.1.parse().unwrap(),
        transport,
    );
    let client = Arc::new(sentry::Client::from(options));
    let hub = Arc::new(sentry::Hub::new(Some(Arc::clone(&client)), Arc::default()));
    let (stack, subscriber) = Stack::new(&variables);
    sentry::Hub::run(hub, || tracing::subscriber::with_default(subscriber, work));
    client.close(Some(Duration::from_secs(1)));
    let items = caught.all().into_iter().flat_map(Envelope::into_items);
    (stack, items.collect())
}

#[test]
fn an_error_is_reported_with_its_trace_and_its_work_and_without_payer_data() {
    let (stack, items) = reported(&[("ENVIRONMENT", "staging")], || {
        let _span =
            tracing::info_span!("hand over", recovery.id = "rec_1", attempt.n = 3).entered();
        tracing::info!("not reported");
        tracing::warn!("not reported either");
        tracing::error!(
            payer_email = "asha@example.com",
            link = "https://pay.example/pay/rl_secret",
            "mail to asha@example.com failed"
        );
    });
    let [EnvelopeItem::Event(report)] = items.as_slice() else {
        panic!("{items:?} is not one report");
    };
    let ids = stack.span("hand over").span_context;
    assert_eq!(report.tags["trace_id"], ids.trace_id().to_string());
    assert_eq!(report.tags["recovery.id"], "rec_1");
    let sentry::protocol::Context::Trace(context) = &report.contexts["trace"] else {
        panic!("no trace context in {report:?}");
    };
    assert_eq!(context.trace_id.to_string(), ids.trace_id().to_string());
    assert_eq!(report.release.as_deref(), Some("api@1.2.3"));
    assert_eq!(report.environment.as_deref(), Some("staging"));
    let sent = serde_json::to_string(report).unwrap();
    assert!(sent.contains("mail to [removed] failed"), "{sent}");
    assert!(
        !sent.contains("asha") && !sent.contains("rl_secret"),
        "{sent}"
    );
}

#[test]
fn performance_traces_are_sent_when_asked_for_and_without_payer_data() {
    let work = || {
        drop(tracing::info_span!(
            "render",
            path = "/pay/rl_secret",
            phone = "+919876543210"
        ));
    };
    let (_, items) = reported(&[], work);
    assert!(items.is_empty(), "{items:?}");
    let (_, items) = reported(&[("SENTRY_TRACES_SAMPLE_RATE", "1")], work);
    let [EnvelopeItem::Transaction(sent)] = items.as_slice() else {
        panic!("{items:?} is not one performance trace");
    };
    assert_eq!(sent.name.as_deref(), Some("render"));
    let sent = serde_json::to_string(sent).unwrap();
    assert!(sent.contains("/pay/[removed]"), "{sent}");
    assert!(
        !sent.contains("rl_secret") && !sent.contains("98765"),
        "{sent}"
    );
}

#[test]
fn a_panic_is_reported_with_its_trace_and_without_payer_data() {
    let report = sentry::protocol::Event {
        message: Some("no template for asha@example.com".to_owned()),
        ..Default::default()
    };
    let (stack, subscriber) = Stack::new(&[]);
    let report = tracing::subscriber::with_default(subscriber, || {
        let _span = tracing::info_span!("render").entered();
        error_reports::before_send(report).unwrap()
    });
    assert_eq!(report.message.as_deref(), Some("no template for [removed]"));
    let trace_id = stack.span("render").span_context.trace_id().to_string();
    assert_eq!(report.tags["trace_id"], trace_id);
}
