//! `tinko-chaos-selftest`: see its `--help`, and `chaos::mutation`.

use std::process::ExitCode;

use chaos::mutation::{Options, run};
use clap::Parser as _;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chaos-selftest: {error:?}");
            ExitCode::FAILURE
        }
    }
}
