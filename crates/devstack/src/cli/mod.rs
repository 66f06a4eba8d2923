//! The command line.

mod servers;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs Tinko and the servers it needs, privately, on one machine.
#[derive(Debug, Parser)]
#[command(name = "tinko-dev", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Private servers without Tinko.
    #[command(subcommand)]
    Servers(servers::Command),
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Servers(command) => servers::run(command).await,
    }
}
