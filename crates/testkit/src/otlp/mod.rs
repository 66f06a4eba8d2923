//! Collectors of the spans that programs export over OTLP (gRPC): one that keeps them, one that only
//! counts them, and one that takes connections and never answers.
//!
//! Dropping a collector kills it, and another can take its address over.

mod listening;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1 as wire;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use listening::Listening;

/// One span, as far as tests look at it. Ids are lower-case hex, as in `traceparent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// `service.name` of its resource.
    pub service: String,
    /// Its name.
    pub name: String,
    /// 32 digits.
    pub trace_id: String,
    /// 16 digits.
    pub span_id: String,
    /// 16 digits; empty for a root.
    pub parent_span_id: String,
    /// As OTLP numbers it: 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    pub kind: i32,
    /// Whether its status is an error.
    pub is_error: bool,
    /// Values as text.
    pub attributes: BTreeMap<String, String>,
    /// Trace and span id of each link.
    pub links: Vec<(String, String)>,
    /// Length in nanoseconds.
    pub nanoseconds: u64,
}

/// Any free port of the loopback address.
const FREE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Keeps what comes in.
#[derive(Debug)]
pub struct Receiver {
    spans: watch::Receiver<Vec<Span>>,
    exports: Exports,
    listening: Listening,
}

/// Each request as it came, in Rust's own words.
type Exports = Arc<Mutex<Vec<String>>>;

impl Receiver {
    /// Starts to listen on a free loopback port.
    pub async fn start() -> Self {
        Self::at(FREE).await
    }

    /// Starts to listen where another did.
    pub async fn at(address: SocketAddr) -> Self {
        let (collected, spans) = watch::channel(Vec::new());
        let exports = Exports::default();
        let collector = Collector(collected, Arc::clone(&exports));
        Self {
            spans,
            exports,
            listening: listen(address, collector).await,
        }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.listening.address()
    }

    /// For `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn endpoint(&self) -> String {
        endpoint(self.address())
    }

    /// What has come in so far.
    pub fn spans(&self) -> Vec<Span> {
        self.spans.borrow().clone()
    }

    /// Every export whole, with what [`Span`] leaves out (events, statuses, resources), to be searched.
    pub fn everything(&self) -> Vec<String> {
        let exports = self.exports.lock();
        exports.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until `find` answers `Some` for what has come in; asked again at each export.
    ///
    /// # Panics
    ///
    /// After `timeout`, listing the spans that did come.
    pub async fn wait_for<T>(
        &self,
        timeout: Duration,
        mut find: impl FnMut(&[Span]) -> Option<T>,
    ) -> T {
        let mut spans = self.spans.clone();
        let found = async {
            loop {
                if let Some(found) = find(&spans.borrow_and_update()) {
                    return found;
                }
                spans.changed().await.expect("the receiver serves");
            }
        };
        let in_time = tokio::time::timeout(timeout, found).await;
        in_time.unwrap_or_else(|_| {
            panic!(
                "no such spans within {timeout:?}; there were {:#?}",
                self.summary()
            )
        })
    }

    fn summary(&self) -> Vec<String> {
        let line = |span: &Span| format!("{} {} {}", span.trace_id, span.service, span.name);
        self.spans.borrow().iter().map(line).collect()
    }
}

/// Counts what comes in and keeps nothing, so that it costs little: for measurements.
#[derive(Debug)]
pub struct Counter {
    spans: Arc<AtomicU64>,
    listening: Listening,
}

impl Counter {
    /// Starts to listen on a free loopback port.
    pub async fn start() -> Self {
        Self::at(FREE).await
    }

    /// Starts to listen where another did.
    pub async fn at(address: SocketAddr) -> Self {
        let spans = Arc::default();
        let counting = Counting(Arc::clone(&spans));
        Self {
            spans,
            listening: listen(address, counting).await,
        }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.listening.address()
    }

    /// For `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn endpoint(&self) -> String {
        endpoint(self.address())
    }

    /// Spans so far.
    pub fn spans(&self) -> u64 {
        self.spans.load(Ordering::Relaxed)
    }
}

/// Takes every connection, reads nothing of it and never answers.
#[derive(Debug)]
pub struct Silence {
    listening: Listening,
}

impl Silence {
    /// Starts to listen where another did.
    pub async fn at(address: SocketAddr) -> Self {
        let serve = async |listener: TcpListener| {
            let mut held = Vec::new();
            while let Ok((connection, _)) = listener.accept().await {
                held.push(connection);
            }
        };
        Self {
            listening: Listening::start(address, serve).await,
        }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.listening.address()
    }
}

fn endpoint(address: SocketAddr) -> String {
    format!("http://{address}")
}

async fn listen(address: SocketAddr, service: impl TraceService) -> Listening {
    let router = Server::builder().add_service(TraceServiceServer::new(service));
    let serve = async |listener: TcpListener| {
        let incoming = TcpIncoming::from(listener);
        router
            .serve_with_incoming(incoming)
            .await
            .expect("the receiver serves");
    };
    Listening::start(address, serve).await
}

#[derive(Debug)]
struct Counting(Arc<AtomicU64>);

#[tonic::async_trait]
impl TraceService for Counting {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans;
        let scopes = resources.iter().flat_map(|one| &one.scope_spans);
        let spans: usize = scopes.map(|scope| scope.spans.len()).sum();
        self.0.fetch_add(spans as u64, Ordering::Relaxed);
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[derive(Debug)]
struct Collector(watch::Sender<Vec<Span>>, Exports);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut received = Vec::new();
        let request = request.into_inner();
        let mut exports = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        exports.push(format!("{request:?}"));
        drop(exports);
        for resource in request.resource_spans {
            let attributes = resource
                .resource
                .map(|found| found.attributes)
                .unwrap_or_default();
            let service = texts(attributes).remove("service.name").unwrap_or_default();
            let spans = resource
                .scope_spans
                .into_iter()
                .flat_map(|scope| scope.spans);
            received.extend(spans.map(|span| read(&service, span)));
        }
        self.0.send_modify(|spans| spans.extend(received));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn read(service: &str, span: wire::Span) -> Span {
    let link = |link: wire::span::Link| (hex::encode(link.trace_id), hex::encode(link.span_id));
    let is_error = |status: wire::Status| status.code() == wire::status::StatusCode::Error;
    Span {
        service: service.to_owned(),
        name: span.name,
        trace_id: hex::encode(span.trace_id),
        span_id: hex::encode(span.span_id),
        parent_span_id: hex::encode(span.parent_span_id),
        kind: span.kind,
        is_error: span.status.is_some_and(is_error),
        attributes: texts(span.attributes),
        links: span.links.into_iter().map(link).collect(),
        nanoseconds: span
            .end_time_unix_nano
            .saturating_sub(span.start_time_unix_nano),
    }
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let pair = |pair: KeyValue| (pair.key, pair.value.and_then(text).unwrap_or_default());
    attributes.into_iter().map(pair).collect()
}

fn text(value: AnyValue) -> Option<String> {
    Some(match value.value? {
        Value::StringValue(text) => text,
        Value::BoolValue(flag) => flag.to_string(),
        Value::IntValue(number) => number.to_string(),
        Value::DoubleValue(number) => number.to_string(),
        other => format!("{other:?}"),
    })
}
