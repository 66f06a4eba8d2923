//! Runs a runbook's commands as its reader would.

use std::path::PathBuf;
use std::process::Output;

use anyhow::{Context as _, bail};
use tokio::process::Command;

/// What the runbooks' front page says of these two names.
const NAMES: &str = r#"
psql() { command psql --no-psqlrc --set ON_ERROR_STOP=1 --pset pager=off --dbname "$DATABASE_URL" "$@"; }
redis-cli() { command redis-cli -u "$REDIS_URL" "$@"; }
"#;
/// How often a command is tried: a reader would try again too where the machine is busy.
const TRIES: u32 = 3;
/// How many lines of an answer are shown.
const SHOWN_LINES: usize = 8;
/// How much of a line is shown.
const SHOWN_WIDTH: usize = 150;

/// A shell where the settings of a service are.
#[derive(Debug, Clone)]
pub struct Shell {
    database_url: String,
    redis_url: String,
    programs: PathBuf,
}

impl Shell {
    /// Whose commands reach these servers, and find our programs in the folder `programs`.
    pub const fn new(database_url: String, redis_url: String, programs: PathBuf) -> Self {
        Self {
            database_url,
            redis_url,
            programs,
        }
    }

    /// Runs a command with what stands for the reader's values replaced, shows it and the beginning
    /// of its answer, and gives the answer. A command that fails is an error.
    pub async fn run(&self, command: &str, values: &[(&str, &str)]) -> anyhow::Result<String> {
        self.feed(command, values, None).await
    }

    /// Runs statements, through `psql`.
    pub async fn sql(&self, statements: &str, values: &[(&str, &str)]) -> anyhow::Result<String> {
        self.feed("psql --quiet --file -", values, Some(statements))
            .await
    }

    async fn feed(
        &self,
        command: &str,
        values: &[(&str, &str)],
        input: Option<&str>,
    ) -> anyhow::Result<String> {
        let filled = |text: &str| {
            values.iter().fold(text.to_owned(), |text, (name, value)| {
                text.replace(name, value)
            })
        };
        let script = if let Some(input) = input {
            let input = filled(input);
            show(&input, "psql>");
            format!("{NAMES}{command} <<'STATEMENTS'\n{input}\nSTATEMENTS\n")
        } else {
            let command = filled(command);
            show(&command, "$");
            format!("{NAMES}{command}")
        };
        let mut tries = TRIES;
        loop {
            tries -= 1;
            let output = self.bash(&script).await?;
            let answer = String::from_utf8_lossy(&output.stdout).into_owned();
            if output.status.success() {
                show_answer(&answer);
                return Ok(answer);
            }
            let why = String::from_utf8_lossy(&output.stderr);
            if tries == 0 {
                let status = output.status;
                bail!("the runbook's command failed ({status}): {command}\n{answer}{why}");
            }
            show_answer(&why);
        }
    }

    async fn bash(&self, script: &str) -> anyhow::Result<Output> {
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("bash")
            .args(["-o", "pipefail", "-c", script])
            .env("PATH", format!("{}:{path}", self.programs.display()))
            .env("DATABASE_URL", &self.database_url)
            .env("REDIS_URL", &self.redis_url)
            .env("USER", "drill")
            .env_remove("RUST_BACKTRACE")
            .output();
        output.await.context("bash")
    }
}

#[expect(
    clippy::print_stdout,
    reason = "what a drill does is what it is watched for"
)]
fn show(command: &str, prompt: &str) {
    for line in command.lines() {
        println!("    {prompt} {line}");
    }
}

#[expect(
    clippy::print_stdout,
    reason = "what a drill does is what it is watched for"
)]
fn show_answer(answer: &str) {
    let lines: Vec<_> = answer
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    for line in lines.iter().take(SHOWN_LINES) {
        let line: String = line.chars().take(SHOWN_WIDTH).collect();
        println!("      {}", line.trim_end());
    }
    if let Some(more) = lines
        .len()
        .checked_sub(SHOWN_LINES)
        .filter(|more| *more > 0)
    {
        println!("      … and {more} lines more");
    }
}
