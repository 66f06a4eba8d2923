//! `tinko-dev`: Tinko on one machine, for development and tests. See `tinko-dev --help`.

mod cli;

use clap::Parser as _;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    // An error means that a provider is installed already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match cli::run(cli::Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tinko-dev: {error:?}");
            ExitCode::FAILURE
        }
    }
}
