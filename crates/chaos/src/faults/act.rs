//! Doing it, and undoing it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use nix::sys::signal::Signal;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Fault, Planned, calm};
use crate::ground::{Clocks, Ground};
use crate::journal::{Happening, Journal};
use crate::partner::Mood;
use crate::proxy::Weather;

/// How long something may take to be repaired before the run has failed: RabbitMQ is up after 7 s
/// on an idle machine, and after minutes on one whose processors are wanted by many.
const REPAIR_WITHIN: Duration = Duration::from_mins(6);
/// Between two tries to repair.
const PAUSE: Duration = Duration::from_millis(500);
/// Less than an empty Redis uses, so that every write is refused.
const NO_MEMORY: &str = "1";

/// Does all that is planned, each at its time, and returns when all is undone.
pub async fn play(ground: &Arc<Ground>, journal: &Arc<Journal>, planned: Vec<Planned>) {
    let begun = Instant::now();
    let mut under_way = JoinSet::new();
    for Planned { at, hold, fault } in planned {
        sleep_until(begun + at).await;
        let (ground, journal) = (Arc::clone(ground), Arc::clone(journal));
        under_way.spawn(async move { one(&ground, &journal, &fault, hold).await });
    }
    under_way.join_all().await;
}

async fn one(ground: &Ground, journal: &Journal, fault: &Fault, hold: Duration) {
    let what = fault.to_string();
    journal.write(Happening::Fault {
        what: what.clone(),
        holds_up: fault.holds_up(),
        outlasts_ms: fault.outlasts_ms(),
    });
    if let Err(error) = inject(ground, fault).await {
        let why = format!("{error:#}");
        journal.write(Happening::FaultFailed {
            what: what.clone(),
            why,
        });
    }
    sleep(hold).await;
    let deadline = Instant::now() + REPAIR_WITHIN;
    loop {
        match repair(ground, fault).await {
            Ok(()) => return journal.write(Happening::Undone { what }),
            Err(error) if Instant::now() > deadline => {
                let why = format!("not repaired: {error:#}");
                return journal.write(Happening::FaultFailed { what, why });
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

async fn inject(ground: &Ground, fault: &Fault) -> anyhow::Result<()> {
    match fault {
        Fault::Kill(name) => {
            service(ground, name)?.lock().await.kill9().await;
        }
        Fault::Pause(name) => service(ground, name)?.lock().await.signal(Signal::SIGSTOP),
        Fault::Postgres => ground.servers.kill_postgres().await,
        Fault::Pgbouncer => ground.servers.kill_pgbouncer().await,
        Fault::Redis => ground.servers.kill_redis().await,
        Fault::Flush => ground.servers.tell_redis(&["FLUSHALL"]).await?,
        Fault::Full => {
            let settings = [
                "CONFIG",
                "SET",
                "maxmemory-policy",
                "noeviction",
                "maxmemory",
                NO_MEMORY,
            ];
            ground.servers.tell_redis(&settings).await?;
        }
        Fault::Rabbitmq => ground.servers.kill_rabbitmq().await,
        Fault::Weather(link, weather) => ground.links.of(*link).set_weather(*weather),
        Fault::Cut(link, shock) => ground.links.of(*link).shock(*shock),
        Fault::Provider(rule) => {
            ground.sandbox.put("faults", rule).await?;
        }
        Fault::Webhooks(disturbance) => {
            ground.sandbox.put("webhook_faults", disturbance).await?;
        }
        Fault::Partner(mood) => ground.partner.set_mood(*mood),
        Fault::Clock(name, by) => clocks(ground)?.set_ahead(name, *by)?,
    }
    Ok(())
}

async fn repair(ground: &Ground, fault: &Fault) -> anyhow::Result<()> {
    match fault {
        Fault::Kill(name) => service(ground, name)?.lock().await.restart().await?,
        Fault::Pause(name) => service(ground, name)?.lock().await.signal(Signal::SIGCONT),
        Fault::Postgres => ground.servers.start_postgres().await?,
        Fault::Pgbouncer => ground.servers.start_pgbouncer().await?,
        Fault::Redis => ground.servers.start_redis().await?,
        Fault::Flush | Fault::Cut(..) => {}
        Fault::Full => {
            let settings = ["CONFIG", "SET", "maxmemory", "0"];
            ground.servers.tell_redis(&settings).await?;
        }
        Fault::Rabbitmq => ground.servers.start_rabbitmq().await?,
        Fault::Weather(link, _) => ground.links.of(*link).set_weather(Weather::Clear),
        Fault::Provider(_) => {
            ground.sandbox.delete("/_control/faults").await?;
        }
        Fault::Webhooks(_) => {
            ground.sandbox.delete("/_control/webhook_faults").await?;
        }
        Fault::Partner(_) => ground.partner.set_mood(Mood::Well),
        Fault::Clock(name, _) => clocks(ground)?.set_ahead(name, Duration::ZERO)?,
    }
    Ok(())
}

/// Undoes what could still be there, whatever became of each fault's own repair.
pub(crate) async fn undo_all(ground: &Ground) -> anyhow::Result<()> {
    for process in ground.services.values() {
        let mut process = process.lock().await;
        process.signal(Signal::SIGCONT);
        if process.status().is_some() {
            process.restart().await?;
        }
    }
    for link in crate::ground::Link::ALL {
        ground.links.of(link).set_weather(Weather::Clear);
    }
    ground.partner.set_mood(Mood::Well);
    calm(&ground.sandbox).await
}

fn clocks(ground: &Ground) -> anyhow::Result<&Clocks> {
    ground.clocks.as_ref().context("clocks that can be set")
}

fn service<'a>(
    ground: &'a Ground,
    name: &str,
) -> anyhow::Result<&'a tokio::sync::Mutex<devstack::process::Process>> {
    ground.services.get(name).context("a service of that name")
}
