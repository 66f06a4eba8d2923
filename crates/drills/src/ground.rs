//! Everything that runs during a drill.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use devstack::servers::{Durability, RabbitMq, Redis, RedisOptions};
use devstack::stack::Server;
use devstack::{Binaries, Stack, StackOptions};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::load::Load;
use crate::partner::Partner;
use crate::prometheus::Prometheus;
use crate::shell::Shell;
use crate::wait::{Look, until};

/// The services, each with one replica.
pub const SERVICES: [&str; 3] = ["api", "retry-worker", "notifier"];
/// For one request, on a machine that others use too.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where things are that this does not make.
#[derive(Debug, Clone)]
pub struct Places {
    /// For data and logs.
    pub folder: PathBuf,
    /// Our programs.
    pub binaries: Binaries,
    /// The charts' rules, as files of JSON.
    pub rules: PathBuf,
    /// `docs/runbooks`.
    pub runbooks: PathBuf,
}

/// Everything that runs; [`Ground::stop`] stops it in order.
pub struct Ground {
    // Dropped in this order: what uses something goes before it.
    /// The payments that fail.
    pub load: Load,
    /// Prometheus, with the charts' rules.
    pub prometheus: Prometheus,
    /// The services, Postgres and the sandbox.
    pub stack: Stack,
    /// A partner's server.
    pub partner: Partner,
    redis: Option<Redis>,
    rabbitmq: Option<RabbitMq>,
    amqp_port: Option<u16>,
    redis_port: u16,
    places: Places,
    http: reqwest::Client,
}

impl Ground {
    /// Starts it all on empty data, and lets payments fail under `policy`. RabbitMQ, which takes
    /// seconds to start, is there only if `with_sink`.
    pub async fn start(places: Places, policy: Value, with_sink: bool) -> anyhow::Result<Self> {
        let folder = &places.folder;
        let _ = std::fs::remove_dir_all(folder.join("redis"));
        let redis = Redis::start(&folder.join("redis"), RedisOptions::default()).await?;
        let rabbitmq = if with_sink {
            Some(RabbitMq::start(&folder.join("rabbitmq"), None).await?)
        } else {
            None
        };
        let mut options = StackOptions::new(folder.join("stack"), places.binaries.clone());
        options.reset = true;
        // Nothing here kills the machine, and its disk is not what is tried.
        options.durability = Durability::Unsynced;
        options.redis = Server::Given(redis.url());
        options.sink = rabbitmq.as_ref().map(|server| Server::Given(server.url()));
        options.policy = policy;
        let stack = Stack::start(options).await.context("the stack")?;
        let prometheus = Prometheus::start(&folder.join("prometheus"), &places.rules).await?;
        let ground = Self {
            load: Load::begin(&stack),
            prometheus,
            stack,
            partner: Partner::start()?,
            redis_port: redis.port(),
            amqp_port: rabbitmq.as_ref().map(RabbitMq::port),
            redis: Some(redis),
            rabbitmq,
            places,
            http: reqwest::Client::builder().timeout(PATIENCE).build()?,
        };
        ground.scrape()?;
        Ok(ground)
    }

    /// Where the runbooks are.
    pub fn runbooks(&self) -> &Path {
        &self.places.runbooks
    }

    /// A shell where the settings of a service are.
    pub fn shell(&self) -> Shell {
        let programs = std::env::current_exe().unwrap_or_default();
        let programs = programs.parent().map(Path::to_owned).unwrap_or_default();
        let (database, redis) = (&self.stack.postgres_url, &self.stack.redis_url);
        Shell::new(database.clone(), redis.clone(), programs)
    }

    /// Has Prometheus scrape the services where they listen now.
    fn scrape(&self) -> anyhow::Result<()> {
        let services = self.stack.processes().iter().filter_map(|process| {
            let admin = process.ready().admin()?;
            SERVICES
                .contains(&process.name())
                .then(|| (process.name(), admin))
        });
        self.prometheus.scrape(services)
    }

    /// A service's admin address.
    pub fn admin(&mut self, service: &str) -> anyhow::Result<String> {
        let admin = self.stack.process(service)?.ready().admin();
        Ok(admin.context("an admin address")?.to_string())
    }

    /// Starts a service again, as an orchestrator does.
    pub async fn start_again(&mut self, service: &str) -> anyhow::Result<()> {
        self.stack.restart(service).await?;
        self.scrape()
    }

    /// Kills Redis: what it held is gone.
    pub async fn kill_redis(&mut self) {
        if let Some(mut redis) = self.redis.take() {
            redis.child().kill9().await;
        }
    }

    /// Starts Redis where it was, empty.
    pub async fn start_redis(&mut self) -> anyhow::Result<()> {
        let options = RedisOptions {
            append_only: false,
            port: Some(self.redis_port),
        };
        let started = Redis::start(&self.places.folder.join("redis"), options).await;
        self.redis = Some(started?);
        Ok(())
    }

    /// Kills RabbitMQ.
    pub async fn kill_rabbitmq(&mut self) {
        if let Some(mut rabbitmq) = self.rabbitmq.take() {
            rabbitmq.child().kill9().await;
        }
    }

    /// Starts RabbitMQ where it was.
    pub async fn start_rabbitmq(&mut self) -> anyhow::Result<()> {
        let started = RabbitMq::start(&self.places.folder.join("rabbitmq"), self.amqp_port).await;
        self.rabbitmq = Some(started?);
        Ok(())
    }

    /// A connection to Redis.
    pub async fn redis(&self) -> anyhow::Result<redis::aio::MultiplexedConnection> {
        let client = redis::Client::open(self.stack.redis_url.as_str())?;
        let config = redis::AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));
        Ok(client
            .get_multiplexed_async_connection_with_config(&config)
            .await?)
    }

    /// A connection to Postgres.
    pub async fn postgres(&self) -> anyhow::Result<tokio_postgres::Client> {
        let url = &self.stack.postgres_url;
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// `POST` to the api, as the merchant.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.http.post(format!("{}{path}", self.stack.api_url));
        let request = request.bearer_auth(self.stack.api_key().expose_secret());
        let answer = request.json(body).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("{path} is answered with {status}: {text}");
        }
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// Waits until every service says that it is ready, and that nothing is degraded.
    pub async fn until_ready(&self, patience: Duration) -> anyhow::Result<()> {
        for process in self.stack.processes() {
            let Some(admin) = process.ready().admin() else {
                continue;
            };
            until(patience, async || {
                let answer = self.http.get(format!("http://{admin}/readyz")).send().await;
                let text = match answer {
                    Ok(answer) => answer.text().await.unwrap_or_default(),
                    Err(error) => error.to_string(),
                };
                let body: Value = serde_json::from_str(&text).unwrap_or_default();
                let is_ready = body["status"] == "ok";
                Ok(Look::of(is_ready.then_some(()), || {
                    format!("{} is not ready: {text}", process.name())
                }))
            })
            .await?;
        }
        Ok(())
    }

    /// Stops everything.
    pub async fn stop(mut self) {
        drop(self.load);
        self.partner.stop().await;
        self.stack.stop().await;
        if let Some(redis) = self.redis.take() {
            redis.stop().await;
        }
        if let Some(rabbitmq) = self.rabbitmq.take() {
            rabbitmq.stop().await;
        }
    }
}
