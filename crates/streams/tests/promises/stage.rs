//! What the tests play on: streams, a handler that does as it is told, and consumers.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::DateTime;
use contracts::{Envelope, Message, Stream};
use domain::Id;
use domain::id::OutboxId;
use futures_util::future::BoxFuture;
use streams::{ConsumerConfig, Delivery, Failure, Handler, Streams, StreamsConfig, consume};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::redis_server::RedisServer;

pub(crate) const GROUP: &str = "workers";
/// Long enough for a machine that is busy with much else.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Streams under a prefix of their own.
pub(crate) struct Stage {
    pub(crate) streams: Streams,
    pub(crate) server: RedisServer,
    pub(crate) redis: redis::Client,
    prefix: String,
    _name: TempDir,
}

impl Stage {
    /// On a server that others may use too.
    pub(crate) async fn new() -> Self {
        Self::sharded(1).await
    }

    pub(crate) async fn sharded(shards: u16) -> Self {
        match std::env::var("TINKO_TEST_REDIS_URL") {
            Ok(url) => Self::on(RedisServer::stopped(), &url, shards).await,
            Err(_) => Self::private(shards).await,
        }
    }

    /// On a server that may be flushed, killed and started again.
    pub(crate) async fn with_own_server() -> Self {
        Self::private(1).await
    }

    /// On a server that is not running yet.
    pub(crate) async fn without_server() -> Self {
        let server = RedisServer::stopped();
        let url = server.url();
        Self::on(server, &url, 1).await
    }

    async fn private(shards: u16) -> Self {
        let mut server = RedisServer::stopped();
        server.start().await;
        let url = server.url();
        Self::on(server, &url, shards).await
    }

    async fn on(server: RedisServer, url: &str, shards: u16) -> Self {
        // A fresh folder's name is a name that nobody else has.
        let name = tempfile::tempdir().unwrap();
        let unique = name.path().file_name().unwrap().to_str().unwrap();
        let prefix = format!("tinko-test{unique}");
        let mut config = StreamsConfig::new(url.to_owned().into());
        config.prefix.clone_from(&prefix);
        config.shards = NonZeroU16::new(shards).unwrap();
        Self {
            streams: Streams::connect(config).await.unwrap(),
            server,
            redis: redis::Client::open(url).unwrap(),
            prefix,
            _name: name,
        }
    }

    pub(crate) fn key(&self, stream: Stream) -> String {
        format!("{}:{stream}", self.prefix)
    }

    /// Runs a command of the test's own.
    pub(crate) async fn redis<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> T {
        let mut connection = self.redis.get_multiplexed_async_connection().await.unwrap();
        command.query_async(&mut connection).await.unwrap()
    }

    /// The names in the group.
    pub(crate) async fn consumers(
        &self,
        stream: Stream,
    ) -> Vec<redis::streams::StreamInfoConsumer> {
        let mut command = redis::cmd("XINFO");
        command.arg("CONSUMERS").arg(self.key(stream)).arg(GROUP);
        let reply: redis::streams::StreamInfoConsumersReply = self.redis(&command).await;
        reply.consumers
    }

    /// Waits until nothing is unread or pending.
    pub(crate) async fn emptied(&self, stream: Stream) {
        eventually("the stream is empty", SOON, async || {
            let position = self.streams.position(stream, GROUP).await.unwrap();
            position.exists && position.lag == 0 && position.pending == 0
        })
        .await;
    }

    pub(crate) fn consumer(&self, handler: &Arc<Played>, config: ConsumerConfig) -> Consumer {
        self.consumer_of(Stream::Failures, handler, config)
    }

    pub(crate) fn consumer_of(
        &self,
        stream: Stream,
        handler: &Arc<Played>,
        config: ConsumerConfig,
    ) -> Consumer {
        let shutdown = CancellationToken::new();
        let running = consume(
            self.streams.clone(),
            stream,
            config,
            Arc::clone(handler),
            shutdown.clone(),
        );
        Consumer {
            shutdown,
            task: Some(tokio::spawn(running)),
        }
    }
}

/// A running consumer; dropped, it is killed.
pub(crate) struct Consumer {
    shutdown: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Consumer {
    pub(crate) fn ask_to_stop(&self) {
        self.shutdown.cancel();
    }

    /// Asks it to stop and waits until it has.
    pub(crate) async fn stop(mut self) {
        self.ask_to_stop();
        let task = self.task.take().unwrap();
        within("the consumer stops", task).await.unwrap();
    }

    /// Ends it as `kill -9` would.
    pub(crate) async fn kill(mut self) {
        let task = self.task.take().unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    }

    pub(crate) fn runs(&self) -> bool {
        self.task.as_ref().is_some_and(|task| !task.is_finished())
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// What a handler was called with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Called {
    Handle { outbox: OutboxId, deliveries: u64 },
    Dead { outbox: OutboxId, reason: String },
}

type Act = dyn Fn(Delivery) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync;
type RecordDeath = dyn Fn() -> Result<(), String> + Send + Sync;

/// A handler that reports its calls and then does as it was told.
pub(crate) struct Played {
    called: mpsc::UnboundedSender<Called>,
    act: Box<Act>,
    record_death: Box<RecordDeath>,
    /// It is ready while this has a permit.
    gate: Option<Arc<tokio::sync::Semaphore>>,
}

/// Hears of a handler's calls.
pub(crate) struct Calls(mpsc::UnboundedReceiver<Called>);

impl Played {
    pub(crate) fn new<F>(act: impl Fn(Delivery) -> F + Send + Sync + 'static) -> (Arc<Self>, Calls)
    where
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        Self::with_deaths(act, || Ok(()))
    }

    pub(crate) fn with_deaths<F>(
        act: impl Fn(Delivery) -> F + Send + Sync + 'static,
        record_death: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) -> (Arc<Self>, Calls)
    where
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let (called, calls) = mpsc::unbounded_channel();
        let played = Self {
            called,
            act: Box::new(move |delivery| Box::pin(act(delivery))),
            gate: None,
            record_death: Box::new(record_death),
        };
        (Arc::new(played), Calls(calls))
    }

    /// One that succeeds at once.
    pub(crate) fn succeeding() -> (Arc<Self>, Calls) {
        Self::new(async |_| Ok(()))
    }

    /// One that succeeds at once, and is ready while `gate` has a permit.
    pub(crate) fn behind(gate: Arc<tokio::sync::Semaphore>) -> (Arc<Self>, Calls) {
        let (played, calls) = Self::succeeding();
        let mut played = Arc::into_inner(played).unwrap();
        played.gate = Some(gate);
        (Arc::new(played), calls)
    }

    /// One that never comes to an end.
    pub(crate) fn stuck() -> (Arc<Self>, Calls) {
        Self::new(async |_| std::future::pending().await)
    }
}

impl Handler for Played {
    async fn handle(&self, delivery: &Delivery) -> Result<(), Failure> {
        let called = Called::Handle {
            outbox: delivery.envelope.outbox,
            deliveries: delivery.deliveries,
        };
        let _ = self.called.send(called);
        (self.act)(delivery.clone()).await
    }

    async fn ready(&self) {
        if let Some(gate) = &self.gate {
            let _passed = gate.acquire().await;
        }
    }

    async fn dead(&self, delivery: &Delivery, reason: &str) -> Result<(), String> {
        let called = Called::Dead {
            outbox: delivery.envelope.outbox,
            reason: reason.to_owned(),
        };
        let _ = self.called.send(called);
        (self.record_death)()
    }
}

impl Calls {
    pub(crate) async fn next(&mut self) -> Called {
        within("the handler is called", self.0.recv())
            .await
            .unwrap()
    }

    pub(crate) async fn next_handled(&mut self) -> (OutboxId, u64) {
        match self.next().await {
            Called::Handle { outbox, deliveries } => (outbox, deliveries),
            dead @ Called::Dead { .. } => panic!("expected a handling, got {dead:?}"),
        }
    }

    /// The next `count` handlings, sorted by outbox row.
    pub(crate) async fn handled(&mut self, count: usize) -> Vec<(OutboxId, u64)> {
        let mut handled = Vec::with_capacity(count);
        for _ in 0..count {
            handled.push(self.next_handled().await);
        }
        handled.sort();
        handled
    }

    pub(crate) async fn next_death(&mut self) -> (OutboxId, String) {
        match self.next().await {
            Called::Dead { outbox, reason } => (outbox, reason),
            handled @ Called::Handle { .. } => panic!("expected a death, got {handled:?}"),
        }
    }

    /// How many calls there were that nobody asked for yet.
    pub(crate) fn waiting(&self) -> usize {
        self.0.len()
    }
}

/// A configuration whose take-over never comes into a test that is not about it.
pub(crate) fn calm(consumer: &str) -> ConsumerConfig {
    let mut config = ConsumerConfig::new(GROUP, consumer);
    config.take_over_after = Duration::from_mins(10);
    config.block = Duration::from_millis(500);
    config.retry_after = Duration::from_millis(40);
    config
}

/// A configuration that takes over within about a second.
pub(crate) fn hasty(consumer: &str) -> ConsumerConfig {
    ConsumerConfig {
        take_over_after: Duration::from_secs(1),
        ..calm(consumer)
    }
}

/// Ids that differ, in their order. No clock and no dice: a failing test fails again.
pub(crate) fn uuid() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u64_pair(0x0192_0000_0000_7000, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// As [`uuid`], in no order: its low bits are spread like those of a real id.
pub(crate) fn scattered_uuid() -> Uuid {
    // The finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
    let (_, count) = uuid().as_u64_pair();
    let mut bits = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    Uuid::from_u64_pair(0x0192_0000_0000_7000, bits ^ (bits >> 31))
}

/// A failure to publish.
pub(crate) fn failure() -> Envelope {
    Envelope {
        outbox: Id::from_uuid(uuid()),
        organization: Id::from_uuid(uuid()),
        created_at: DateTime::from_timestamp_millis(1_750_000_000_123).unwrap(),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        tracestate: None,
        message: Message::FailureRecorded {
            recovery: Id::from_uuid(scattered_uuid()),
            failure: Id::from_uuid(uuid()),
        },
    }
}

pub(crate) fn failures(count: usize) -> Vec<Envelope> {
    (0..count).map(|_| failure()).collect()
}

/// What is expected of envelopes that are each delivered once.
pub(crate) fn once(envelopes: &[Envelope]) -> Vec<(OutboxId, u64)> {
    envelopes.iter().map(|it| (it.outbox, 1)).collect()
}

pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, future)
        .await
        .unwrap_or_else(|_| panic!("waited in vain until {what}"))
}

/// Looks until it is so.
pub(crate) async fn eventually(what: &str, limit: Duration, so: impl AsyncFn() -> bool) {
    let looking = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(limit, looking)
        .await
        .unwrap_or_else(|_| panic!("waited in vain until {what}"));
}
