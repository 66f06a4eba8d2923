//! The receiver reads what the exporter that the services use sends.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::{
    Span as _, SpanKind, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use testkit::otlp::Receiver;

#[tokio::test(flavor = "multi_thread")]
async fn spans_come_with_their_service_parent_and_attributes() {
    let receiver = Receiver::start().await;
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(receiver.endpoint())
        .build()
        .unwrap();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(
            Resource::builder()
                .with_service_name("some-service")
                .build(),
        )
        .build();
    let tracer = provider.tracer("test");
    let parent = tracer
        .span_builder("parent")
        .with_kind(SpanKind::Server)
        .start(&tracer);
    let parent_id = parent.span_context().span_id().to_string();
    let context = opentelemetry::Context::new().with_span(parent);
    let mut child = tracer.start_with_context("child", &context);
    child.set_attribute(KeyValue::new("recovery.id", "rec_1"));
    child.end();
    context.span().end();
    tokio::task::spawn_blocking(move || provider.shutdown())
        .await
        .unwrap()
        .unwrap();

    let child = receiver
        .wait_for(Duration::from_secs(10), |spans| {
            spans.iter().find(|span| span.name == "child").cloned()
        })
        .await;
    assert_eq!(child.service, "some-service");
    assert_eq!(child.parent_span_id, parent_id);
    assert_eq!(child.attributes["recovery.id"], "rec_1");
    assert!(
        receiver
            .spans()
            .iter()
            .any(|span| span.name == "parent" && span.kind == 2)
    );
}
