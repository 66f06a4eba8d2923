//! The ground: private servers, the sandbox, two of each service, and a proxy on every way
//! between them.
//!
//! ```text
//! load, payers, PSPs ──> front ──> api, api-2
//! services ──> links: postgres, redis, amqp, providers, smtp ──> the servers and the sandbox
//! ```
//!
//! The oracle, the fault driver and migrations use the servers themselves, beside the proxies. A
//! PgBouncer, if one is wanted, stands between the way to Postgres and Postgres.

mod clocks;
mod links;
mod organizations;
mod servers;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use devstack::process::Process;
use devstack::stack::{Replicas, Sandbox, Server};
use devstack::{Binaries, Stack, StackOptions};
use tokio::sync::Mutex;
use tokio::time::sleep;

pub use clocks::Clocks;
pub use links::{Link, Links};
pub use organizations::Organization;
pub use servers::Servers;

use crate::partner::Partner;

/// Each service, and the replicas that it has.
pub const REPLICAS: [&str; 6] = [
    "api",
    "api-2",
    "retry-worker",
    "retry-worker-2",
    "notifier",
    "notifier-2",
];

/// Settings in which what a dead process held is taken over within seconds; each lease stays
/// longer than the longest call that it covers.
const HASTY: [(&str, &str, &str); 10] = [
    ("retry-worker", "TINKO__PSP_TIMEOUT_MS", "4000"),
    ("retry-worker", "TINKO__LEASE_MS", "15000"),
    ("retry-worker", "TINKO__TAKE_OVER_AFTER_MS", "5000"),
    ("retry-worker", "TINKO__POLL_MS", "500"),
    ("notifier", "TINKO__HAND_OVER_TIMEOUT_MS", "4000"),
    ("notifier", "TINKO__HAND_OVER_LEASE_MS", "8000"),
    ("notifier", "TINKO__TAKE_OVER_AFTER_MS", "5000"),
    ("notifier", "TINKO__PARTNER_TIMEOUT_MS", "3000"),
    ("api", "TINKO__REQUEST_TIMEOUT_MS", "15000"),
    ("api", "TINKO__RECON_WAIT_MS", "5000"),
];

/// How often a command of the api is tried.
const COMMAND_TRIES: u32 = 4;
/// Between two tries.
const COMMAND_PAUSE: Duration = Duration::from_secs(2);

/// Why clocks cannot be set.
const NO_CLOCKS: &str = "libfaketime is not there: see to it by scripts/install-packages faketime, or name --faults \
                         without clock";

/// How the ground is to be.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Whether the services reach Postgres through a PgBouncer in transaction mode.
    pub through_pgbouncer: bool,
    /// Whether the services' clocks can be set.
    pub settable_clocks: bool,
    /// Whether every recovery is to end within half a minute.
    pub is_brisk: bool,
    /// For the environment of every service.
    pub env: Vec<(String, String)>,
}

/// Everything that runs.
pub struct Ground {
    /// The processes of the services by name, each in one pair of hands at a time.
    pub services: BTreeMap<&'static str, Mutex<Process>>,
    /// Postgres, Redis, RabbitMQ, and PgBouncer.
    pub servers: Servers,
    /// The ways between them.
    pub links: Links,
    /// The clocks of the services, where they can be set.
    pub clocks: Option<Clocks>,
    /// Where the replicas of the api listen.
    apis: BTreeMap<&'static str, SocketAddr>,
    /// The sandbox, beside the proxies.
    pub sandbox: Sandbox,
    /// Where the api is reached: the front.
    pub api_url: String,
    /// Whose payments fail.
    pub organizations: Vec<Organization>,
    /// Takes their partner webhooks.
    pub partner: Partner,
    // Keeps the sandbox, and the folder's lock.
    stack: Stack,
}

impl Ground {
    /// Starts all of it in `folder`.
    pub async fn start(
        folder: &Path,
        binaries: Binaries,
        wish: &Wish,
    ) -> anyhow::Result<Arc<Self>> {
        let servers = Servers::start(folder, wish.through_pgbouncer).await?;
        let links = Links::start(&servers).await?;
        let mut options = options(folder, binaries, &links);
        options.postgres = Server::Given(servers.postgres_url());
        for (name, value) in &wish.env {
            options = options.with_env("*", name, value);
        }
        let clocks = if wish.settable_clocks {
            Some(Clocks::find(folder).context(NO_CLOCKS)?)
        } else {
            None
        };
        for (name, value) in clocks.iter().flat_map(Clocks::env) {
            options = options.with_env("*", name, value);
        }
        let mut stack = Stack::start(options).await.context("the stack")?;
        links.lead_to_sandbox(&stack)?;
        let mut services = BTreeMap::new();
        for name in REPLICAS {
            services.insert(name, Mutex::new(stack.take(name)?));
        }
        let mut apis = BTreeMap::new();
        for name in ["api", "api-2"] {
            let api = services[name].lock().await;
            let address = api.ready().address("http");
            apis.insert(name, address.context("an address of the api")?);
        }
        links.front.lead_to(apis.values().copied().collect());
        let partner = Partner::start()?;
        let organizations = organizations::make(&stack, &partner, wish.is_brisk).await?;
        Ok(Arc::new(Self {
            services,
            servers,
            links,
            clocks,
            apis,
            sandbox: stack.sandbox.clone(),
            api_url: stack.api_url.clone(),
            organizations,
            partner,
            stack,
        }))
    }

    /// Leads new connections of the front to every replica of the api, or to all but one.
    pub fn lead_to_all_but(&self, replica: Option<&str>) {
        let others = self.apis.iter().filter(|(name, _)| replica != Some(**name));
        let others = others.map(|(_, address)| *address).collect();
        self.links.front.lead_to(others);
    }

    /// Runs a command of the api to its end.
    ///
    /// Tried again where it could not come through: on a machine with too much to do a connection to
    /// Postgres may take longer than the command waits for one.
    pub async fn api(&self, args: &[&str]) -> anyhow::Result<()> {
        let mut left = COMMAND_TRIES;
        loop {
            left -= 1;
            match self.stack.api(args, b"").await {
                Ok(_) => return Ok(()),
                Err(_) if left > 0 => sleep(COMMAND_PAUSE).await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Stops all of it, in order.
    pub async fn stop(self) {
        let stopping = self.services.into_values().map(async |process| {
            process.into_inner().terminate().await;
        });
        futures_util::future::join_all(stopping).await;
        self.stack.stop().await;
        self.servers.stop().await;
    }
}

fn options(folder: &Path, binaries: Binaries, links: &Links) -> StackOptions {
    let mut options = StackOptions::new(folder.join("stack"), binaries);
    options = options.with_env("*", "DATABASE_URL", links.postgres_url());
    options.redis = Server::Given(links.redis_url());
    options.sink = Some(Server::Given(links.amqp_url()));
    options.public_url = Some(links.front_url());
    options.replicas = Replicas {
        api: 2,
        retry_worker: 2,
        notifier: 2,
    };
    for (service, name, value) in HASTY {
        options = options.with_env(service, name, value);
    }
    let providers = links.providers_url();
    for service in ["api", "retry-worker"] {
        options = options
            .with_env(
                service,
                "TINKO__STRIPE_BASE_URL",
                format!("{providers}/stripe"),
            )
            .with_env(
                service,
                "TINKO__RAZORPAY_BASE_URL",
                format!("{providers}/razorpay"),
            );
    }
    options
        .with_env(
            "notifier",
            "TINKO__TWILIO_BASE_URL",
            format!("{providers}/twilio"),
        )
        .with_env(
            "notifier",
            "TINKO__WHATSAPP_BASE_URL",
            format!("{providers}/whatsapp"),
        )
        .with_env("notifier", "SMTP_URL", links.smtp_url())
}
