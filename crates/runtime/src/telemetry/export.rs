//! Sends spans to the collector without ever making work wait, and counts what is lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter as OtlpExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor},
};
use url::Url;

/// Spans that may wait to be sent; those beyond are dropped and counted. About 1 KB each.
const QUEUE: usize = 8_192;

/// Spans sent in one call.
const BATCH: usize = 512;

/// The longest a span waits for its batch to fill.
const DELAY: Duration = Duration::from_secs(2);

/// The longest one call to the collector may take.
const CALL_LIMIT: Duration = Duration::from_secs(10);

pub(super) const SPANS_TOTAL: &str = "telemetry_spans_total";

/// A processor that sends to the collector at `endpoint` over gRPC.
pub(super) fn to_collector(
    endpoint: &Url,
) -> Result<Counting<BatchSpanProcessor>, ExporterBuildError> {
    let exporter = OtlpExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint.as_str())
        .with_timeout(CALL_LIMIT)
        .build()?;
    Ok(batched(exporter, QUEUE))
}

fn batched<E: SpanExporter + 'static>(exporter: E, queue: usize) -> Counting<BatchSpanProcessor> {
    let waiting = Arc::new(AtomicUsize::new(0));
    let exporter = CountingExporter {
        exporter,
        waiting: Arc::clone(&waiting),
        failing: AtomicBool::new(false),
    };
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(queue)
        .with_max_export_batch_size(BATCH.min(queue))
        .with_scheduled_delay(DELAY)
        .build();
    Counting {
        processor: BatchSpanProcessor::builder(exporter)
            .with_batch_config(config)
            .build(),
        waiting,
        queue,
    }
}

/// Drops and counts spans when the queue is full, which the processor inside does silently.
#[derive(Debug)]
pub(super) struct Counting<P> {
    processor: P,
    waiting: Arc<AtomicUsize>,
    queue: usize,
}

impl<P: SpanProcessor> SpanProcessor for Counting<P> {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        self.processor.on_start(span, cx);
    }

    fn on_end(&self, span: SpanData) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) < self.queue {
            self.processor.on_end(span);
        } else {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            count("dropped", 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.processor.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.processor.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.processor.set_resource(resource);
    }
}

/// Counts what was sent and what the collector did not take, and logs when that changes.
#[derive(Debug)]
struct CountingExporter<E> {
    exporter: E,
    waiting: Arc<AtomicUsize>,
    failing: AtomicBool,
}

impl<E: SpanExporter> SpanExporter for CountingExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
        let result = self.exporter.export(batch).await;
        let outcome = if result.is_ok() { "exported" } else { "failed" };
        count(outcome, u64::try_from(spans).unwrap_or(u64::MAX));
        let was_failing = self.failing.swap(result.is_err(), Ordering::Relaxed);
        match &result {
            Err(error) if !was_failing => {
                tracing::warn!(%error, spans, "the trace collector does not take spans; they are lost and counted until it does");
            }
            Ok(()) if was_failing => tracing::info!("the trace collector takes spans again"),
            _ => {}
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

fn count(outcome: &'static str, spans: u64) {
    metrics::counter!(SPANS_TOTAL, "outcome" => outcome).increment(spans);
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    };

    use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::{error::OTelSdkError, trace::SdkTracerProvider};

    use super::*;

    /// A collector that says when a batch has come and does not answer before it is told to.
    #[derive(Debug)]
    struct Stuck {
        came: Mutex<Sender<usize>>,
        answer: Mutex<Receiver<()>>,
    }

    impl SpanExporter for Stuck {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            let came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
            came.send(batch.len()).ok();
            let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
            answer.recv().ok();
            Ok(())
        }
    }

    #[test]
    fn a_collector_that_does_not_answer_costs_spans_that_are_counted_and_no_time() {
        let (came, batches) = channel();
        let (release, answer) = channel();
        let stuck = Stuck {
            came: Mutex::new(came),
            answer: Mutex::new(answer),
        };
        let provider = SdkTracerProvider::builder()
            .with_span_processor(batched(stuck, 4))
            .build();
        let tracer = provider.tracer("test");
        let recorder = crate::telemetry::recorder().unwrap();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            let end_spans = |number: usize| (0..number).for_each(|_| drop(tracer.start("work")));
            end_spans(4);
            assert_eq!(batches.recv().unwrap(), 4);
            // From here on the collector is stuck: four more wait, and twelve are lost.
            end_spans(16);
        });
        let line = format!("{SPANS_TOTAL}{{outcome=\"dropped\"}} 12");
        assert!(handle.render().contains(&line), "{}", handle.render());
        drop(release);
        provider.shutdown().unwrap();
        assert_eq!(batches.iter().sum::<usize>(), 4);
    }

    /// A collector that is not there at first.
    #[derive(Debug, Default)]
    struct Away(AtomicUsize);

    impl SpanExporter for Away {
        async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
            if self.0.fetch_add(1, Ordering::Relaxed) < 2 {
                Err(OTelSdkError::InternalFailure("connection refused".into()))
            } else {
                Ok(())
            }
        }
    }

    #[test]
    fn spans_that_the_collector_did_not_take_are_counted_apart_from_those_it_took() {
        let exporter = CountingExporter {
            exporter: Away::default(),
            waiting: Arc::new(AtomicUsize::new(3)),
            failing: AtomicBool::new(false),
        };
        // This one exports on the thread that ends the span, where the recorder below is.
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(exporter)
            .build();
        let tracer = provider.tracer("test");
        let recorder = crate::telemetry::recorder().unwrap();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            (0..3).for_each(|_| drop(tracer.start("work")));
        });
        let page = handle.render();
        for (outcome, spans) in [("failed", 2), ("exported", 1)] {
            let line = format!("{SPANS_TOTAL}{{outcome=\"{outcome}\"}} {spans}");
            assert!(page.contains(&line), "{page}");
        }
    }
}
