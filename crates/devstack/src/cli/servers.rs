//! `tinko-dev servers run`: a command with private servers for as long as it runs.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitCode, ExitStatus};

use anyhow::Context as _;
use devstack::servers::{
    Durability, PgBouncer, PgBouncerOptions, Postgres, PostgresOptions, RabbitMq, Redis,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command as Program};

use super::{Interruption, code_of_signal};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Starts an empty Postgres and Redis, runs the command with their addresses in
    /// `TINKO_TEST_DATABASE_URL` and `TINKO_TEST_REDIS_URL`, and ends with its exit code.
    Run {
        /// A RabbitMQ too, in `TINKO_TEST_AMQP_URL`; it takes some 7 s.
        #[arg(long)]
        rabbitmq: bool,
        /// A PgBouncer in transaction mode too, in `TINKO_TEST_POOLER_URL`: the tests' databases are
        /// then reached through it.
        #[arg(long)]
        pgbouncer: bool,
        /// The command and its arguments.
        #[arg(required = true, last = true)]
        command: Vec<String>,
    },
}

/// What a command's tests find their servers by.
const DATABASE_VARIABLE: &str = "TINKO_TEST_DATABASE_URL";
const POOLER_VARIABLE: &str = "TINKO_TEST_POOLER_URL";
const REDIS_VARIABLE: &str = "TINKO_TEST_REDIS_URL";
const AMQP_VARIABLE: &str = "TINKO_TEST_AMQP_URL";
/// Ctrl-C.
const INTERRUPT: u8 = 2;

pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let Command::Run {
        rabbitmq,
        pgbouncer,
        command,
    } = command;
    let mut interruption = Interruption::listen()?;
    let servers = tokio::select! {
        started = Servers::start(rabbitmq, pgbouncer) => started?,
        number = interruption.received() => return Ok(code_of_signal(number)),
    };
    let mut running = servers.spawn(&command)?;
    let status = loop {
        tokio::select! {
            status = running.wait() => break status?,
            // A terminal sends Ctrl-C to the command as well; here it only must not end us first.
            number = interruption.received() => if number != INTERRUPT {
                pass_on(&running, Signal::SIGTERM);
            },
        }
    };
    servers.stop().await;
    Ok(exit_code(status))
}

struct Servers {
    // Before what it stands in front of: it is stopped first.
    pooler: Option<PgBouncer>,
    postgres: Postgres,
    redis: Redis,
    rabbitmq: Option<RabbitMq>,
}

impl Servers {
    async fn start(with_rabbitmq: bool, with_pooler: bool) -> anyhow::Result<Self> {
        let options = PostgresOptions {
            durability: Durability::Fast,
            ..Default::default()
        };
        let rabbitmq = async {
            if with_rabbitmq {
                RabbitMq::temporary().await.map(Some)
            } else {
                Ok(None)
            }
        };
        let (postgres, redis, rabbitmq) =
            tokio::try_join!(Postgres::temporary(options), Redis::temporary(), rabbitmq)?;
        let pooler = if with_pooler {
            let options = PgBouncerOptions::default();
            Some(PgBouncer::temporary(&postgres.maintenance_url(), options).await?)
        } else {
            None
        };
        Ok(Self {
            pooler,
            postgres,
            redis,
            rabbitmq,
        })
    }

    fn spawn(&self, command: &[String]) -> anyhow::Result<Child> {
        let (program, arguments) = command
            .split_first()
            .context("there is no command to run")?;
        let mut program = Program::new(program);
        program
            .args(arguments)
            .env(DATABASE_VARIABLE, self.postgres.maintenance_url())
            .env(REDIS_VARIABLE, self.redis.url());
        if let Some(pooler) = &self.pooler {
            program.env(POOLER_VARIABLE, pooler.url("postgres"));
        }
        if let Some(rabbitmq) = &self.rabbitmq {
            program.env(AMQP_VARIABLE, rabbitmq.url());
        }
        program
            .spawn()
            .with_context(|| format!("{} cannot be started", command[0]))
    }

    async fn stop(self) {
        let rabbitmq = async {
            if let Some(rabbitmq) = self.rabbitmq {
                rabbitmq.stop().await;
            }
        };
        if let Some(pooler) = self.pooler {
            pooler.stop().await;
        }
        // Nothing of it is kept, so Postgres need not write down what it has in memory.
        drop(self.postgres);
        tokio::join!(self.redis.stop(), rabbitmq);
    }
}

fn pass_on(running: &Child, signal: Signal) {
    if let Some(pid) = running.id() {
        let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
    }
}

/// The command's own code, or 128 and the number of the signal that ended it, as shells have it.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
