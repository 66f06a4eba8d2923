//! The pool, and the two ways to use it: [`Db::read`] and [`Db::begin`].

use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use contracts::{Envelope, Message};
use diesel::result::ConnectionError;
use diesel_async::pooled_connection::bb8::{Pool, PooledConnection};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolableConnection as _, RecyclingMethod,
};
use diesel_async::{AnsiTransactionManager, AsyncPgConnection, TransactionManager};
use domain::Id;
use domain::id::{Kind, OrganizationId};
use futures_util::FutureExt as _;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use secrecy::SecretString;
use tokio::runtime::Handle;

use crate::connect::connect;
use crate::pooler::Gate;
use crate::{DbError, decisions, notifications, outbox, timeline};

/// A connection to run statements on.
pub type Conn = AsyncPgConnection;

/// How to reach Postgres, and how many connections to hold.
#[derive(Debug, Clone)]
pub struct DbConfig {
    /// `postgres://user:password@host:port/database`, with `sslmode` and `sslrootcert` as
    /// libpq has them.
    pub url: SecretString,
    /// Most connections of this process.
    pub max_connections: u32,
    /// How long to wait for a free one before answering [`DbError::Exhausted`].
    pub acquire_timeout: Duration,
}

/// What takes the events of a transaction once it has committed.
pub trait AfterCommit: Send + Sync {
    /// Hands over events that have committed. Must not block: whatever it drops
    /// is still in the outbox, and swept from there.
    fn committed(&self, envelopes: Vec<Envelope>);
}

fn bad(error: impl std::fmt::Display) -> ConnectionError {
    ConnectionError::BadConnection(error.to_string())
}

fn still_open(conn: &mut Conn) -> diesel::QueryResult<()> {
    if conn.is_broken() {
        return Err(diesel::result::Error::BrokenTransactionManager);
    }
    Ok(())
}

/// For processes that leave publishing to the sweeper.
pub struct LeaveToSweeper;

impl AfterCommit for LeaveToSweeper {
    fn committed(&self, _envelopes: Vec<Envelope>) {}
}

/// Why a change is made: its time, who makes it, and under which trace.
#[derive(Debug, Clone)]
pub struct Cause {
    /// The time of the change.
    pub at: DateTime<Utc>,
    /// Who or what makes it, as the timeline shows it: `api`, `retry-worker`, `payer`.
    pub actor: String,
    /// W3C Trace Context of the work that makes it.
    pub traceparent: Option<String>,
    /// Its vendor part.
    pub tracestate: Option<String>,
}

impl Cause {
    /// The 32 hex digits of the trace, if there is one.
    pub fn trace_id(&self) -> Option<&str> {
        trace_id(self.traceparent.as_deref())
    }

    /// The trace, for a change that is made together with others.
    pub fn trace(&self) -> Trace {
        Trace {
            parent: self.traceparent.clone(),
            state: self.tracestate.clone(),
        }
    }
}

/// The trace of one of several changes that one transaction makes: each goes on under
/// the trace of the request that asked for it.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// W3C Trace Context of the work that asked for it.
    pub(crate) parent: Option<String>,
    /// Its vendor part.
    pub(crate) state: Option<String>,
}

impl Trace {
    /// The 32 hex digits of the trace, if there is one.
    pub(crate) fn id(&self) -> Option<&str> {
        trace_id(self.parent.as_deref())
    }
}

fn trace_id(traceparent: Option<&str>) -> Option<&str> {
    traceparent?.split('-').nth(1)
}

/// Proof of which organization's data may be touched. Every query on tenant data
/// takes one. It is made where the organization is known for certain: an API
/// key's row, a connection whose secret verified a webhook, a link whose token
/// hash matched, an envelope of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tenant(OrganizationId);

impl Tenant {
    pub(crate) const fn of(organization: OrganizationId) -> Self {
        Self(organization)
    }

    /// The tenant of work that Tinko gave itself.
    pub const fn of_envelope(envelope: &Envelope) -> Self {
        Self(envelope.organization)
    }

    /// The organization.
    pub const fn organization(self) -> OrganizationId {
        self.0
    }

    pub(crate) const fn uuid(self) -> uuid::Uuid {
        self.0.uuid()
    }
}

/// Postgres, as the services see it.
#[derive(Clone)]
pub struct Db {
    pool: Pool<AsyncPgConnection>,
    gate: Gate,
    after_commit: Arc<dyn AfterCommit>,
    seeds: Arc<Mutex<StdRng>>,
}

impl Db {
    /// A pool that connects when first asked, so that a service starts while
    /// Postgres is away and says so in its readiness.
    ///
    /// Its connections live as long as the Tokio runtime that this is called in, whichever runtime
    /// asks for them.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub fn new(config: &DbConfig, after_commit: Arc<dyn AfterCommit>) -> Self {
        Self::behind(Gate::open(), config, after_commit)
    }

    /// As [`Db::new`], for use once `gate` lets one pass.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub fn behind(gate: Gate, config: &DbConfig, after_commit: Arc<dyn AfterCommit>) -> Self {
        let mut how = ManagerConfig::default();
        let url = config.url.clone();
        // A connection is driven by a task, which dies with the runtime that it was made in. Each
        // worker of an HTTP server has one of its own, and ends when it has nothing to do: what it
        // asked for is used by the others on.
        let home = Handle::current();
        how.custom_setup = Box::new(move |_| {
            let url = url.clone();
            let connecting = home.spawn(async move { connect(&url).await });
            let connected = async {
                let connected = connecting.await.map_err(bad)?;
                connected.map_err(|error| bad(DbError::from(error)))
            };
            connected.boxed()
        });
        // One that Postgres or a pooler has closed meanwhile is left out, as far as this process has
        // heard of it: no question, which would cost a round trip at every use.
        how.recycling_method =
            RecyclingMethod::CustomFunction(Box::new(|conn| ready(still_open(conn)).boxed()));
        let manager = AsyncDieselConnectionManager::new_with_config("", how);
        let pool = Pool::builder()
            .max_size(config.max_connections)
            .connection_timeout(config.acquire_timeout)
            .test_on_check_out(true)
            .build_unchecked(manager);
        Self {
            pool,
            gate,
            after_commit,
            seeds: Arc::new(Mutex::new(StdRng::from_rng(&mut rand::rng()))),
        }
    }

    /// A connection for single statements, each its own transaction.
    pub async fn read(&self) -> Result<PooledConnection<'static, AsyncPgConnection>, DbError> {
        self.gate.pass()?;
        let waiting = tokio::time::Instant::now();
        let conn = self.pool.get_owned().await?;
        metrics::histogram!("db_pool_wait_seconds").record(waiting.elapsed().as_secs_f64());
        Ok(conn)
    }

    /// Begins a transaction. Dropped without [`Tx::commit`], it changes nothing.
    pub async fn begin(&self, cause: Cause) -> Result<Tx, DbError> {
        let mut conn = self.read().await?;
        AnsiTransactionManager::begin_transaction(&mut *conn).await?;
        Ok(Tx {
            conn,
            cause,
            envelopes: Vec::new(),
            entries: Vec::new(),
            decisions: Vec::new(),
            messages: Vec::new(),
            after_commit: Arc::clone(&self.after_commit),
            rng: self.fork_rng(),
            made: 0,
        })
    }

    /// Randomness of its own for one piece of work.
    pub fn fork_rng(&self) -> StdRng {
        let mut seeds = self.seeds.lock().unwrap_or_else(PoisonError::into_inner);
        StdRng::from_rng(&mut *seeds)
    }

    /// Connections in use and open, for metrics.
    pub fn pool_size(&self) -> (u32, u32) {
        let state = self.pool.state();
        (
            state.connections - state.idle_connections,
            state.connections,
        )
    }
}

/// A transaction: facts, and the events that they cause, committed together.
///
/// Nothing outside Postgres is called while one is open.
pub struct Tx {
    conn: PooledConnection<'static, AsyncPgConnection>,
    cause: Cause,
    envelopes: Vec<Envelope>,
    pub(crate) entries: Vec<timeline::Waiting>,
    pub(crate) decisions: Vec<decisions::Waiting>,
    pub(crate) messages: Vec<notifications::Waiting>,
    after_commit: Arc<dyn AfterCommit>,
    rng: StdRng,
    /// Ids made so far.
    made: u16,
}

impl Tx {
    /// The connection, to run statements of this transaction on.
    pub fn conn(&mut self) -> &mut Conn {
        &mut self.conn
    }

    /// Why this change is made.
    pub const fn cause(&self) -> &Cause {
        &self.cause
    }

    /// From here on what is done goes on under this trace: for one of several changes that
    /// are made together.
    pub fn go_on_under(&mut self, trace: &Trace) {
        self.cause.traceparent.clone_from(&trace.parent);
        self.cause.tracestate.clone_from(&trace.state);
    }

    /// The time of the change.
    pub const fn now(&self) -> DateTime<Utc> {
        self.cause.at
    }

    /// A new id, born at the time of the change. Ids of one transaction sort in
    /// the order in which they were made, so that its timeline entries do: the
    /// twelve bits after the time are a counter (RFC 9562, 6.2, method 1), which
    /// leaves 62 random ones. Where it runs over, the time goes on by a millisecond,
    /// as the same section has it.
    pub fn new_id<K: Kind>(&mut self) -> Id<K> {
        let run_over = TimeDelta::milliseconds(i64::from(self.made >> 12));
        let born = self.cause.at + run_over;
        let mut bytes = *Id::<K>::new(born, &mut self.rng).uuid().as_bytes();
        let [high, low] = (self.made & 0x0fff).to_be_bytes();
        bytes[6] = 0x70 | high;
        bytes[7] = low;
        self.made = self.made.saturating_add(1);
        Id::from_uuid(uuid::Uuid::from_bytes(bytes))
    }

    /// This transaction's randomness.
    pub fn rng(&mut self) -> &mut impl Rng {
        &mut self.rng
    }

    /// Adds an event to the outbox. It is published once this commits, carrying
    /// the trace of this change.
    pub fn emit(&mut self, tenant: Tenant, message: Message) {
        let trace = self.cause.trace();
        self.emit_under(&trace, tenant, message);
    }

    /// As [`Tx::emit`], for one of several changes.
    pub fn emit_under(&mut self, trace: &Trace, tenant: Tenant, message: Message) {
        let envelope = Envelope {
            outbox: self.new_id(),
            organization: tenant.organization(),
            created_at: self.cause.at,
            traceparent: trace.parent.clone(),
            tracestate: trace.state.clone(),
            message,
        };
        self.envelopes.push(envelope);
    }

    /// Gives the connection back with nothing changed. Dropping does the same at
    /// the price of the connection: an open transaction is not put back in the pool.
    pub async fn roll_back(mut self) -> Result<(), DbError> {
        AnsiTransactionManager::rollback_transaction(&mut *self.conn).await?;
        Ok(())
    }

    /// Ends it by how the work in it went: committed if it was done, else rolled back.
    pub async fn end<T, E: From<DbError>>(self, worked: Result<T, E>) -> Result<T, E> {
        match &worked {
            Ok(_) => self.commit().await?,
            Err(_) => self.roll_back().await?,
        }
        worked
    }

    /// Commits the facts and their events, then hands the events over.
    pub async fn commit(self) -> Result<(), DbError> {
        let asked_for = !self.envelopes.is_empty();
        self.commit_all(asked_for).await
    }

    /// As [`Tx::commit`], by the same statements whether there are events or not: for
    /// requests whose time must not tell whether anything came of them.
    pub async fn commit_evenly(self) -> Result<(), DbError> {
        self.commit_all(true).await
    }

    /// Nothing reads the timeline, the decisions, the messages or the outbox in the transaction that
    /// adds to them, so they are written at its end: a statement each, sent together.
    async fn commit_all(mut self, with_events: bool) -> Result<(), DbError> {
        let (conn, cause): (&Conn, _) = (&self.conn, &self.cause);
        let events = async {
            if with_events {
                outbox::insert(conn, &self.envelopes).await?;
            }
            Ok(())
        };
        tokio::try_join!(
            timeline::insert(conn, cause, &self.entries),
            decisions::insert(conn, cause.at, &self.decisions),
            notifications::insert(conn, cause.at, &self.messages),
            events,
        )?;
        AnsiTransactionManager::commit_transaction(&mut *self.conn).await?;
        if !self.envelopes.is_empty() {
            self.after_commit.committed(self.envelopes);
        }
        Ok(())
    }
}
