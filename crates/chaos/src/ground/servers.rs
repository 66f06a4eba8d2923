//! Postgres, Redis and RabbitMQ, and a PgBouncer if it is wanted, each of which can be killed and
//! started again where it was.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use devstack::servers::{
    Durability, PgBouncer, PgBouncerOptions, Postgres, PostgresOptions, RabbitMq, Redis,
    RedisOptions, free_port,
};
use tokio::sync::Mutex;

/// The database of the services.
const DATABASE: &str = "tinko";
/// PgBouncer's connections to Postgres: fewer than the services want together, so that they wait
/// for each other's transactions.
const POOL: u32 = 20;

/// The servers; an empty place is one that is down.
pub struct Servers {
    folder: PathBuf,
    ports: Ports,
    postgres: Mutex<Option<Postgres>>,
    pgbouncer: Mutex<Option<PgBouncer>>,
    redis: Mutex<Option<Redis>>,
    rabbitmq: Mutex<Option<RabbitMq>>,
}

#[derive(Clone, Copy)]
struct Ports {
    postgres: u16,
    /// Where the services reach Postgres through a PgBouncer.
    pgbouncer: Option<u16>,
    redis: u16,
    amqp: u16,
}

impl Servers {
    /// Starts all of them; what Postgres committed survives its death.
    pub async fn start(folder: &Path, through_pgbouncer: bool) -> anyhow::Result<Self> {
        let ports = Ports {
            postgres: free_port(),
            pgbouncer: through_pgbouncer.then(free_port),
            redis: free_port(),
            amqp: free_port(),
        };
        let servers = Self {
            folder: folder.to_owned(),
            ports,
            postgres: Mutex::default(),
            pgbouncer: Mutex::default(),
            redis: Mutex::default(),
            rabbitmq: Mutex::default(),
        };
        tokio::try_join!(
            servers.start_postgres(),
            servers.start_pgbouncer(),
            servers.start_redis(),
            servers.start_rabbitmq()
        )?;
        if let Some(postgres) = servers.postgres.lock().await.as_ref() {
            postgres.ensure_database(DATABASE).await?;
        }
        Ok(servers)
    }

    /// The port by which the services reach Postgres: PgBouncer's if there is one.
    pub fn services_postgres_port(&self) -> u16 {
        self.ports.pgbouncer.unwrap_or(self.ports.postgres)
    }

    /// Postgres itself.
    pub fn postgres_url(&self) -> String {
        format!(
            "postgres://tinko@127.0.0.1:{}/{DATABASE}",
            self.ports.postgres
        )
    }

    /// The port that Redis listens on.
    pub fn redis_port(&self) -> u16 {
        self.ports.redis
    }

    /// The port that RabbitMQ listens on.
    pub fn amqp_port(&self) -> u16 {
        self.ports.amqp
    }

    /// Kills Postgres as `kill -9` does, with all its backends.
    pub async fn kill_postgres(&self) {
        if let Some(mut postgres) = self.postgres.lock().await.take() {
            postgres.child().kill9().await;
        }
    }

    /// Starts Postgres on its data, from which it recovers.
    pub async fn start_postgres(&self) -> anyhow::Result<()> {
        let mut place = self.postgres.lock().await;
        if place.is_none() {
            let options = PostgresOptions {
                // Nothing here kills the machine, and its disk is not what is tried.
                durability: Durability::Unsynced,
                port: Some(self.ports.postgres),
                ..PostgresOptions::default()
            };
            let started = Postgres::start(&self.folder.join("postgres"), options).await;
            *place = Some(started.context("Postgres")?);
        }
        Ok(())
    }

    /// Kills PgBouncer, with all connections that it holds.
    pub async fn kill_pgbouncer(&self) {
        if let Some(mut pgbouncer) = self.pgbouncer.lock().await.take() {
            pgbouncer.child().kill9().await;
        }
    }

    /// Starts PgBouncer, where one is wanted.
    pub async fn start_pgbouncer(&self) -> anyhow::Result<()> {
        let mut place = self.pgbouncer.lock().await;
        if place.is_none()
            && let Some(port) = self.ports.pgbouncer
        {
            let options = PgBouncerOptions {
                pool_size: POOL,
                port: Some(port),
                ..PgBouncerOptions::default()
            };
            let folder = self.folder.join("pgbouncer");
            let started = PgBouncer::start(&folder, &self.postgres_url(), options).await;
            *place = Some(started.context("PgBouncer")?);
        }
        Ok(())
    }

    /// Kills Redis: what it held is gone.
    pub async fn kill_redis(&self) {
        if let Some(mut redis) = self.redis.lock().await.take() {
            redis.child().kill9().await;
        }
    }

    /// Starts Redis, empty.
    pub async fn start_redis(&self) -> anyhow::Result<()> {
        let mut place = self.redis.lock().await;
        if place.is_none() {
            let options = RedisOptions {
                append_only: false,
                port: Some(self.ports.redis),
            };
            let started = Redis::start(&self.folder.join("redis"), options).await;
            *place = Some(started.context("Redis")?);
        }
        Ok(())
    }

    /// Sends Redis one command, such as `["FLUSHALL"]`.
    pub async fn tell_redis(&self, words: &[&str]) -> anyhow::Result<()> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}/0", self.ports.redis))?;
        let mut conn = client.get_multiplexed_async_connection().await?;
        let mut command = redis::cmd(words.first().copied().unwrap_or("PING"));
        for word in words.iter().skip(1) {
            command.arg(*word);
        }
        let _: redis::Value = command.query_async(&mut conn).await?;
        Ok(())
    }

    /// Entries that lie in the streams, read or unread; those that were given up are not counted.
    pub async fn stream_entries(&self) -> anyhow::Result<i64> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}/0", self.ports.redis))?;
        let mut conn = client.get_multiplexed_async_connection().await?;
        let keys: Vec<String> = redis::cmd("KEYS")
            .arg("tinko:*")
            .query_async(&mut conn)
            .await?;
        let mut entries = 0;
        for key in keys.iter().filter(|key| !key.ends_with(":dead")) {
            let kind: String = redis::cmd("TYPE").arg(key).query_async(&mut conn).await?;
            if kind == "stream" {
                let length: i64 = redis::cmd("XLEN").arg(key).query_async(&mut conn).await?;
                entries += length;
            }
        }
        Ok(entries)
    }

    /// Kills RabbitMQ; its durable queues keep what was confirmed.
    pub async fn kill_rabbitmq(&self) {
        if let Some(mut rabbitmq) = self.rabbitmq.lock().await.take() {
            rabbitmq.child().kill9().await;
        }
    }

    /// Starts RabbitMQ on its data.
    pub async fn start_rabbitmq(&self) -> anyhow::Result<()> {
        let mut place = self.rabbitmq.lock().await;
        if place.is_none() {
            let folder = self.folder.join("rabbitmq");
            let started = RabbitMq::start(&folder, Some(self.ports.amqp)).await;
            *place = Some(started.context("RabbitMQ")?);
        }
        Ok(())
    }

    /// RabbitMQ itself, beside the proxy.
    pub fn amqp_url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.ports.amqp)
    }

    /// A connection of the oracle's to the services' database.
    pub async fn connect(&self) -> anyhow::Result<tokio_postgres::Client> {
        let url = self.postgres_url();
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Stops all of them in order.
    pub async fn stop(self) {
        if let Some(rabbitmq) = self.rabbitmq.into_inner() {
            rabbitmq.stop().await;
        }
        if let Some(redis) = self.redis.into_inner() {
            redis.stop().await;
        }
        if let Some(pgbouncer) = self.pgbouncer.into_inner() {
            pgbouncer.stop().await;
        }
        if let Some(postgres) = self.postgres.into_inner() {
            postgres.stop().await;
        }
    }
}
