//! Generates the wire types from `proto/`, in pure Rust: no `protoc` is needed.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let files = protox::compile([root.join("tinko/v1/envelope.proto")], [&root])?;
    prost_build::Config::new().compile_fds(files)?;
    Ok(())
}
