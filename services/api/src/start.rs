//! Putting the service together.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, Condition, NormalizePath, from_fn};
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use anyhow::Context;
use backbone::{Backbone, RelayTask};
use runtime::clock::{SharedClock, SystemClock};
use runtime::shutdown::Shutdown;
use runtime::telemetry::Metrics;
use runtime::{admin, ready};
use tokio::task::JoinHandle;

use crate::app::{Api, routes};
use crate::conduct::{
    closing, coding, cors, crowd, etag, framing, headers, methods, observe, rate,
};
use crate::settings::Settings;

/// How long the last events may take to be published at the end.
const RELAY_PATIENCE: Duration = Duration::from_secs(5);
/// How long connections are closed by their answers before those that nobody asks on are closed
/// without one: clients that ask once in that time never meet a closed connection.
const LAST_ANSWERS: Duration = Duration::from_secs(1);
/// How long an idle connection is kept: longer than load balancers in front do,
/// so that it is they who close.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Connections that one thread holds, idle ones included; further ones wait with the
/// kernel until one ends.
const CONNECTIONS_PER_THREAD: usize = 4_096;
/// How long a client may take for a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// `--check`: the settings read, Postgres and Redis answer.
pub async fn check(settings: &Settings) -> anyhow::Result<()> {
    let clock = SystemClock::shared();
    let (backbone, _relay) = Backbone::connect(crate::SERVICE, &settings.backbone, clock).await?;
    Api::new(settings, backbone.clone())?;
    backbone.check().await?;
    Ok(())
}

/// Serves until `shutdown`, then finishes what is under way.
pub async fn run(settings: Settings, metrics: Metrics, shutdown: &Shutdown) -> anyhow::Result<()> {
    let server = Server::start(&settings, SystemClock::shared()).await?;
    let health = server.api.backbone.health();
    let admin = admin::serve(
        settings.common.admin_listen,
        health.clone(),
        metrics,
        shutdown,
    )?;
    health.set_ready();
    let addresses = [("admin", admin.addr()), ("http", server.address)];
    ready::announce(&settings.common, &addresses)?;

    shutdown.requested().await;
    if shutdown
        .finish_within_grace(server.finish())
        .await
        .is_none()
    {
        tracing::warn!("the grace period is over; requests under way are cut off");
    }
    drop(health);
    admin.stop().await;
    Ok(())
}

/// The public HTTP server as it runs.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    api: Arc<Api>,
    relay: RelayTask,
    handle: ServerHandle,
    task: JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Binds and serves.
    pub async fn start(settings: &Settings, clock: SharedClock) -> anyhow::Result<Self> {
        let (backbone, relay) =
            Backbone::connect(crate::SERVICE, &settings.backbone, clock).await?;
        let api = Api::new(settings, backbone)?;
        let data = Data::from(Arc::clone(&api));
        tokio::spawn(Arc::clone(&api.live).run(api.backbone.clone()));
        let origins = settings.conduct.origins()?;
        let is_https = settings.public_base_url.scheme() == "https";
        let hsts = Some(settings.conduct.hsts_seconds).filter(|seconds| is_https && *seconds > 0);
        // The last one stands outermost.
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .wrap(NormalizePath::trim())
                .wrap(from_fn(etag::tag))
                .wrap(from_fn(rate::limit))
                .wrap(from_fn(coding::choose))
                .wrap(Compress::default())
                .wrap(from_fn(coding::finish))
                .wrap(from_fn(methods::head_as_get))
                .wrap(from_fn(crowd::bounded))
                .wrap(headers::defaults(hsts))
                .wrap(Condition::new(!origins.is_empty(), origins.cors()))
                .wrap(from_fn(cors::only_for_frontends))
                .wrap(from_fn(framing::one_length))
                .wrap(from_fn(closing::last_answer))
                .wrap(from_fn(observe::observe))
                .configure(routes)
        });
        let server = match settings.http_workers {
            Some(workers) => server.workers(workers.get()),
            None => server,
        };
        let server = server
            .max_connections(CONNECTIONS_PER_THREAD)
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(HEAD_TIMEOUT)
            .shutdown_timeout(settings.common.shutdown_grace_seconds)
            .disable_signals()
            .bind(settings.listen)
            .with_context(|| format!("the public server can't listen on {}", settings.listen))?;
        let address = server.addrs().first().copied().unwrap_or(settings.listen);
        let server = server.run();
        Ok(Self {
            address,
            api,
            relay,
            handle: server.handle(),
            task: tokio::spawn(server),
        })
    }

    /// Closes each connection by its next answer, then takes no new request, finishes those under
    /// way, and publishes what they caused.
    pub async fn finish(self) {
        let Self {
            api,
            relay,
            handle,
            task,
            ..
        } = self;
        // Streams have no end of their own: they are told, and end.
        api.live.closing.cancel();
        tokio::time::sleep(LAST_ANSWERS).await;
        handle.stop(true).await;
        if let Ok(Err(error)) = task.await {
            tracing::warn!(%error, "the public server ended with an error");
        }
        drop(api);
        relay.drained(RELAY_PATIENCE).await;
    }
}
