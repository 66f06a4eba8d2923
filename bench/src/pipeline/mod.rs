//! `pipeline`: a backlog of accepted failures drained to accepted emails (plan, due at once, hand
//! over), against the slowest of the stages alone.
//!
//! The stages come first and the whole after them, so that the whole works on the larger tables: a
//! ceiling that is found on small tables is not flattered by them.

mod backlog;
mod mail;
mod progress;

use std::time::{Duration, Instant};

use devstack::stack::Replicas;

use crate::ground::{Ground, Settings};
use crate::rate::{Rate, Ratio, millis_each};
use crate::report::{Report, Table};
use backlog::Backlog;
use progress::Goal;

const RETRY_WORKER: &str = "retry-worker";
const NOTIFIER: &str = "notifier";
/// Of the slowest stage alone.
const LEAST: Ratio = Ratio::wanted(0.6);

/// How much.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Failure events that wait when the clock starts.
    pub backlog: u64,
    /// HTTP connections that the backlog is made over.
    pub connections: usize,
}

/// A stage, and how long it took for how many events.
#[derive(Debug, Clone, Copy)]
struct Stage {
    name: &'static str,
    key: &'static str,
    events: u64,
    time: Duration,
    /// Processor time of its services, if it is one of ours.
    processor: Option<Duration>,
}

impl Stage {
    fn rate(&self) -> Rate {
        Rate::of(self.events, self.time)
    }

    /// Milliseconds.
    fn processor_each(&self) -> String {
        let each = |time| millis_each(time, self.events);
        self.processor.map_or_else(String::new, each)
    }
}

/// Measures. An error says what makes the figures worth nothing.
pub async fn run(settings: &Settings, options: Options) -> anyhow::Result<Report> {
    let mut ground = Ground::start(settings, Replicas::default(), &[]).await?;
    let server = ground.database.described().await?;
    let mut backlog = Backlog::new(&ground, settings, options);
    ground.stack.terminate(RETRY_WORKER).await?;
    ground.stack.terminate(NOTIFIER).await?;

    backlog.fill(&ground).await?;
    let plan = stage(
        &mut ground,
        "plan alone",
        "plan_per_s",
        &[RETRY_WORKER],
        Goal::Queued,
        &backlog,
    );
    let plan = plan.await?;
    all_to_redis(&mut ground, &backlog).await?;
    let sent = stage(
        &mut ground,
        "hand over alone",
        "hand_over_per_s",
        &[NOTIFIER],
        Goal::Sent,
        &backlog,
    );
    let sent = sent.await?;
    backlog.check_inbox(&ground).await?;
    let sink = mail::sink_alone(&ground, &backlog).await?;

    ground.stack.sandbox.delete("/inbox/messages").await?;
    backlog.fill(&ground).await?;
    let both = [RETRY_WORKER, NOTIFIER];
    let whole = stage(
        &mut ground,
        "pipeline",
        "drained_per_s",
        &both,
        Goal::Sent,
        &backlog,
    );
    let whole = whole.await?;
    backlog.check_inbox(&ground).await?;
    ground.stack.stop().await;
    Ok(report(&server, &[plan, sent, sink], whole, &backlog))
}

/// Has retry-worker put all messages into Redis, of which it keeps most back: the notifier is to
/// work on them alone. Issue 8's backlog fits.
async fn all_to_redis(ground: &mut Ground, backlog: &Backlog) -> anyhow::Result<()> {
    let worker = ground.stack.process(RETRY_WORKER)?;
    let most = ("TINKO__MESSAGES_AHEAD".to_owned(), u16::MAX.to_string());
    worker.spec_mut().env.push(most);
    worker.restart().await?;
    progress::reached(ground, Goal::InRedis, backlog, &[RETRY_WORKER]).await?;
    ground.stack.process(RETRY_WORKER)?.spec_mut().env.pop();
    ground.stack.terminate(RETRY_WORKER).await?;
    Ok(())
}

/// Starts the services and waits until the whole backlog has reached the goal. The time counts from
/// before the start.
async fn stage(
    ground: &mut Ground,
    name: &'static str,
    key: &'static str,
    services: &[&str],
    goal: Goal,
    backlog: &Backlog,
) -> anyhow::Result<Stage> {
    ground.database.checkpoint().await?;
    let begun = Instant::now();
    for service in services {
        ground.stack.restart(service).await?;
    }
    let events = backlog.size();
    progress::reached(ground, goal, backlog, services).await?;
    let time = begun.elapsed();
    let mut processor = Duration::ZERO;
    for service in services {
        processor += ground.processor_time(service)?;
        ground.stack.terminate(service).await?;
    }
    Ok(Stage {
        name,
        key,
        events,
        time,
        processor: Some(processor),
    })
}

fn report(server: &str, alone: &[Stage], whole: Stage, backlog: &Backlog) -> Report {
    let size = backlog.size();
    let title =
        format!("pipeline: {size} failures that wait, drained to accepted emails; {server}");
    let mut table = Table::new(
        title,
        &["stage", "events", "seconds", "events/s", "CPU ms each"],
    );
    for stage in alone.iter().chain([&whole]) {
        let seconds = format!("{:.2}", stage.time.as_secs_f64());
        let (events, rate) = (stage.events.to_string(), stage.rate().to_string());
        let cpu = stage.processor_each();
        table.row([stage.name.to_owned(), events, seconds, rate, cpu]);
    }
    let mut report = Report::new("pipeline")
        .figure("events", size)
        .figure(whole.key, whole.rate());
    let slowest = alone.iter().min_by(|a, b| a.rate().total_cmp(&b.rate()));
    if let Some(slowest) = slowest {
        let ratio = whole.rate().ratio_to(slowest.rate());
        let name = format!("ratio to the slowest alone ({})", slowest.name);
        table.row([
            name,
            String::new(),
            String::new(),
            ratio.to_string(),
            String::new(),
        ]);
        report = report
            .figure("ceiling_per_s", slowest.rate())
            .figure("ratio", ratio)
            .figure("ceiling_is", slowest.name.replace(' ', "_"))
            .floor("the slowest stage alone", ratio, LEAST);
    }
    for stage in alone {
        report = report.figure(stage.key, stage.rate());
    }
    report.figure("filled_per_s", backlog.filled()).table(table)
}
