//! Logs, traces and reports as one stack, with what would leave the process caught in memory.

mod lines;
mod reports;
mod traces;

use std::{
    io,
    sync::{Arc, Mutex},
};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use serde_json::Value;
use tracing::Subscriber;
use tracing_subscriber::{Layer as _, fmt::MakeWriter, layer::SubscriberExt as _};

use super::{error_reports, levels, log_lines, span_ids};
use crate::settings::{COMMON, Common, load_from};

/// Everything that was written or sent.
#[derive(Clone, Debug)]
struct Caught<T>(Arc<Mutex<Vec<T>>>);

impl<T> Default for Caught<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> Caught<T> {
    fn all(&self) -> Vec<T> {
        self.0.lock().unwrap().clone()
    }
}

impl io::Write for Caught<u8> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Caught<u8> {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl SpanExporter for Caught<SpanData> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

fn common(variables: &[(&str, &str)]) -> Common {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    load_from(&[COMMON], variables.iter().map(owned), None).unwrap()
}

/// The stack that `init` builds, for this thread, with its outlets caught.
struct Stack {
    lines: Caught<u8>,
    spans: Caught<SpanData>,
    provider: SdkTracerProvider,
}

impl Stack {
    fn new(variables: &[(&str, &str)]) -> (Self, impl Subscriber + Send + Sync + use<>) {
        let common = common(variables);
        let (lines, spans) = (Caught::default(), Caught::default());
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(Caught::clone(&spans))
            .build();
        let subscriber = tracing_subscriber::registry()
            .with(span_ids::SpanIds.with_filter(levels::SPANS))
            .with(
                tracing_opentelemetry::layer()
                    .with_tracer(provider.tracer("test"))
                    .with_filter(levels::SPANS),
            )
            .with(error_reports::layer())
            .with(error_reports::performance_layer(&common))
            .with(log_lines::layer("api", &common, Caught::clone(&lines)).unwrap());
        let stack = Self {
            lines,
            spans,
            provider,
        };
        (stack, subscriber)
    }

    fn lines(&self) -> Vec<Value> {
        String::from_utf8(self.lines.all())
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn span(&self, name: &str) -> SpanData {
        self.provider.force_flush().unwrap();
        let spans = self.spans.all();
        spans.into_iter().find(|span| span.name == name).unwrap()
    }
}
