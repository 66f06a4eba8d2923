//! Putting the worker together.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use backbone::Backbone;
use backbone::sweep::Sweeper;
use connections::Opener;
use contracts::Stream;
use domain::Id;
use domain::token::LinkKey;
use runtime::clock::SystemClock;
use runtime::shutdown::Shutdown;
use runtime::telemetry::Metrics;
use runtime::{admin, ready};
use secrecy::{ExposeSecret, SecretString};
use streams::ConsumerConfig;
use tokio_util::task::TaskTracker;

use crate::failures::FailurePlanner;
use crate::scheduler::Scheduler;
use crate::settings::Settings;
use crate::{Worker, housekeeping, recon};

/// How long the last events may take to be published at the end.
const RELAY_PATIENCE: Duration = Duration::from_secs(5);

/// `--check`: the settings read, Postgres and Redis answer.
pub async fn check(settings: &Settings) -> anyhow::Result<()> {
    link_key(&settings.link_key)?;
    psps(settings)?;
    recon::check(settings)?;
    let clock = SystemClock::shared();
    let (backbone, _relay) = Backbone::connect("retry-worker", &settings.backbone, clock).await?;
    backbone.check().await?;
    Ok(())
}

/// Works until `shutdown`, then ends what is under way.
pub async fn run(settings: Settings, metrics: Metrics, shutdown: &Shutdown) -> anyhow::Result<()> {
    let clock = SystemClock::shared();
    let (backbone, relay) = Backbone::connect("retry-worker", &settings.backbone, clock).await?;
    recon::check(&settings)?;
    let worker = worker(&settings, &backbone)?;
    let health = backbone.health();
    let admin = admin::serve(
        settings.common.admin_listen,
        health.clone(),
        metrics,
        shutdown,
    )?;

    let tasks = TaskTracker::new();
    tasks.spawn(consume_failures(&settings, &worker, shutdown));
    let scheduler = Scheduler::new(worker.clone(), settings.poll());
    tasks.spawn(scheduler.run(shutdown.token()));
    let recon = recon::Runner::new(worker.clone(), &settings);
    tasks.spawn(recon.run(shutdown.token()));
    let period = Duration::from_millis(settings.housekeeping_ms);
    let sweeper = Arc::new(Sweeper::new(&backbone));
    tasks.spawn(housekeeping::often(
        worker.clone(),
        sweeper.clone(),
        period,
        shutdown.token(),
    ));
    tasks.spawn(housekeeping::fill_up(sweeper, shutdown.token()));
    tasks.spawn(housekeeping::outgrown_tables(
        backbone.clone(),
        shutdown.token(),
    ));
    tasks.spawn(housekeeping::seldom(
        backbone.clone(),
        settings.kept(),
        shutdown.token(),
    ));
    tasks.close();
    health.set_ready();
    ready::announce(&settings.common, &[("admin", admin.addr())])?;

    shutdown.requested().await;
    if shutdown.finish_within_grace(tasks.wait()).await.is_none() {
        tracing::warn!("the grace period is over; leases hand back what is unfinished");
    }
    drop((worker, backbone));
    relay.drained(RELAY_PATIENCE).await;
    admin.stop().await;
    Ok(())
}

fn worker(settings: &Settings, backbone: &Backbone) -> anyhow::Result<Worker> {
    let id: Id<domain::id::Attempt> = Id::new(backbone.clock.now(), &mut backbone.db.fork_rng());
    Ok(Worker {
        backbone: backbone.clone(),
        psps: psps(settings)?,
        link_key: Arc::new(link_key(&settings.link_key)?),
        id: id.uuid(),
        lease: settings.lease(),
        places: settings.places(),
        planned: Arc::default(),
    })
}

fn psps(settings: &Settings) -> anyhow::Result<Opener> {
    let breakers = settings.circuit.limits();
    Ok(settings
        .connections
        .opener(settings.psp_timeout(), breakers)?)
}

fn consume_failures(
    settings: &Settings,
    worker: &Worker,
    shutdown: &Shutdown,
) -> impl Future<Output = ()> + Send + 'static {
    let config = ConsumerConfig {
        concurrency: settings.consumer_concurrency,
        prefetch: settings.consumer_concurrency * 2,
        take_over_after: Duration::from_millis(settings.take_over_after_ms),
        ..ConsumerConfig::new(backbone::group_of(Stream::Failures), worker.id.to_string())
    };
    let planner = Arc::new(FailurePlanner::new(worker.clone()));
    let streams = worker.backbone.streams.clone();
    let stop = shutdown.token();
    async move { streams::consume(streams, Stream::Failures, config, planner, stop).await }
}

fn link_key(secret: &SecretString) -> anyhow::Result<LinkKey> {
    LinkKey::parse(secret.expose_secret()).context("TINKO__LINK_KEY is not usable")
}
