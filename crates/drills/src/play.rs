//! One drill, from its trouble to the calm.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::Instant;

use crate::drills::{Drill, Following};
use crate::ground::Ground;
use crate::page::Page;

/// How long an alert may take to fire, or to end: some need a measurement that is made every
/// 15 s, or a RabbitMQ that starts.
const PATIENCE: Duration = Duration::from_mins(3);

/// How a drill went.
#[derive(Debug, Clone)]
pub struct Played {
    /// The drill's name.
    pub name: &'static str,
    /// The alert that fired.
    pub alert: &'static str,
    /// From the trouble to the alert.
    pub fired: Duration,
    /// From the runbook's opening to the alert's end.
    pub calm: Duration,
    /// Other alerts that fired meanwhile.
    pub besides: BTreeSet<String>,
}

impl Played {
    /// The line that a drill ends with.
    pub fn summary(&self) -> String {
        format!(
            "drill {}: fired in {:.1} s, calm in {:.1} s",
            self.name,
            self.fired.as_secs_f32(),
            self.calm.as_secs_f32()
        )
    }
}

/// Plays it.
#[expect(
    clippy::print_stdout,
    reason = "what a drill does is what it is watched for"
)]
pub async fn play(drill: &mut dyn Drill, ground: &mut Ground) -> anyhow::Result<Played> {
    let (name, wanted) = (drill.name(), drill.alert());
    println!("== {name}: {}", drill.about());
    ground
        .until_ready(PATIENCE)
        .await
        .context("before the drill")?;
    ground
        .prometheus
        .until_gone(wanted, PATIENCE)
        .await
        .context("before the drill")?;

    let begun = Instant::now();
    drill.cause(ground).await.context("causing the trouble")?;
    let alert = ground.prometheus.until_firing(wanted, PATIENCE).await?;
    let fired = begun.elapsed();
    let summary = alert.annotations.get("summary").map_or("", String::as_str);
    println!(
        "  {:.1} s: {} fires: {summary}",
        fired.as_secs_f32(),
        wanted.alert
    );
    let besides = others(ground, wanted.alert).await?;

    let begun = Instant::now();
    let url = alert.annotations.get("runbook_url").context("a runbook")?;
    let page = Page::of_alert(ground.runbooks(), url)?;
    println!("  docs/runbooks/{}:", page.name);
    let shell = ground.shell();
    let following = Following { page, shell };
    drill
        .follow(ground, &following)
        .await
        .context("following the runbook")?;
    ground.prometheus.until_gone(wanted, PATIENCE).await?;
    let calm = begun.elapsed();
    for condition in drill.over() {
        ground.prometheus.until(condition, PATIENCE).await?;
    }
    ground
        .until_ready(PATIENCE)
        .await
        .context("after the drill")?;
    println!("  {:.1} s: {} is over", calm.as_secs_f32(), wanted.alert);
    Ok(Played {
        name,
        alert: wanted.alert,
        fired,
        calm,
        besides,
    })
}

async fn others(ground: &Ground, wanted: &str) -> anyhow::Result<BTreeSet<String>> {
    let alerts = ground.prometheus.alerts().await?;
    let firing = alerts.iter().filter(|alert| alert.is_firing());
    let names = firing.map(|alert| alert.name().to_owned());
    Ok(names.filter(|name| name != wanted).collect())
}
