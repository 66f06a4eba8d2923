//! The command line.

#![expect(
    clippy::print_stdout,
    reason = "what it prints is what it is asked for"
)]

mod follow;
mod servers;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Runs Tinko and the servers it needs, privately, on one machine.
#[derive(Debug, Parser)]
#[command(name = "tinko-dev", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts everything and follows the logs until Ctrl-C.
    Up(Box<up::Arguments>),
    /// Private servers without Tinko.
    #[command(subcommand)]
    Servers(servers::Command),
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Up(arguments) => up::run(*arguments).await,
        Command::Servers(command) => servers::run(command).await,
    }
}

/// Ctrl-C, a closed terminal, and the polite request to end.
struct Interruption {
    interrupt: Signal,
    hang_up: Signal,
    terminate: Signal,
}

impl Interruption {
    /// From here on these signals end nothing by themselves.
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for one of them, and gives its number.
    async fn received(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 2,
            _ = self.hang_up.recv() => 1,
            _ = self.terminate.recv() => 15,
        }
    }
}

/// As shells have it for a command that a signal ended.
fn code_of_signal(number: u8) -> ExitCode {
    ExitCode::from(128 + number)
}
