//! `tinkoctl`: what operators of an installation do by hand.
//!
//! It is run where a service runs, and takes the settings of one: from the environment
//! and the file that `TINKO_CONFIG_FILE` names. What other settings stand there is none
//! of its business.
//!
//! # What it promises
//!
//! - What changes something asks who does it and why, and both are in the audit log in
//!   the transaction of the change.
//! - `--json` prints one JSON document on standard output, and nothing else.
//! - It ends with 0 only if what was asked for was done.
//!
//! # To add a group of commands
//!
//! Copy `dead_letters.rs`: a `clap::Subcommand` and a `run` that answers what to print.

mod dead_letters;
mod follow;
mod pauses;
mod print;
mod queues;
mod remedy;

use backbone::BackboneSettings;
use clap::{Parser, Subcommand};
use runtime::{settings, tls};

use self::print::Print;

/// The command line.
#[derive(Debug, Parser)]
#[command(
    version,
    about = "Looks after an installation of Tinko. Settings come from the environment, and from the file that TINKO_CONFIG_FILE names, as the services' do."
)]
struct Cli {
    /// Print JSON instead of text for people.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    group: Group,
}

#[derive(Debug, Subcommand)]
enum Group {
    /// Tells what became of one payment, whosever it is.
    Follow(follow::Command),
    /// Tells what waits where, and since when.
    Queues,
    /// Puts charges or messages aside until they are resumed: they wait as they are.
    #[command(subcommand)]
    Pause(pauses::What),
    /// Goes on with just what was paused.
    #[command(subcommand)]
    Resume(pauses::What),
    /// Lists what is paused: since when, by whom, why.
    Paused {
        /// So many of those that are over as well, the newest first.
        #[arg(long, value_name = "COUNT", default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..=1_000))]
        ended: i64,
    },
    /// Events that a consumer gave up.
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    tls::install_ring();
    let Cli { json, group } = Cli::parse();
    let settings: BackboneSettings = settings::load_among(&[backbone::SETTINGS])?;
    let db = backbone::postgres(&settings).await?;
    let print = Print { json };
    match group {
        Group::Follow(command) => follow::run(command, &db, print).await,
        Group::Queues => queues::run(&settings, &db, print).await,
        Group::Pause(what) => pauses::pause(what, &db, print).await,
        Group::Resume(what) => pauses::resume(what, &db, print).await,
        Group::Paused { ended } => pauses::list(ended, &db, print).await,
        Group::DeadLetters(command) => dead_letters::run(command, &db, print).await,
    }
}
