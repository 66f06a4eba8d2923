//! Postgres, Redis and the clock, as a service holds them.

use std::sync::Arc;
use std::time::Duration;

use db::pooler::{Gate, Route};
use db::{Cause, Db, DbError, LeaveToSweeper};
use runtime::admin::Health;
use runtime::clock::SharedClock;
use runtime::trace::TraceContext;
use secrecy::SecretString;
use streams::{Streams, StreamsError};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::settings::BackboneSettings;
use crate::{readiness, relay};

/// Between two looks for a Postgres that is away.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Why a service has nothing to stand on.
#[derive(Debug, thiserror::Error)]
pub enum BackboneError {
    /// `REDIS_URL` does not read, or Redis is not who it is to be.
    #[error("REDIS_URL is not usable")]
    Streams(#[from] StreamsError),
    /// `DATABASE_URL` does not read, or leads to or through what Tinko can't work with.
    #[error(transparent)]
    Db(#[from] DbError),
    /// `--check` found trouble.
    #[error("{0}")]
    Unfit(String),
}

/// Postgres, Redis and the clock. Cheap to clone.
#[derive(Clone)]
pub struct Backbone {
    /// Postgres; commits publish by themselves.
    pub db: Db,
    /// The streams.
    pub streams: Streams,
    /// The time.
    pub clock: SharedClock,
    /// Most messages of an organization and channel in Redis.
    pub(crate) messages_ahead: i64,
    actor: &'static str,
}

/// The relay's task: ends with [`RelayTask::drained`], or once every clone of the
/// [`Backbone`] is gone.
pub struct RelayTask {
    task: JoinHandle<()>,
    closing: CancellationToken,
}

impl RelayTask {
    /// Waits until all that has committed is published, or `patience` is over.
    /// What commits from now on is left to the sweeper. Pools that are still
    /// held, as by readiness checks, hold nothing up.
    pub async fn drained(self, patience: Duration) {
        self.closing.cancel();
        if tokio::time::timeout(patience, self.task).await.is_err() {
            tracing::warn!("events are left to the sweeper of another process");
        }
    }
}

impl Backbone {
    /// Connects lazily: a service starts while Postgres or Redis is away, and its
    /// readiness says so. `actor` is who the timeline names.
    ///
    /// A pooler before Postgres that mixes up prepared statements is refused
    /// ([`db::pooler`]); where Postgres is away, as soon as it is back. So is a Postgres
    /// or Redis whose certificate is not one that is to be trusted.
    pub async fn connect(
        actor: &'static str,
        settings: &BackboneSettings,
        clock: SharedClock,
    ) -> Result<(Self, RelayTask), BackboneError> {
        let streams = Streams::connect(settings.streams()).await?;
        streams.trusted().await?;
        let gate = find_route(&settings.database_url).await?;
        let (relay, pending) = relay::channel();
        let db = Db::behind(gate.clone(), &settings.db(), relay);
        // The relay's own pool would keep its queue open for ever; it marks
        // through one that leaves publishing alone.
        let marking = Db::behind(
            gate,
            &db::DbConfig {
                max_connections: 1,
                ..settings.db()
            },
            Arc::new(LeaveToSweeper),
        );
        let closing = CancellationToken::new();
        let (published, at) = (streams.clone(), clock.clone());
        let ahead = settings.messages_ahead.get().into();
        let task = relay::run(pending, marking, published, at, ahead, closing.clone());
        let backbone = Self {
            db,
            streams,
            clock,
            messages_ahead: ahead,
            actor,
        };
        Ok((backbone, RelayTask { task, closing }))
    }

    /// Readiness checks for Postgres and Redis, to add a service's own to.
    pub fn health(&self) -> Health {
        readiness::health(&self.db, &self.streams, &self.clock)
    }

    /// For `--check`: Postgres and Redis reachable, the schema current.
    pub async fn check(&self) -> Result<(), BackboneError> {
        readiness::postgres(&self.db, &self.clock)
            .await
            .map_err(BackboneError::Unfit)?;
        Ok(self.streams.ping().await?)
    }

    /// The cause of a change made now, by this service, in the current trace.
    pub fn cause(&self) -> Cause {
        self.cause_by(self.actor)
    }

    /// The cause of a change made now by `actor`, in the current trace.
    pub fn cause_by(&self, actor: &str) -> Cause {
        let trace = TraceContext::current();
        Cause {
            at: self.clock.now(),
            actor: actor.to_owned(),
            traceparent: trace.traceparent,
            tracestate: trace.tracestate,
        }
    }
}

/// Postgres alone, for a tool: it has to be there, and safely reached.
pub async fn postgres(settings: &BackboneSettings) -> Result<Db, DbError> {
    let gate = Gate::default();
    gate.found(db::pooler::probe(&settings.database_url).await?);
    let db = Db::behind(gate, &settings.db(), Arc::new(LeaveToSweeper));
    // Tells now if the route is refused.
    drop(db.read().await?);
    Ok(db)
}

/// The streams alone, for a tool. Redis is reached when it is first asked something.
pub async fn streams(settings: &BackboneSettings) -> Result<Streams, StreamsError> {
    let streams = Streams::connect(settings.streams()).await?;
    streams.trusted().await?;
    Ok(streams)
}

/// A gate that lets pass once it is known that Postgres is reached safely. While
/// Postgres is away it stays closed, and is looked after.
async fn find_route(database_url: &SecretString) -> Result<Gate, DbError> {
    let gate = Gate::default();
    match db::pooler::probe(database_url).await {
        Ok(Route::UnsafePooler) => return Err(DbError::UnsafePooler),
        // Waiting mends neither.
        Err(error @ (DbError::Address(_) | DbError::Untrusted(_))) => return Err(error),
        Ok(route) => gate.found(route),
        Err(error) => {
            tracing::warn!(%error, "started without Postgres");
            gate.not_found(&error);
            tokio::spawn(look_for_route(database_url.clone(), gate.clone()));
        }
    }
    Ok(gate)
}

async fn look_for_route(database_url: SecretString, gate: Gate) {
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        let route = match db::pooler::probe(&database_url).await {
            Ok(route) => route,
            Err(error) => {
                gate.not_found(&error);
                continue;
            }
        };
        if route == Route::UnsafePooler {
            let error = DbError::UnsafePooler;
            tracing::error!(%error, "Postgres is not used");
        }
        return gate.found(route);
    }
}
