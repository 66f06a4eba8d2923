//! A rolling upgrade under load: each replica is replaced after the other, migrations run again
//! beside it, and nobody outside may notice.
//!
//! As the charts have it: the balancer forgets the replica, `preStop` passes, SIGTERM; the process
//! finishes what it holds and ends with 0 within its grace; the next one is led to once it is ready.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use devstack::Binaries;
use devstack::process::Process;
use nix::sys::signal::Signal;
use reqwest::StatusCode;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::ground::{Ground, REPLICAS};
use crate::journal::{Happening, Journal};
use crate::oracle::{FAILED, Violation};

/// How long a balancer takes to forget a replica: the charts' `preStopSeconds`, made shorter.
const PRE_STOP: Duration = Duration::from_secs(1);
/// The stack's `TINKO__SHUTDOWN_GRACE_SECONDS`, and what a busy machine takes to end a process.
const ENDS_WITHIN: Duration = Duration::from_secs(8);
/// How long a replica may take to be ready.
const READY_WITHIN: Duration = Duration::from_mins(1);
/// Between two looks at readiness, as a balancer's probe.
const PROBE_EVERY: Duration = Duration::from_millis(100);
/// Readers that ask all the time, each on a connection that it keeps.
const READERS: usize = 4;
/// Between two questions of a reader.
const READS_EVERY: Duration = Duration::from_millis(200);
/// As the load's own client has it.
const ANSWERED_WITHIN: Duration = Duration::from_secs(8);

/// The programs that replicas are replaced by, in turns.
pub(crate) struct Versions {
    turns: Vec<Binaries>,
    next: usize,
}

impl Versions {
    /// New ones after old ones, and old ones after new ones; the same where there is one version.
    pub(crate) fn new(new: Binaries, old: Option<Binaries>) -> Self {
        let turns = std::iter::once(new).chain(old).collect();
        Self { turns, next: 0 }
    }

    fn next(&mut self) -> Binaries {
        let turn = self.turns[self.next % self.turns.len()].clone();
        self.next += 1;
        turn
    }
}

/// Replaces all replicas, whole rounds, until `span` is over; at least one round.
pub(crate) async fn roll(
    ground: &Arc<Ground>,
    journal: &Arc<Journal>,
    mut versions: Versions,
    span: Duration,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    let readers = Readers::begin(ground, journal);
    loop {
        let binaries = versions.next();
        for name in REPLICAS {
            let migrated = async {
                let migrated = ground.api(&["migrate"]).await;
                migrated.context("migrations beside the running services")
            };
            let replaced = replace(ground, journal, name, &binaries);
            tokio::try_join!(migrated, replaced)?;
        }
        if begun.elapsed() >= span {
            break;
        }
    }
    readers.end().await;
    Ok(())
}

async fn replace(
    ground: &Ground,
    journal: &Journal,
    name: &'static str,
    binaries: &Binaries,
) -> anyhow::Result<()> {
    let process = ground.services.get(name).context("a replica")?;
    let mut process = process.lock().await;
    ground.lead_to_all_but(Some(name));
    sleep(PRE_STOP).await;
    program(binaries, name).clone_into(&mut process.spec_mut().program);
    let begun = Instant::now();
    process.signal(Signal::SIGTERM);
    let ended = timeout(ENDS_WITHIN, process.exited()).await;
    journal.write(Happening::Replaced {
        replica: name.to_owned(),
        ended_after_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        in_order: ended.is_ok_and(|status| status.success()),
    });
    process.restart().await?;
    is_ready(&process).await?;
    ground.lead_to_all_but(None);
    Ok(())
}

fn program<'a>(binaries: &'a Binaries, replica: &str) -> &'a Path {
    match replica.trim_end_matches("-2") {
        "api" => &binaries.api,
        "notifier" => &binaries.notifier,
        _ => &binaries.retry_worker,
    }
}

/// PSPs' webhooks that were not taken at the first try.
pub(crate) async fn refused_webhooks(ground: &Ground) -> anyhow::Result<Vec<Violation>> {
    let events = ground.sandbox.get("/_control/events").await?;
    let mut found = Vec::new();
    for event in events.as_array().into_iter().flatten() {
        for delivery in event["deliveries"].as_array().into_iter().flatten() {
            let count = |field: &str| delivery[field].as_u64().unwrap_or_default();
            if count("attempts") > count("accepted") {
                let what = format!("webhook {}: {delivery}", event["id"]);
                found.push(Violation::new(FAILED, what));
            }
        }
    }
    Ok(found)
}

/// Asks as a balancer's probe does.
async fn is_ready(process: &Process) -> anyhow::Result<()> {
    let admin = process.ready().admin().context("an admin address")?;
    let url = format!("http://{admin}/readyz");
    let ready = async {
        loop {
            let answer = reqwest::get(&url).await;
            if answer.is_ok_and(|answer| answer.status() == StatusCode::OK) {
                return;
            }
            sleep(PROBE_EVERY).await;
        }
    };
    let ready = timeout(READY_WITHIN, ready).await;
    ready.with_context(|| format!("{} is not ready", process.name()))
}

/// Clients that ask all the time, so that no moment of a replacement is unobserved.
struct Readers {
    reading: JoinSet<()>,
    ending: CancellationToken,
    _end: DropGuard,
}

impl Readers {
    fn begin(ground: &Arc<Ground>, journal: &Arc<Journal>) -> Self {
        let ending = CancellationToken::new();
        let mut reading = JoinSet::new();
        for number in 0..READERS {
            let (ground, journal) = (Arc::clone(ground), Arc::clone(journal));
            let ending = ending.clone();
            reading.spawn(async move { read(&ground, &journal, number, &ending).await });
        }
        Self {
            reading,
            _end: ending.clone().drop_guard(),
            ending,
        }
    }

    async fn end(self) {
        self.ending.cancel();
        self.reading.join_all().await;
    }
}

async fn read(ground: &Ground, journal: &Journal, number: usize, ending: &CancellationToken) {
    let client = reqwest::Client::builder().timeout(ANSWERED_WITHIN).build();
    let client = client.unwrap_or_default();
    let organization = &ground.organizations[number % ground.organizations.len()];
    let url = format!("{}/v1/recoveries?limit=1", ground.api_url);
    while !ending.is_cancelled() {
        let answer = async {
            let asked = client.get(&url).bearer_auth(&organization.api_key);
            let answer = asked.send().await?.error_for_status()?;
            answer.bytes().await
        };
        if let Err(error) = answer.await {
            journal.write(Happening::Failed {
                what: "GET /v1/recoveries".to_owned(),
                why: format!("{:#}", anyhow::Error::from(error)),
            });
        }
        sleep(READS_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(name: &str) -> Binaries {
        let program = |service: &str| Path::new(name).join(service);
        Binaries {
            api: program("api"),
            retry_worker: program("retry-worker"),
            notifier: program("notifier"),
            sandbox: program("sandbox"),
        }
    }

    #[test]
    fn each_replica_is_replaced_by_its_own_service() {
        let new = version("new");
        for name in REPLICAS {
            let service = name.trim_end_matches("-2");
            assert_eq!(program(&new, name), Path::new("new").join(service));
        }
    }

    #[test]
    fn old_and_new_take_turns() {
        let mut versions = Versions::new(version("new"), Some(version("old")));
        let turns = [versions.next(), versions.next(), versions.next()];
        assert_eq!(turns, [version("new"), version("old"), version("new")]);
        let mut alone = Versions::new(version("new"), None);
        assert_eq!(
            [alone.next(), alone.next()],
            [version("new"), version("new")]
        );
    }
}
