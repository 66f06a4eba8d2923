//! What is done to the system: which faults there are, when each comes, and how it is undone.
//!
//! A plan is made from the seed alone ([`plan`]), so the same seed does the same at the same times;
//! what the system makes of it still differs from run to run, as threads do.

mod act;
mod plan;

use std::time::Duration;

use devstack::stack::Sandbox;
use serde_json::{Value, json};

pub use act::play;
pub(crate) use act::undo_all;
pub use plan::{Planned, kinds, plan};

use crate::ground::Link;
use crate::partner::Mood;
use crate::proxy::{Shock, Weather};

/// The kinds, as options and reports name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub enum Kind {
    /// `kill -9` of a service's process.
    Kill,
    /// SIGSTOP of a service's process, SIGCONT later.
    Pause,
    /// `kill -9` of Postgres, and its recovery.
    Postgres,
    /// PgBouncer killed and started again; only where the services go through one.
    Pgbouncer,
    /// Redis killed and started again empty.
    Redis,
    /// FLUSHALL.
    Flush,
    /// Redis at its memory limit.
    Full,
    /// RabbitMQ killed and started again.
    Rabbitmq,
    /// A way slow, stalled or refusing.
    Weather,
    /// Connections of a way cut or half-closed.
    Cut,
    /// A PSP or provider that is slow, fails, or vanishes after acting.
    Provider,
    /// PSPs' webhooks repeated, late, in another order.
    Webhooks,
    /// The partners' receiver slow or failing.
    Partner,
    /// A replica's clock set ahead, and back; only where libfaketime is installed.
    Clock,
}

/// A step of a recovery that reaches somebody outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A charge by the worker.
    Charge,
    /// A message by the notifier.
    Message,
}

/// One thing that is done.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// See [`Kind::Kill`].
    Kill(&'static str),
    /// See [`Kind::Pause`].
    Pause(&'static str),
    /// See [`Kind::Postgres`].
    Postgres,
    /// See [`Kind::Pgbouncer`].
    Pgbouncer,
    /// See [`Kind::Redis`].
    Redis,
    /// See [`Kind::Flush`].
    Flush,
    /// See [`Kind::Full`].
    Full,
    /// See [`Kind::Rabbitmq`].
    Rabbitmq,
    /// See [`Kind::Weather`].
    Weather(Link, Weather),
    /// See [`Kind::Cut`].
    Cut(Link, Shock),
    /// A rule of the sandbox's faults.
    Provider(Value),
    /// A disturbance of the sandbox's webhooks.
    Webhooks(Value),
    /// See [`Kind::Partner`].
    Partner(Mood),
    /// See [`Kind::Clock`]. Never behind the true time: an end that is written down as earlier than
    /// it was would make what came before it look late.
    Clock(&'static str, Duration),
}

impl Fault {
    /// Its kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Kill(_) => Kind::Kill,
            Self::Pause(_) => Kind::Pause,
            Self::Postgres => Kind::Postgres,
            Self::Pgbouncer => Kind::Pgbouncer,
            Self::Redis => Kind::Redis,
            Self::Flush => Kind::Flush,
            Self::Full => Kind::Full,
            Self::Rabbitmq => Kind::Rabbitmq,
            Self::Weather(..) => Kind::Weather,
            Self::Cut(..) => Kind::Cut,
            Self::Provider(_) => Kind::Provider,
            Self::Webhooks(_) => Kind::Webhooks,
            Self::Partner(_) => Kind::Partner,
            Self::Clock(..) => Kind::Clock,
        }
    }

    /// What can have one fault at a time.
    fn occupies(&self) -> String {
        match self {
            Self::Kill(name) | Self::Pause(name) => (*name).to_owned(),
            Self::Postgres => "postgres".to_owned(),
            Self::Pgbouncer => "pgbouncer".to_owned(),
            Self::Redis | Self::Flush | Self::Full => "redis".to_owned(),
            Self::Rabbitmq => "rabbitmq".to_owned(),
            Self::Weather(link, _) | Self::Cut(link, _) => format!("the way to {}", link.name()),
            Self::Provider(_) => "the providers".to_owned(),
            Self::Webhooks(_) => "the webhooks".to_owned(),
            Self::Partner(_) => "the partner".to_owned(),
            Self::Clock(name, _) => format!("the clock of {name}"),
        }
    }

    /// Which steps that were begun may be held up by it, to be made when it is undone.
    pub fn holds_up(&self) -> Vec<Step> {
        match self {
            Self::Pause(name) if name.starts_with("retry-worker") => vec![Step::Charge],
            Self::Pause(name) if name.starts_with("notifier") => vec![Step::Message],
            Self::Weather(Link::Postgres | Link::Providers, _) => vec![Step::Charge, Step::Message],
            Self::Weather(Link::Smtp, _) => vec![Step::Message],
            Self::Provider(rule) => match rule["target"].as_str() {
                Some("stripe" | "razorpay") => vec![Step::Charge],
                _ => vec![Step::Message],
            },
            _ => Vec::new(),
        }
    }

    /// For how long after it is undone a step that met it may still be held up, in milliseconds:
    /// the sandbox keeps a request that it slows down for as long as the rule says, even if the rule
    /// is gone by then.
    pub fn outlasts_ms(&self) -> i64 {
        match self {
            Self::Provider(rule) => rule["ms"].as_i64().unwrap_or_default(),
            _ => 0,
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kill(name) => write!(f, "kill {name}"),
            Self::Pause(name) => write!(f, "pause {name}"),
            Self::Postgres => f.write_str("kill postgres"),
            Self::Pgbouncer => f.write_str("kill pgbouncer"),
            Self::Redis => f.write_str("redis empty"),
            Self::Flush => f.write_str("flushall"),
            Self::Full => f.write_str("redis full"),
            Self::Rabbitmq => f.write_str("kill rabbitmq"),
            Self::Weather(link, weather) => write!(f, "weather {} {weather:?}", link.name()),
            Self::Cut(link, shock) => write!(f, "{shock:?} {}", link.name()),
            Self::Provider(rule) => write!(f, "provider {rule}"),
            Self::Webhooks(rule) => write!(f, "webhooks {rule}"),
            Self::Partner(mood) => write!(f, "partner {mood:?}"),
            Self::Clock(name, by) => write!(f, "clock {name} {} s ahead", by.as_secs()),
        }
    }
}

/// Ends all that the sandbox was told to do wrong.
pub(crate) async fn calm(sandbox: &Sandbox) -> anyhow::Result<()> {
    sandbox.delete("/_control/faults").await?;
    sandbox.delete("/_control/webhook_faults").await?;
    Ok(())
}

/// A rule that meets so many calls.
fn rule(target: &str, mode: Value, times: u64) -> Value {
    let mut rule = mode;
    rule["target"] = json!(target);
    rule["times"] = json!(times);
    rule
}

/// How long a planned thing lasts, in tenths of a second.
const fn tenths(tenths: u64) -> Duration {
    Duration::from_millis(tenths * 100)
}
