//! How a stack is to run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::seed::demo_policy;
use crate::Binaries;
use crate::os::Follow;
use crate::servers::Durability;

/// A server of the stack's own, or one that is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Server {
    /// Started and stopped with the stack.
    #[default]
    Private,
    /// Left running, and used at this URL.
    Given(String),
}

impl Server {
    pub(super) fn given(&self) -> Option<&str> {
        match self {
            Self::Private => None,
            Self::Given(url) => Some(url),
        }
    }
}

/// How many of each service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replicas {
    /// Each further one listens on a free port of its own.
    pub api: usize,
    /// Retry-workers.
    pub retry_worker: usize,
    /// Notifiers.
    pub notifier: usize,
}

impl Default for Replicas {
    fn default() -> Self {
        Self {
            api: 1,
            retry_worker: 1,
            notifier: 1,
        }
    }
}

/// How a stack is to run.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// Holds all data, logs, ports and keys. One running stack at a time.
    pub folder: PathBuf,
    /// Our programs.
    pub binaries: Binaries,
    /// Postgres itself, since it is migrated: services that are to reach it through something else
    /// are told so by a `DATABASE_URL` of their own ([`StackOptions::with_env`]).
    pub postgres: Server,
    /// Redis.
    pub redis: Server,
    /// Of a private Postgres.
    pub durability: Durability,
    /// Where events go besides: to no RabbitMQ, a private one, or a given one.
    pub sink: Option<Server>,
    /// Whether what the folder holds is removed first.
    pub reset: bool,
    /// Where spans are sent, if anywhere.
    pub otlp_endpoint: Option<String>,
    /// `LOG_LEVEL` of every service.
    pub log_level: String,
    /// How many of each service.
    pub replicas: Replicas,
    /// Where payers, merchants and PSPs reach the api, if not at its first replica: the address of
    /// what stands before all of them.
    pub public_url: Option<String>,
    /// Settings by service (`api`, `retry-worker`, `notifier`, `sandbox`, or `*` for all but the
    /// sandbox); they win over those that the stack makes.
    pub env: BTreeMap<String, Vec<(String, String)>>,
    /// The demo organization's retry policy, as the api takes it.
    pub policy: Value,
    /// Gets the lines of the process of that name.
    pub follow: Option<fn(&str) -> Follow>,
}

impl StackOptions {
    /// Private, durable, one of each, quiet.
    pub fn new(folder: impl Into<PathBuf>, binaries: Binaries) -> Self {
        Self {
            folder: folder.into(),
            binaries,
            postgres: Server::Private,
            redis: Server::Private,
            durability: Durability::Full,
            sink: None,
            reset: false,
            otlp_endpoint: None,
            log_level: "info".to_owned(),
            replicas: Replicas::default(),
            public_url: None,
            env: BTreeMap::new(),
            policy: demo_policy(),
            follow: None,
        }
    }

    /// Adds a setting for one service, or for all but the sandbox by `*`. `{name}` in its value is
    /// the name of each replica, such as `api-2`.
    #[must_use]
    pub fn with_env(mut self, service: &str, name: &str, value: impl Into<String>) -> Self {
        let settings = self.env.entry(service.to_owned()).or_default();
        settings.push((name.to_owned(), value.into()));
        self
    }
}
