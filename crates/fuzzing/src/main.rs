//! usage: `fuzz-seeds FOLDER`
//!
//! Writes the seeds of every target, each target's in a folder of its own.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .ok_or_else(|| io::Error::other("usage: fuzz-seeds FOLDER"))?;
    for target in fuzzing::TARGETS {
        let folder = folder.join(target.name);
        fs::create_dir_all(&folder)?;
        for seed in fuzzing::seeds(target.name)? {
            fs::write(folder.join(&seed.name), &seed.bytes)?;
        }
    }
    Ok(())
}
