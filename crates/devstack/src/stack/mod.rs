//! All of Tinko, running: servers, sandbox, services, a seeded demo organization.

mod folder;
mod options;
mod ports;
mod sandbox;
mod secrets;
mod seed;
mod services;

use futures_util::future::select_all;
use secrecy::SecretString;

pub use folder::Folder;
pub use options::{Replicas, Server, StackOptions};
pub use sandbox::{Sandbox, SandboxError};
pub use seed::{DemoKeys, RazorpayKeys, StripeKeys, demo_policy};

use crate::BinariesError;
use crate::os::SpawnError;
use crate::process::{Process, ProcessSpec};
use crate::servers::{Postgres, PostgresOptions, RabbitMq, Redis, RedisOptions, ServerError};
use ports::Ports;
use secrets::Secrets;

/// Why the stack is not there.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// Another stack uses the folder.
    #[error("{} is in use by a running tinko-dev: stop that one first, or give another --dir", .0.display())]
    InUse(std::path::PathBuf),
    /// The folder or a file in it.
    #[error("{} cannot be used", path.display())]
    File {
        /// Which.
        path: std::path::PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// Our programs are not built.
    #[error(transparent)]
    Binaries(#[from] BinariesError),
    /// Postgres, Redis or RabbitMQ.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The database could not be made.
    #[error("the database could not be made in the private Postgres")]
    Database(#[from] tokio_postgres::Error),
    /// One of our programs.
    #[error(transparent)]
    Process(#[from] SpawnError),
    /// `api seed` answered something else than agreed.
    #[error("`api seed` answered {answer}: {fault}")]
    Seed {
        /// What it wrote, without secrets: the names of its fields.
        answer: String,
        /// What is wrong with it.
        fault: String,
    },
    /// The sandbox refused what it was told.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// There is no process of that name.
    #[error("there is no process {0}")]
    Unknown(String),
}

/// Everything, running. Dropping it stops it all; [`Stack::stop`] does so in order.
#[derive(Debug)]
pub struct Stack {
    // Dropped in this order: what uses a server goes before it.
    processes: Vec<Process>,
    rabbitmq: Option<RabbitMq>,
    redis: Option<Redis>,
    postgres: Option<Postgres>,
    folder: Folder,
    command: ProcessSpec,
    /// Postgres, as the services reach it.
    pub postgres_url: String,
    /// Redis, as the services reach it.
    pub redis_url: String,
    /// RabbitMQ, when the analytics sink is on.
    pub amqp_url: Option<String>,
    /// The sandbox's control API.
    pub sandbox: Sandbox,
    /// Where the sandbox takes mail.
    pub smtp_url: String,
    /// Of the api: its public address if one was given, else that of the first replica.
    pub api_url: String,
    /// The demo organization and what opens its doors.
    pub keys: DemoKeys,
}

impl Stack {
    /// Starts everything: servers, migrations, sandbox, seed, services, webhooks. What was started
    /// before a failure is stopped again.
    pub async fn start(options: StackOptions) -> Result<Self, StackError> {
        let folder = Folder::take(&options.folder).await?;
        if options.reset {
            folder.clear()?;
        }
        let ports = Ports::load(&folder)?;
        let secrets = Secrets::load(&folder)?;
        let (postgres, redis, rabbitmq) = start_servers(&options, &folder, ports).await?;
        let addresses = services::Addresses {
            postgres_url: match &postgres {
                Some(own) => own.url(DATABASE),
                None => options.postgres.given().unwrap_or_default().to_owned(),
            },
            redis_url: match &redis {
                Some(own) => own.url(),
                None => options.redis.given().unwrap_or_default().to_owned(),
            },
            amqp_url: match (&rabbitmq, &options.sink) {
                (Some(own), _) => Some(own.url()),
                (None, Some(sink)) => sink.given().map(str::to_owned),
                (None, None) => None,
            },
            public_url: options.public_url.clone(),
            ports,
        };
        let plan = services::Plan {
            options: &options,
            folder: &folder,
            secrets: &secrets,
            addresses,
        };
        plan.migrate().output(&[]).await?;
        let mut processes = vec![Process::start(plan.sandbox()).await?];
        let sandbox = Sandbox::new(plan.addresses.sandbox_url());
        let keys = seed::seed(
            &plan.seed(),
            &folder,
            &options.policy,
            &plan.addresses.api_url(),
        )
        .await?;
        keys.register(&sandbox).await?;
        processes.extend(start_all(plan.services()).await?);
        Ok(Self {
            processes,
            rabbitmq,
            redis,
            postgres,
            postgres_url: plan.addresses.postgres_url.clone(),
            redis_url: plan.addresses.redis_url.clone(),
            amqp_url: plan.addresses.amqp_url.clone(),
            smtp_url: plan.addresses.smtp_url(),
            api_url: plan.addresses.api_url(),
            sandbox,
            keys,
            command: plan.api_command("command"),
            folder,
        })
    }

    /// Every process of ours, the sandbox first.
    pub fn processes(&self) -> &[Process] {
        &self.processes
    }

    /// The process of that name: `sandbox`, `api`, `retry-worker`, `notifier`, and for further
    /// replicas `notifier-2` and so on.
    pub fn process(&mut self, name: &str) -> Result<&mut Process, StackError> {
        let found = self
            .processes
            .iter_mut()
            .find(|process| process.name() == name);
        found.ok_or_else(|| StackError::Unknown(name.to_owned()))
    }

    /// Hands a process over to the caller, who holds and stops it from then on.
    pub fn take(&mut self, name: &str) -> Result<Process, StackError> {
        let found = self
            .processes
            .iter()
            .position(|process| process.name() == name);
        let place = found.ok_or_else(|| StackError::Unknown(name.to_owned()))?;
        Ok(self.processes.remove(place))
    }

    /// A command of the api, such as `["seed"]`, with the api's own settings: what it wrote on
    /// standard output, given `input` on standard input.
    pub async fn api(&self, args: &[&str], input: &[u8]) -> Result<Vec<u8>, StackError> {
        let mut command = self.command.clone();
        command.args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Ok(command.output(input).await?)
    }

    /// Kills one process as `kill -9` does.
    pub async fn kill(&mut self, name: &str) -> Result<(), StackError> {
        self.process(name)?.kill9().await;
        Ok(())
    }

    /// Stops one process in order.
    pub async fn terminate(&mut self, name: &str) -> Result<(), StackError> {
        self.process(name)?.terminate().await;
        Ok(())
    }

    /// Starts one process again, at the same addresses; stops it first if it runs. The sandbox has
    /// forgotten everything then, so its webhooks are registered anew.
    pub async fn restart(&mut self, name: &str) -> Result<(), StackError> {
        self.process(name)?.restart().await?;
        if name == services::SANDBOX {
            self.keys.register(&self.sandbox).await?;
        }
        Ok(())
    }

    /// The private Redis, to kill or to lose; `None` if one was given.
    pub fn redis(&mut self) -> Option<&mut Redis> {
        self.redis.as_mut()
    }

    /// The private Postgres; `None` if one was given.
    pub fn postgres(&mut self) -> Option<&mut Postgres> {
        self.postgres.as_mut()
    }

    /// The folder with the logs.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The demo organization's API key.
    pub fn api_key(&self) -> &SecretString {
        &self.keys.api_key
    }

    /// Waits until a process of ours ends by itself, and gives its name, how, and its last lines.
    pub async fn ended(&self) -> (String, std::process::ExitStatus, String) {
        let ends = self
            .processes
            .iter()
            .map(|process| Box::pin(process.exited()));
        let (status, index, _) = select_all(ends).await;
        let process = &self.processes[index];
        (process.name().to_owned(), status, process.log_tail())
    }

    /// Stops the services, then the sandbox, then the servers.
    pub async fn stop(mut self) {
        let services = self.processes.split_off(1.min(self.processes.len()));
        let stopping: Vec<_> = services
            .into_iter()
            .map(stop_one)
            .map(tokio::spawn)
            .collect();
        for stopped in stopping {
            // A task that panicked has dropped its process, which stops it too.
            let _ = stopped.await;
        }
        for sandbox in self.processes {
            stop_one(sandbox).await;
        }
        let rabbitmq = async {
            if let Some(server) = self.rabbitmq {
                server.stop().await;
            }
        };
        let redis = async {
            if let Some(server) = self.redis {
                server.stop().await;
            }
        };
        let postgres = async {
            if let Some(server) = self.postgres {
                server.stop().await;
            }
        };
        tokio::join!(rabbitmq, redis, postgres);
    }
}

/// The database that the services use in a private Postgres.
const DATABASE: &str = "tinko";

type Servers = (Option<Postgres>, Option<Redis>, Option<RabbitMq>);

async fn start_servers(
    options: &StackOptions,
    folder: &Folder,
    ports: Ports,
) -> Result<Servers, StackError> {
    let postgres = async {
        if options.postgres.given().is_some() {
            return Ok(None);
        }
        let wanted = PostgresOptions {
            durability: options.durability,
            port: Some(ports.postgres),
            ..PostgresOptions::default()
        };
        let server = Postgres::start(&folder.join("postgres"), wanted).await?;
        server.ensure_database(DATABASE).await?;
        Ok::<_, StackError>(Some(server))
    };
    let redis = async {
        if options.redis.given().is_some() {
            return Ok(None);
        }
        let wanted = RedisOptions {
            append_only: true,
            port: Some(ports.redis),
        };
        Ok(Some(Redis::start(&folder.join("redis"), wanted).await?))
    };
    let rabbitmq = async {
        if options.sink != Some(Server::Private) {
            return Ok(None);
        }
        Ok(Some(
            RabbitMq::start(&folder.join("rabbitmq"), Some(ports.amqp)).await?,
        ))
    };
    tokio::try_join!(postgres, redis, rabbitmq)
}

/// All at the same time; the first failure ends the others.
async fn start_all(specs: Vec<ProcessSpec>) -> Result<Vec<Process>, SpawnError> {
    let starting: Vec<_> = specs
        .into_iter()
        .map(Process::start)
        .map(tokio::spawn)
        .collect();
    let mut started = Vec::new();
    let mut failure = None;
    for process in starting {
        match process.await {
            Ok(Ok(process)) => started.push(process),
            Ok(Err(error)) => failure = failure.or(Some(error)),
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }
    failure.map_or(Ok(started), Err)
}

async fn stop_one(mut process: Process) {
    process.terminate().await;
}
