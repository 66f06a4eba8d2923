//! The admin server: probes and metrics, on a port of their own.
//!
//! | request | answer |
//! |---|---|
//! | `GET /healthz` | 200 while the process is alive; it asks nobody |
//! | `GET /readyz` | 200 when work may be sent here, 503 when not; the body names each check and its trouble |
//! | `GET /startupz` | as `/readyz` until that was 200 once, 200 from then on |
//! | `GET /metrics` | Prometheus text, or OpenMetrics with exemplars |
//!
//! It has a thread of its own, so it answers when the rest is busy. It goes on answering while the
//! process finishes (`/readyz` says `draining`, 503), until [`AdminServer::stop`] or the hard stop.

mod health;
mod process;

use std::{io, net::SocketAddr};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::{
        StatusCode,
        header::{self, ContentType},
    },
    web::{self, Data},
};
use tokio::{runtime::Handle, task::JoinHandle};

use crate::{shutdown::Shutdown, telemetry::Metrics};

pub use health::{BoxFuture, CheckReport, Health, Report, Status};

/// The Prometheus text format that `/metrics` speaks.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a Prometheus that knows exemplars asks for.
const OPEN_METRICS: &str = "application/openmetrics-text";
const OPEN_METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The admin server as it runs.
#[derive(Debug)]
pub struct AdminServer {
    addr: SocketAddr,
    handle: ServerHandle,
    task: JoinHandle<io::Result<()>>,
}

impl AdminServer {
    /// The address it listens on, with the port it was given.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops it and waits until it has; the last thing before telemetry ends.
    pub async fn stop(self) {
        self.handle.stop(true).await;
        match self.task.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the admin server ended with an error"),
            Err(error) => tracing::warn!(%error, "the admin server's task did not end well"),
        }
    }
}

/// Starts the admin server on `listen`. Call it inside the run-time that does the work: the checks
/// run there. When `shutdown` is requested, `health` says that it is draining.
///
/// Fails when the address can't be bound; the error names it.
pub fn serve(
    listen: SocketAddr,
    health: Health,
    metrics: Metrics,
    shutdown: &Shutdown,
) -> io::Result<AdminServer> {
    let probes = Data::new(Probes {
        health: health.clone(),
        metrics,
        work: Handle::current(),
    });
    let server = HttpServer::new(move || App::new().app_data(probes.clone()).configure(routes))
        .workers(1)
        .disable_signals()
        .shutdown_timeout(1)
        .bind(listen)
        .map_err(|error| {
            let text = format!("the admin server can't listen on {listen}: {error}");
            io::Error::new(error.kind(), text)
        })?;
    let addr = server.addrs().first().copied().unwrap_or(listen);
    let server = server.run();
    let handle = server.handle();
    let task = tokio::spawn(server);
    tokio::spawn(follow(shutdown.clone(), health, handle.clone()));
    Ok(AdminServer { addr, handle, task })
}

async fn follow(shutdown: Shutdown, health: Health, handle: ServerHandle) {
    shutdown.requested().await;
    health.set_draining();
    shutdown.hard().cancelled().await;
    handle.stop(false).await;
}

struct Probes {
    health: Health,
    metrics: Metrics,
    work: Handle,
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/healthz", web::get().to(alive))
        .route("/readyz", web::get().to(ready))
        .route("/startupz", web::get().to(started))
        .route("/metrics", web::get().to(metrics_page));
}

async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

async fn ready(probes: Data<Probes>) -> HttpResponse {
    answer(&probes.health.report_on(&probes.work).await)
}

async fn started(probes: Data<Probes>) -> HttpResponse {
    if probes.health.was_ready() {
        return alive().await;
    }
    ready(probes).await
}

fn answer(report: &Report) -> HttpResponse {
    let code = if report.status.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    HttpResponse::build(code)
        .insert_header(("cache-control", "no-store"))
        .content_type(ContentType::json())
        .json(report)
}

async fn metrics_page(request: HttpRequest, probes: Data<Probes>) -> HttpResponse {
    let mut page = probes.metrics.render();
    page.push_str(&process::metrics());
    let accepted = request.headers().get(header::ACCEPT);
    let open = accepted
        .and_then(|accepted| accepted.to_str().ok())
        .filter(|accepted| accepted.contains(OPEN_METRICS))
        .and_then(|_| probes.metrics.as_open_metrics(&page));
    let (kind, page) = match open {
        Some(open) => (OPEN_METRICS_TYPE, open),
        None => (METRICS_TYPE, page),
    };
    HttpResponse::Ok().content_type(kind).body(page)
}
