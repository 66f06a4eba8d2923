//! The drills.

mod dead_letter;
mod long_transaction;
mod messages_fail;
mod partners_fail;
mod psp_down;
mod redis_away;
mod redis_full;
mod service_down;
mod sink_away;
mod webhooks_refused;

use futures_util::future::LocalBoxFuture;

use crate::ground::Ground;
use crate::page::Page;
use crate::prometheus::Wanted;
use crate::shell::Shell;

/// A runbook that is followed.
#[derive(Debug)]
pub struct Following {
    /// The page that the alert names.
    pub page: Page,
    /// Where its commands are run.
    pub shell: Shell,
}

impl Following {
    /// Runs the page's command that begins so, with what stands for the reader's values replaced.
    pub async fn command(&self, begins: &str, values: &[(&str, &str)]) -> anyhow::Result<String> {
        let command = self.page.command(begins)?;
        self.shell.run(&command, values).await
    }

    /// Runs the page's command that asks a service's admin port for this path.
    pub async fn ask(
        &self,
        ground: &mut Ground,
        service: &str,
        path: &str,
    ) -> anyhow::Result<String> {
        let admin = ground.admin(service)?;
        let begins = format!("curl -s http://ADMIN{path}");
        self.command(&begins, &[("ADMIN", &admin)]).await
    }

    /// Runs the page's `nth` block of SQL, from 1.
    pub async fn sql(&self, nth: usize, values: &[(&str, &str)]) -> anyhow::Result<String> {
        self.shell.sql(&self.page.sql(nth)?, values).await
    }
}

/// What a drill's two acts end with.
pub type Act<'a> = LocalBoxFuture<'a, anyhow::Result<()>>;

/// Trouble of one kind.
pub trait Drill {
    /// As it is asked for.
    fn name(&self) -> &'static str;
    /// What happens, in a line.
    fn about(&self) -> &'static str;
    /// The alert that must fire.
    fn alert(&self) -> Wanted;
    /// Whether it needs the analytics sink.
    fn needs_sink(&self) -> bool {
        false
    }
    /// Causes the trouble.
    fn cause<'a>(&'a mut self, ground: &'a mut Ground) -> Act<'a>;
    /// Follows the runbook: looks as it says, and does what it says.
    fn follow<'a>(&'a mut self, ground: &'a mut Ground, runbook: &'a Following) -> Act<'a>;
    /// What the runbook says of when it is over, besides the alert's end and ready services: each a
    /// comparison that Prometheus reads.
    fn over(&self) -> &'static [&'static str] {
        &[]
    }
}

/// Every drill, in the order of `--all`.
pub fn all() -> Vec<Box<dyn Drill>> {
    vec![
        Box::new(service_down::ServiceDown),
        Box::new(redis_away::RedisAway),
        Box::new(redis_full::RedisFull),
        Box::new(dead_letter::DeadLetter::default()),
        Box::new(long_transaction::LongTransaction::default()),
        Box::new(psp_down::PspDown),
        Box::new(messages_fail::MessagesFail),
        Box::new(webhooks_refused::WebhooksRefused),
        Box::new(partners_fail::PartnersFail::default()),
        Box::new(sink_away::SinkAway),
    ]
}
