//! The ways between the services and everything else, each over a proxy.

use std::net::SocketAddr;

use anyhow::Context as _;
use devstack::Stack;

use super::Servers;
use crate::proxy::Proxy;

/// A way that can have weather.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Link {
    /// Services to Postgres.
    Postgres,
    /// Services to Redis.
    Redis,
    /// Services to RabbitMQ.
    Amqp,
    /// Services to PSPs and message providers.
    Providers,
    /// Services to the mail server.
    Smtp,
    /// Everybody to the api.
    Front,
}

impl Link {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Postgres,
        Self::Redis,
        Self::Amqp,
        Self::Providers,
        Self::Smtp,
        Self::Front,
    ];

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Amqp => "amqp",
            Self::Providers => "providers",
            Self::Smtp => "smtp",
            Self::Front => "front",
        }
    }
}

/// Every proxy.
pub struct Links {
    postgres: Proxy,
    redis: Proxy,
    amqp: Proxy,
    providers: Proxy,
    smtp: Proxy,
    /// In front of the replicas of the api.
    pub front: Proxy,
}

fn here(port: u16) -> Vec<SocketAddr> {
    vec![SocketAddr::from(([127, 0, 0, 1], port))]
}

impl Links {
    /// Proxies to the servers; those to the sandbox and the api lead nowhere yet.
    pub async fn start(servers: &Servers) -> anyhow::Result<Self> {
        Ok(Self {
            postgres: Proxy::start(here(servers.services_postgres_port())).await?,
            redis: Proxy::start(here(servers.redis_port())).await?,
            amqp: Proxy::start(here(servers.amqp_port())).await?,
            providers: Proxy::start(Vec::new()).await?,
            smtp: Proxy::start(Vec::new()).await?,
            front: Proxy::start(Vec::new()).await?,
        })
    }

    /// Leads to the sandbox of `stack`.
    pub fn lead_to_sandbox(&self, stack: &Stack) -> anyhow::Result<()> {
        let address = |url: &str| -> anyhow::Result<Vec<SocketAddr>> {
            let (_, address) = url.split_once("://").context("an address")?;
            Ok(vec![address.parse()?])
        };
        self.providers.lead_to(address(stack.sandbox.url())?);
        self.smtp.lead_to(address(&stack.smtp_url)?);
        Ok(())
    }

    /// The proxy of a way.
    pub fn of(&self, link: Link) -> &Proxy {
        match link {
            Link::Postgres => &self.postgres,
            Link::Redis => &self.redis,
            Link::Amqp => &self.amqp,
            Link::Providers => &self.providers,
            Link::Smtp => &self.smtp,
            Link::Front => &self.front,
        }
    }

    /// Postgres, as the services reach it.
    pub fn postgres_url(&self) -> String {
        format!("postgres://tinko@{}/tinko", self.postgres.address())
    }

    /// Redis, as the services reach it.
    pub fn redis_url(&self) -> String {
        format!("redis://{}/0", self.redis.address())
    }

    /// RabbitMQ, as the services reach it.
    pub fn amqp_url(&self) -> String {
        format!("amqp://guest:guest@{}/%2f", self.amqp.address())
    }

    /// PSPs and message providers, as the services reach them.
    pub fn providers_url(&self) -> String {
        format!("http://{}", self.providers.address())
    }

    /// The mail server, as the services reach it.
    pub fn smtp_url(&self) -> String {
        format!("smtp://{}", self.smtp.address())
    }

    /// The api, as everybody reaches it.
    pub fn front_url(&self) -> String {
        format!("http://{}", self.front.address())
    }
}
