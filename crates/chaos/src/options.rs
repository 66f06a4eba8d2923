//! What a run is told.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Parser, ValueEnum};
use devstack::Binaries;
use serde_json::Value;

use crate::faults::{self, Kind};
use crate::ground::Wish;
use crate::oracle;

/// What is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// A FLUSHALL that is measured, then faults of all kinds.
    Mixed,
    /// FLUSHALL alone, again and again, each measured.
    Flushall,
    /// No fault at all.
    Calm,
    /// Every replica is replaced after the other, and no request may fail.
    Rolling,
}

/// How soon recoveries end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pace {
    /// Within a minute or two.
    Usual,
    /// Within half a minute.
    Brisk,
}

/// Runs real processes under load and trouble, and says which promises were not kept.
#[derive(Debug, Clone, Parser)]
#[command(name = "tinko-chaos", version)]
pub struct Options {
    /// Minutes of load and faults.
    #[arg(long, conflicts_with = "seconds")]
    pub(crate) minutes: Option<u64>,
    /// Seconds of load and faults; 60 when neither is said.
    #[arg(long)]
    pub(crate) seconds: Option<u64>,
    /// What all randomness comes from; one of its own when it is not said.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Cases a second.
    #[arg(long, default_value_t = 2.0)]
    pub(crate) rate: f64,
    /// What is played.
    #[arg(long, value_enum, default_value = "mixed")]
    pub(crate) scenario: Scenario,
    /// Only faults of these kinds, after commas.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) faults: Vec<Kind>,
    /// Services reach Postgres through a PgBouncer in transaction mode.
    #[arg(long)]
    pub(crate) through_pgbouncer: bool,
    /// The folder of the programs; that of this program when it is not said.
    #[arg(long)]
    pub(crate) bin_dir: Option<PathBuf>,
    /// Programs of another version, side by side with these in the scenario `rolling`: it begins
    /// with them.
    #[arg(long)]
    pub(crate) old_bin_dir: Option<PathBuf>,
    /// Gets the run's folder, with logs and journal; it is kept when a promise was not.
    #[arg(long, default_value = "target/chaos")]
    pub(crate) dir: PathBuf,
    /// Seconds of calm after which what is still owed counts as lost.
    #[arg(long, default_value_t = 150)]
    pub(crate) patience: u64,
    /// Keeps the folder in any case.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Removes the folder in any case.
    #[arg(long, conflicts_with = "keep")]
    pub(crate) discard: bool,
    /// How soon recoveries end.
    #[arg(long, value_enum, default_value = "usual")]
    pub(crate) pace: Pace,
    /// Ends the run as soon as this promise is broken, if it is one that no calm can mend.
    #[arg(long, value_parser = PossibleValuesParser::new(oracle::BEYOND_REPAIR))]
    pub(crate) until: Option<String>,
    /// A rule of the sandbox's faults that holds from the beginning to the end of the load, as JSON.
    #[arg(long, value_parser = rule)]
    pub(crate) rule: Vec<Value>,
    /// NAME=VALUE for the environment of every service.
    #[arg(long, value_parser = variable)]
    pub(crate) env: Vec<(String, String)>,
}

impl Options {
    pub(crate) fn span(&self) -> Duration {
        match (self.minutes, self.seconds) {
            (Some(minutes), _) => Duration::from_mins(minutes),
            (None, seconds) => Duration::from_secs(seconds.unwrap_or(60)),
        }
    }

    pub(crate) fn wish(&self) -> Wish {
        Wish {
            through_pgbouncer: self.through_pgbouncer,
            is_brisk: self.pace == Pace::Brisk,
            settable_clocks: self.scenario == Scenario::Mixed
                && self.kinds().contains(&Kind::Clock),
            env: self.env.clone(),
        }
    }

    /// What is wanted, or all that there can be.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        if self.faults.is_empty() {
            faults::kinds(self.through_pgbouncer)
        } else {
            self.faults.clone()
        }
    }

    pub(crate) fn old_binaries(&self) -> anyhow::Result<Option<Binaries>> {
        let folder = self.old_bin_dir.as_deref();
        Ok(folder.map(Binaries::in_folder).transpose()?)
    }

    pub(crate) fn binaries(&self) -> anyhow::Result<Binaries> {
        Ok(match &self.bin_dir {
            Some(folder) => Binaries::in_folder(folder)?,
            None => Binaries::find()?,
        })
    }
}

fn rule(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn variable(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("is not NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
