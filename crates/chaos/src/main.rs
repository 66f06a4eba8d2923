//! `tinko-chaos`: see `tinko-chaos --help` and the library's front page.

use std::process::ExitCode;

use chaos::run::{self, Options};
use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    // An error means that a provider is installed already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run::run(Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chaos: {error:?}");
            ExitCode::FAILURE
        }
    }
}
