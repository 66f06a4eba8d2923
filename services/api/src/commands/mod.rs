//! What the binary does besides serving.

pub mod migrate;
pub mod openapi;
pub mod rebuild_rollups;
pub mod seed;

use clap::Command as ClapCommand;
use runtime::cli;

/// What the operator asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Serve, or one of the ways to look before serving.
    Serve(cli::Mode),
    /// Bring Postgres' schema up to date.
    Migrate,
    /// Make an organization with its keys and connections.
    Seed,
    /// Print the OpenAPI document.
    OpenApi,
    /// Count days of an organization anew.
    RebuildRollups(rebuild_rollups::Wanted),
}

/// Reads the process's arguments; on a wrong one it prints what is wrong and
/// ends the process.
pub fn read(service: &'static str, version: &'static str) -> Command {
    let command = cli::command(service, version)
        .subcommand(
            ClapCommand::new("migrate").about("Bring Postgres' schema up to date, and exit"),
        )
        .subcommand(ClapCommand::new("seed").about(
            "Make the organization that the JSON on standard input describes, print its ids and a new API key, and exit",
        ))
        .subcommand(ClapCommand::new("openapi").about("Print the OpenAPI document, and exit"))
        .subcommand(rebuild_rollups::command());
    let matches = command.get_matches();
    match matches.subcommand() {
        Some(("migrate", _)) => Command::Migrate,
        Some(("seed", _)) => Command::Seed,
        Some(("openapi", _)) => Command::OpenApi,
        Some((rebuild_rollups::NAME, arguments)) => {
            Command::RebuildRollups(rebuild_rollups::Wanted::of(arguments))
        }
        _ => Command::Serve(cli::mode_of(&matches)),
    }
}
