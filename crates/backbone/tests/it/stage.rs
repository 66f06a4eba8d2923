//! A database, a Redis and a clock of one test's own, and a service that stands on them.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use backbone::sweep::Sweeper;
use backbone::{Backbone, BackboneError, BackboneSettings, RelayTask};
use chrono::TimeDelta;
use contracts::{Message, Stream};
use db::Tenant;
use domain::id::Recovery;
use redis::streams::StreamRangeReply;
use runtime::clock::{FixedClock, SharedClock, SystemClock};
use secrecy::SecretString;
use testkit::{TestDatabase, TestRedis};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Messages of an organization and channel that lie in Redis.
pub(crate) const AHEAD: NonZeroU16 = NonZeroU16::new(8).unwrap();

/// What every key begins with.
const PREFIX: &str = "tinko-test";

pub(crate) struct Stage {
    pub(crate) database: TestDatabase,
    pub(crate) redis: TestRedis,
    pub(crate) clock: Arc<FixedClock>,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let (database, redis) = tokio::join!(TestDatabase::create(), TestRedis::create());
        Self {
            database,
            redis,
            clock: Arc::new(FixedClock::at(SystemClock::shared().now())),
        }
    }

    /// A service over this stage's Redis.
    pub(crate) async fn service(&self) -> Service {
        self.service_over(self.redis.url()).await
    }

    /// A service over a Redis that may be away.
    pub(crate) async fn service_over(&self, redis_url: &str) -> Service {
        let settings = Self::settings(self.database.url(), redis_url);
        self.connected(&settings).await.unwrap()
    }

    /// A service over a Postgres that is reached at `database_url`.
    pub(crate) async fn service_at(&self, database_url: &SecretString) -> Service {
        self.connect(database_url).await.unwrap()
    }

    /// [`Stage::service_at`], or why there is none.
    pub(crate) async fn connect(
        &self,
        database_url: &SecretString,
    ) -> Result<Service, BackboneError> {
        let settings = Self::settings(database_url, self.redis.url());
        self.connected(&settings).await
    }

    pub(crate) fn settings(database_url: &SecretString, redis_url: &str) -> BackboneSettings {
        BackboneSettings {
            database_url: database_url.clone(),
            database_max_connections: 4,
            database_acquire_timeout_ms: 5_000,
            redis_url: SecretString::from(redis_url),
            redis_ca_file: None,
            stream_prefix: PREFIX.to_owned(),
            stream_shards: NonZeroU16::MIN,
            messages_ahead: AHEAD,
        }
    }

    pub(crate) async fn connected(
        &self,
        settings: &BackboneSettings,
    ) -> Result<Service, BackboneError> {
        let clock: SharedClock = self.clock.clone();
        let (backbone, relay) = Backbone::connect("test", settings, clock).await?;
        Ok(Service { backbone, relay })
    }

    /// Lets time pass for our side. Redis keeps the machine's time.
    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }

    pub(crate) async fn count(&self, where_: &str) -> i64 {
        let client = self.database.connect().await;
        let sql = format!("SELECT count(*) FROM outbox WHERE {where_}");
        client.query_one(&sql, &[]).await.unwrap().get(0)
    }

    pub(crate) async fn all_published(&self) {
        testkit::eventually(PATIENCE, async || {
            self.count("published_at IS NULL").await == 0
        })
        .await;
    }

    /// The outbox ids of what lies in a stream.
    pub(crate) async fn entries(&self, stream: Stream) -> Vec<String> {
        entries(self.redis.url(), stream).await
    }
}

pub(crate) async fn entries(redis_url: &str, stream: Stream) -> Vec<String> {
    let client = redis::Client::open(redis_url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let found: StreamRangeReply = redis::cmd("XRANGE")
        .arg(format!("{PREFIX}:{stream}"))
        .arg("-")
        .arg("+")
        .query_async(&mut connection)
        .await
        .unwrap();
    found
        .ids
        .iter()
        .map(|entry| entry.get("id").expect("an entry names its outbox row"))
        .collect()
}

pub(crate) struct Service {
    pub(crate) backbone: Backbone,
    relay: RelayTask,
}

impl Service {
    pub(crate) fn sweeper(&self) -> Sweeper {
        Sweeper::new(&self.backbone)
    }

    /// Commits `count` events of one recovery.
    pub(crate) async fn commit_events(&self, count: usize) {
        let mut tx = self.backbone.db.begin(self.backbone.cause()).await.unwrap();
        let (tenant, _) = db::organizations::ensure(&mut tx, "Shop", "shop")
            .await
            .unwrap();
        for _ in 0..count {
            let message = event(&mut tx);
            tx.emit(tenant, message);
        }
        tx.commit().await.unwrap();
    }

    /// Ends the service; what the relay still holds it publishes, or leaves.
    pub(crate) async fn end(self) {
        let Self { backbone, relay } = self;
        drop(backbone);
        relay.drained(PATIENCE).await;
    }
}

fn event(tx: &mut db::Tx) -> Message {
    let recovery = tx.new_id::<Recovery>();
    Message::RecoveryEvent {
        event_id: recovery.uuid(),
        kind: "recovery.opened".to_owned(),
        recovery,
        data: "{}".to_owned(),
        occurred_at: tx.now(),
    }
}

/// Rows of a process that died between its commit and its publishing.
pub(crate) async fn leave_events(stage: &Stage, count: usize) -> Tenant {
    let config = db::DbConfig {
        url: stage.database.url().clone(),
        max_connections: 1,
        acquire_timeout: PATIENCE,
    };
    let db = db::Db::new(&config, Arc::new(db::LeaveToSweeper));
    let cause = db::Cause {
        at: runtime::clock::Clock::now(&*stage.clock),
        actor: "test".to_owned(),
        traceparent: None,
        tracestate: None,
    };
    let mut tx = db.begin(cause).await.unwrap();
    let (tenant, _) = db::organizations::ensure(&mut tx, "Shop", "shop")
        .await
        .unwrap();
    for _ in 0..count {
        let message = event(&mut tx);
        tx.emit(tenant, message);
    }
    tx.commit().await.unwrap();
    tenant
}
