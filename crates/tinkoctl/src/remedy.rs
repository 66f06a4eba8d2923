//! Who changes something, and why: asked by every command that does.

use anyhow::{Context as _, ensure};
use clap::Args;
use db::Cause;
use runtime::clock::SystemClock;

#[derive(Debug, Args)]
pub(crate) struct Remedy {
    /// Why this is right; it is noted in the audit log.
    #[arg(long)]
    why: String,
    /// Who you are; it is noted in the audit log. By itself the name you are logged in with.
    #[arg(long)]
    by: Option<String>,
}

impl Remedy {
    pub(crate) fn by(&self) -> anyhow::Result<String> {
        let by = self.by.clone().or_else(|| std::env::var("USER").ok());
        by.map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .context("say who you are with --by: it is noted in the audit log")
    }

    pub(crate) fn why(&self) -> anyhow::Result<&str> {
        let why = self.why.trim();
        ensure!(!why.is_empty(), "say with --why why this is right");
        Ok(why)
    }
}

/// The cause of a change that is made now.
pub(crate) fn cause() -> Cause {
    Cause {
        at: SystemClock::shared().now(),
        actor: "tinkoctl".to_owned(),
        traceparent: None,
        tracestate: None,
    }
}
