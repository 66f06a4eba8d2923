//! Generates the wire types from `proto/`, in pure Rust: no `protoc` is needed.

use std::env;
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    // Asked when it runs, not when it is compiled: a cached build script may
    // have been compiled in another check-out.
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let files = protox::compile([root.join("tinko/v1/envelope.proto")], [&root])?;
    prost_build::Config::new().compile_fds(files)?;
    Ok(())
}
