//! Each mutation's run, and whether the oracle caught it.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use clap::Parser;

use super::copy::Copy;
use super::{Mutation, VARIABLE, all};
use crate::oracle;

/// Seeds that are tried: what one seed's load does not meet, another's does.
const SEEDS: [u64; 3] = [1, 2, 3];
/// Of every run: recoveries end within half a minute, so that calm returns within three times that
/// after the load, or never.
const EVERY: [&str; 3] = ["--pace=brisk", "--patience=90", "--discard"];
/// A run in which every mutation sleeps must be kept: else what the others break says nothing. It
/// has all that is done in those of the mutations.
const CONTROL: [&str; 3] = [
    "--seconds=25",
    "--rate=4",
    "--faults=kill,postgres,flush,partner,rabbitmq,provider",
];

/// Breaks promises on purpose, and sees that the oracle of the chaos suite says so.
#[derive(Debug, Clone, Parser)]
#[command(name = "tinko-chaos-selftest", version)]
pub struct Options {
    /// Only these mutations, after commas; without the run in which all of them sleep.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// The workspace.
    #[arg(long, default_value = ".")]
    workspace: PathBuf,
    /// Where the workspace's own build is, which the copy's begins with.
    #[arg(long, default_value = "target")]
    built: PathBuf,
    /// Gets the copy, its build, and each run's output.
    #[arg(long, default_value = "target/chaos-selftest")]
    dir: PathBuf,
    /// Names the mutations, and ends.
    #[arg(long)]
    list: bool,
}

/// Runs; answers whether every mutation was caught.
pub fn run(options: &Options) -> anyhow::Result<bool> {
    if options.list {
        for mutation in all() {
            print(&format!("{:<24} {}", mutation.name, mutation.wrong));
        }
        return Ok(true);
    }
    let wanted = wanted(&options.only)?;
    let folder = std::path::absolute(&options.dir)?;
    std::fs::create_dir_all(&folder)?;
    let copy = Copy::make(&options.workspace, &folder, all())?;
    copy.seed(&options.built)?;
    let stage = Stage {
        programs: copy.build()?,
        folder,
    };
    if options.only.is_empty() {
        stage.control()?;
    }
    print(&format!(
        "{:<24} {:<50} {:>7}",
        "mutation", "promise", "seconds"
    ));
    let mut caught = 0;
    for mutation in &wanted {
        let begun = Instant::now();
        let verdict = stage.verdict(mutation)?;
        caught += usize::from(verdict == Verdict::Caught);
        let seconds = begun.elapsed().as_secs();
        let Mutation { name, promise, .. } = mutation;
        print(&format!("{name:<24} {promise:<50} {seconds:>7}  {verdict}"));
    }
    print(&format!(
        "chaos-selftest: {caught} of {} caught",
        wanted.len()
    ));
    Ok(caught == wanted.len())
}

fn wanted(only: &[String]) -> anyhow::Result<Vec<&'static Mutation>> {
    for name in only {
        ensure!(
            all().any(|it| it.name == name),
            "no mutation is called {name}"
        );
    }
    let is_wanted = |it: &&Mutation| only.is_empty() || only.iter().any(|name| name == it.name);
    Ok(all().filter(is_wanted).collect())
}

/// What is known of a mutation after its runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The oracle named the promise.
    Caught,
    /// A run told of it for certain, and the oracle did not name it.
    Survived,
    /// No run did: the machine was too busy for their servers to start, or for calm to return.
    Unknown,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Caught => "broken, and told",
            Self::Survived => "SURVIVED",
            Self::Unknown => "NO VERDICT: see its logs",
        })
    }
}

/// Where runs are made.
struct Stage {
    /// The mutated programs.
    programs: PathBuf,
    folder: PathBuf,
}

impl Stage {
    fn control(&self) -> anyhow::Result<()> {
        let run = CONTROL.map(str::to_owned);
        for seed in SEEDS {
            let Some(broken) = self.run("asleep", &run, seed)? else {
                continue;
            };
            ensure!(
                broken.is_empty(),
                "with every mutation asleep these were broken: {}; see {}",
                broken.join(", "),
                self.folder.display()
            );
            return Ok(());
        }
        bail!("no run came to a verdict; see {}", self.folder.display())
    }

    fn verdict(&self, mutation: &Mutation) -> anyhow::Result<Verdict> {
        let mut verdict = Verdict::Unknown;
        for seed in SEEDS {
            let mut run: Vec<String> = mutation.run.iter().map(|it| (*it).to_owned()).collect();
            run.push(format!("--env={VARIABLE}={}", mutation.name));
            if is_beyond_repair(mutation.promise) {
                run.push(format!("--until={}", mutation.promise));
            }
            match self.run(mutation.name, &run, seed)? {
                Some(broken) if tells(&broken, mutation.promise) => return Ok(Verdict::Caught),
                Some(broken) if is_certain(&broken, mutation.promise) => {
                    verdict = Verdict::Survived;
                }
                _ => {}
            }
        }
        Ok(verdict)
    }

    /// Plays a run on the mutated programs, judged by this build's own oracle; answers which
    /// promises were broken, or nothing if it came to no verdict.
    fn run(
        &self,
        name: &str,
        options: &[String],
        seed: u64,
    ) -> anyhow::Result<Option<Vec<String>>> {
        let log = self.folder.join(format!("{name}-{seed}.log"));
        let output = Command::new(driver()?)
            .args(EVERY)
            .args(options)
            .args(["--seed", &seed.to_string(), "--bin-dir"])
            .arg(&self.programs)
            .arg("--dir")
            .arg(self.folder.join("runs"))
            .stderr(File::create(&log)?)
            .stdin(Stdio::null())
            .output()
            .context("tinko-chaos")?;
        File::options()
            .append(true)
            .open(&log)?
            .write_all(&output.stdout)?;
        let broken = broken(&String::from_utf8_lossy(&output.stdout));
        // A run that broke off fails, and names no promise.
        Ok((output.status.success() || !broken.is_empty()).then_some(broken))
    }
}

fn is_beyond_repair(promise: &str) -> bool {
    oracle::BEYOND_REPAIR.contains(&promise)
}

/// Whether a run says for certain if a promise was kept: what is still owed is not yet lost, so
/// where calm did not return, little else is known than that.
fn is_certain(broken: &[String], promise: &str) -> bool {
    let is_calm = !broken.iter().any(|it| it == oracle::CALM);
    is_calm || promise == oracle::CALM || is_beyond_repair(promise)
}

/// Whether a promise was broken for certain.
fn tells(broken: &[String], promise: &str) -> bool {
    is_certain(broken, promise) && broken.iter().any(|it| it == promise)
}

/// The promises in a report's lines such as `BROKEN 3 times: no message twice`.
fn broken(report: &str) -> Vec<String> {
    let lines = report
        .lines()
        .filter_map(|line| line.strip_prefix("BROKEN "));
    let promises = lines.filter_map(|line| line.split_once(": "));
    promises.map(|(_, promise)| promise.to_owned()).collect()
}

/// The suite's program, beside this one.
fn driver() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().unwrap_or(Path::new("."));
    Ok(folder.join("tinko-chaos"))
}

#[expect(clippy::print_stdout, reason = "the program's answer")]
fn print(text: &str) {
    println!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_report_says_is_broken_is_read() {
        let report = "calm after 3 s\nBROKEN 2 times: no message twice\nBROKEN 1 times: a STOP is heard\n\
                      VIOLATION no message twice: x\nchaos: 3 violations, seed 1\n";
        assert_eq!(broken(report), ["no message twice", "a STOP is heard"]);
        assert!(broken("chaos: 0 violations, seed 1").is_empty());
    }

    #[test]
    fn what_is_still_owed_is_not_taken_for_lost() {
        let unsunk = "the sink is told everything".to_owned();
        assert!(tells(std::slice::from_ref(&unsunk), &unsunk));
        let broken = [unsunk.clone(), oracle::CALM.to_owned()];
        assert!(!tells(&broken, &unsunk));
        assert!(tells(&broken, oracle::CALM));
        let twice = oracle::BEYOND_REPAIR[0].to_owned();
        assert!(tells(&[twice.clone(), oracle::CALM.to_owned()], &twice));
    }

    #[test]
    fn only_mutations_that_there_are_can_be_wanted() {
        assert_eq!(wanted(&["sweeper-off".to_owned()]).unwrap().len(), 1);
        assert!(wanted(&["sweeper-of".to_owned()]).is_err());
    }
}
