//! A process from its start to its end, with a real collector and real signals. Telemetry, the
//! metrics recorder and signal handlers exist once in a process, so this is one story in one test.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    net::SocketAddr,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    trace::v1::Span,
};
use runtime::{
    admin::{self, Health},
    ready,
    settings::{COMMON, Common, load_from},
    shutdown::Shutdown,
    telemetry, tls,
    trace::TraceContext,
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::{Request, Response, Status, transport::server::TcpIncoming};

#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Serves on a free port.
    fn start() -> (Self, SocketAddr) {
        let collector = Self::default();
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = incoming.local_addr().unwrap();
        let service = TraceServiceServer::new(collector.clone());
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(incoming));
        (collector, address)
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.0.lock().unwrap();
        let resources = requests.iter().flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    /// The resource attributes of what came, as text.
    fn resource(&self) -> String {
        let requests = self.0.lock().unwrap();
        format!("{:?}", requests[0].resource_spans[0].resource)
    }
}

/// Status and body of a GET request.
async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let code = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    (code, body.to_owned())
}

async fn get_json(address: SocketAddr, path: &str) -> (u16, Value) {
    let (code, body) = get(address, path).await;
    (code, serde_json::from_str(&body).unwrap())
}

fn settings(collector: SocketAddr, ready_file: &str) -> Common {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}")),
        ("TINKO__ADMIN_LISTEN", "127.0.0.1:0".to_owned()),
        ("TINKO__READY_FILE", ready_file.to_owned()),
        ("ENVIRONMENT", "staging".to_owned()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    load_from(&[COMMON], variables.into_iter(), None).unwrap()
}

/// Ready as long as `postgres` says so; trouble with Redis is only reported.
fn health(postgres: &Arc<AtomicBool>) -> Health {
    let postgres = Arc::clone(postgres);
    Health::new()
        .check("postgres", true, move || {
            let up = postgres.load(Ordering::Relaxed);
            Box::pin(async move { up.then_some(()).ok_or("no connection".to_owned()) })
        })
        .check("redis", false, || {
            Box::pin(async { Err("flushed".to_owned()) })
        })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_starts_works_drains_and_ends() {
    tls::install_ring();
    tls::install_ring();
    let (collector, collector_address) = Collector::start();
    let folder = tempfile::tempdir().unwrap();
    let ready_file = folder.path().join("ready.json");
    let common = settings(collector_address, ready_file.to_str().unwrap());
    let telemetry = telemetry::init("retry-worker", "9.8.7", &common).unwrap();
    let metrics = telemetry.metrics();
    let shutdown = Shutdown::install(Duration::from_mins(1)).unwrap();
    let postgres = Arc::new(AtomicBool::new(true));
    let health = health(&postgres);
    let listen = common.admin_listen;
    let admin = admin::serve(listen, health.clone(), metrics.clone(), &shutdown).unwrap();
    let address = admin.addr();
    assert_ne!(address.port(), 0);

    it_is_alive_and_not_ready_while_it_starts(address).await;
    health.set_ready();
    ready::announce(&common, &[("admin", address)]).unwrap();
    let announced = std::fs::read_to_string(&ready_file).unwrap();
    assert!(announced.contains(&address.to_string()), "{announced}");

    it_is_ready_in_spite_of_trouble_that_is_not_critical(address).await;
    let trace_id = work();
    its_metrics_can_be_read(address).await;
    it_cannot_be_set_up_twice(&common);

    let pid = std::process::id().to_string();
    let kill = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(kill.unwrap().success());
    shutdown.requested().await;
    assert!(!shutdown.hard().is_cancelled());
    it_answers_while_it_drains(address).await;

    admin.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
    telemetry.shutdown().await;
    the_collector_has(&collector, &trace_id);
    let page = metrics.render();
    let sent = "telemetry_spans_total{outcome=\"exported\"}";
    assert!(page.contains(sent), "{page}");
}

async fn it_is_alive_and_not_ready_while_it_starts(address: SocketAddr) {
    assert_eq!(get(address, "/healthz").await.0, 200);
    let (code, body) = get_json(address, "/readyz").await;
    assert_eq!((code, &body["status"]), (503, &"starting".into()), "{body}");
    assert_eq!(get(address, "/startupz").await.0, 503);
}

async fn it_is_ready_in_spite_of_trouble_that_is_not_critical(address: SocketAddr) {
    let (code, body) = get_json(address, "/readyz").await;
    assert_eq!((code, &body["status"]), (200, &"degraded".into()), "{body}");
    assert_eq!(body["checks"][0]["name"], "postgres");
    assert_eq!(body["checks"][1]["trouble"], "flushed");
    assert_eq!(get(address, "/startupz").await.0, 200);
}

/// Does a unit of work; returns the id of its trace.
fn work() -> String {
    let charge = tracing::info_span!("charge", recovery.id = "rec_1");
    let context = TraceContext::of(&charge);
    charge.in_scope(|| tracing::info!("charged"));
    runtime::outgoing::Call::start("stripe", "charge").finish("ok");
    context.trace_id().unwrap().to_owned()
}

async fn its_metrics_can_be_read(address: SocketAddr) {
    let (code, page) = get(address, "/metrics").await;
    assert_eq!(code, 200);
    for name in ["outgoing_requests_total{", "process_resident_memory_bytes "] {
        assert!(page.contains(name), "{name} is not in\n{page}");
    }
}

fn it_cannot_be_set_up_twice(common: &Common) {
    let again = telemetry::init("retry-worker", "9.8.7", common);
    let error = again.err().unwrap().to_string();
    assert!(error.starts_with("telemetry is set up already"), "{error}");
}

async fn it_answers_while_it_drains(address: SocketAddr) {
    while get(address, "/readyz").await.0 != 503 {
        tokio::task::yield_now().await;
    }
    assert_eq!(get_json(address, "/readyz").await.1["status"], "draining");
    assert_eq!(get(address, "/healthz").await.0, 200);
}

fn the_collector_has(collector: &Collector, trace_id: &str) {
    let spans = collector.spans();
    let charge = spans.iter().find(|span| span.name == "charge").unwrap();
    let sent = u128::from_be_bytes(charge.trace_id.as_slice().try_into().unwrap());
    assert_eq!(format!("{sent:032x}"), trace_id);
    let resource = collector.resource();
    for part in ["retry-worker", "9.8.7", "staging"] {
        assert!(resource.contains(part), "{resource}");
    }
}
