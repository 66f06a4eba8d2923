//! `tinko-drill`: see `tinko-drill --help` and the library's front page.

use std::process::ExitCode;

use clap::Parser as _;
use drills::run::{self, Options};

#[tokio::main]
async fn main() -> ExitCode {
    // An error means that a provider is installed already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match Box::pin(run::run(Options::parse())).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("drill: {error:?}");
            ExitCode::FAILURE
        }
    }
}
