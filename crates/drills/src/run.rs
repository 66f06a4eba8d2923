//! The command line.

#![expect(
    clippy::print_stdout,
    reason = "what it prints is what it is asked for"
)]

use std::convert::Infallible;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use devstack::Binaries;
use devstack::demo::{self, Demo};
use serde_json::json;
use tokio::process::Command;

use crate::drills::{self, Drill};
use crate::ground::{Ground, Places};
use crate::load;
use crate::play::{Played, play};

/// Causes trouble, sees its alert, and follows the runbook to calm. `docs/drills.md` tells more.
#[derive(Debug, clap::Parser)]
#[command(name = "tinko-drill", version)]
pub struct Options {
    /// The drills, by name, in this order.
    names: Vec<String>,
    /// All drills.
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Only tells which drills there are.
    #[arg(long)]
    list: bool,
    /// The charts' rules, as files of JSON.
    #[arg(long, default_value = "target/drill/rules")]
    rules: PathBuf,
    /// The runbooks.
    #[arg(long, default_value = "docs/runbooks")]
    runbooks: PathBuf,
    /// For data and logs.
    #[arg(long, default_value = "target/drill")]
    dir: PathBuf,
    /// Instead of a drill: runs this command while everything runs and nothing is wrong, with
    /// `PROMETHEUS_URL` and `DATABASE_URL` in its environment, and ends with its exit code.
    #[arg(last = true, conflicts_with_all = ["names", "all", "list"])]
    command: Vec<String>,
}

/// Does what it is told; the code says whether every drill went well.
pub async fn run(options: Options) -> anyhow::Result<ExitCode> {
    if options.list {
        for drill in drills::all() {
            println!(
                "{:<17} {:<26} {}",
                drill.name(),
                drill.alert().alert,
                drill.about()
            );
        }
        return Ok(ExitCode::SUCCESS);
    }
    let places = Places {
        folder: std::path::absolute(&options.dir)?,
        binaries: Binaries::find()?,
        rules: options.rules.clone(),
        runbooks: options.runbooks.clone(),
    };
    if !options.command.is_empty() {
        return beside(places, &options.command).await;
    }
    let chosen = chosen(&options)?;
    let needs_sink = chosen.iter().any(|drill| drill.needs_sink());
    let mut ground = Ground::start(places, load::policy(), needs_sink).await?;
    let played = tokio::select! {
        played = play_all(chosen, &mut ground) => Ok(played),
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    ground.stop().await;
    let (played, failed) = played?;
    if played.len() + usize::from(failed.is_some()) > 1 {
        table(&played);
    }
    if let Some(name) = failed {
        println!(
            "drill {name}: FAILED, see above; logs are in {}",
            options.dir.display()
        );
    }
    for drill in &played {
        println!("{}", drill.summary());
    }
    Ok(if failed.is_none() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn chosen(options: &Options) -> anyhow::Result<Vec<Box<dyn Drill>>> {
    let mut there = drills::all();
    if options.all {
        return Ok(there);
    }
    if options.names.is_empty() {
        bail!("name a drill, or --all; --list tells which there are");
    }
    let named = options.names.iter().map(|name| {
        let place = there.iter().position(|drill| drill.name() == name);
        let place = place.with_context(|| format!("there is no drill {name}: see --list"))?;
        Ok(there.remove(place))
    });
    named.collect()
}

/// Those that went well, and the one that did not.
type Outcome = (Vec<Played>, Option<&'static str>);

/// One after the other on the same ground. After one that failed the others are not begun: its
/// trouble may still be there.
async fn play_all(chosen: Vec<Box<dyn Drill>>, ground: &mut Ground) -> Outcome {
    let mut played = Vec::new();
    for mut drill in chosen {
        match play(drill.as_mut(), ground).await {
            Ok(one) => played.push(one),
            Err(error) => {
                println!("  {error:#}");
                return (played, Some(drill.name()));
            }
        }
    }
    (played, None)
}

fn table(played: &[Played]) {
    println!(
        "\n{:<17} {:<26} {:>8} {:>8}  firing too",
        "drill", "alert", "fired", "calm"
    );
    for one in played {
        let besides: Vec<_> = one.besides.iter().map(String::as_str).collect();
        println!(
            "{:<17} {:<26} {:>6.1} s {:>6.1} s  {}",
            one.name,
            one.alert,
            one.fired.as_secs_f32(),
            one.calm.as_secs_f32(),
            besides.join(", ")
        );
    }
    println!();
}

/// Runs a command beside everything, while payments fail, the demo is played again and again, and a
/// partner takes webhooks.
async fn beside(places: Places, command: &[String]) -> anyhow::Result<ExitCode> {
    let ground = Ground::start(places, demo::policy(), true).await?;
    let endpoint = json!({ "url": ground.partner.url(0), "event_types": ["*"] });
    ground.post("/v1/webhook-endpoints", &endpoint).await?;
    let (program, arguments) = command.split_first().context("a command")?;
    let mut running = Command::new(program)
        .args(arguments)
        .env("PROMETHEUS_URL", &ground.prometheus.url)
        .env("DATABASE_URL", &ground.stack.postgres_url)
        .kill_on_drop(true)
        .spawn()?;
    let status = tokio::select! {
        status = running.wait() => status,
        never = keep_playing(&ground) => match never {},
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
    };
    ground.stop().await;
    let code = status?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Plays the demo without end. Its own tests see that each case ends as it must.
async fn keep_playing(ground: &Ground) -> Infallible {
    let mut number = 0_u64;
    loop {
        Demo::new(&ground.stack, &number.to_string()).play().await;
        number += 1;
    }
}
