//! Clocks of replicas that can be set ahead and back while they run.
//!
//! Each replica loads libfaketime, which adds to the time of day what a file says. Monotonic time is
//! left alone, as a clock that is set leaves it alone.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Debian's libraries, each architecture's in its folder.
const LIBRARIES: &str = "/usr/lib";
/// The library, for programs with threads.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";
/// How often a program looks into its file, in seconds.
const LOOKS_EVERY: &str = "1";
/// Where libfaketime leaves what it shares between processes.
const SHARED: &str = "/dev/shm";
/// What it is called there, before the process's number.
const SHARED_NAMES: [&str; 2] = ["faketime_shm_", "sem.faketime_sem_"];

/// The replicas' clocks.
#[derive(Debug)]
pub struct Clocks {
    library: PathBuf,
    folder: PathBuf,
}

impl Clocks {
    /// Where libfaketime is installed, keeping each replica's file in `folder`.
    pub(super) fn find(folder: &Path) -> Option<Self> {
        let architectures = std::fs::read_dir(LIBRARIES).ok()?.flatten();
        let mut libraries = architectures.map(|entry| entry.path().join(LIBRARY));
        let library = libraries.find(|library| library.exists())?;
        let folder = folder.join("clocks");
        Some(Self { library, folder })
    }

    /// The environment of every replica; `{name}` in it is the replica's name.
    pub(super) fn env(&self) -> [(&'static str, String); 4] {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        [
            ("LD_PRELOAD", text(&self.library)),
            ("FAKETIME_TIMESTAMP_FILE", text(&self.file("{name}"))),
            ("FAKETIME_CACHE_DURATION", LOOKS_EVERY.to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }

    /// Sets a replica's clock so much ahead of the true time, or right by zero.
    pub(crate) fn set_ahead(&self, replica: &str, by: Duration) -> io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let file = self.file(replica);
        // Whoever reads it finds the old text or the new one.
        let partial = file.with_extension("partial");
        std::fs::write(&partial, format!("+{}\n", by.as_secs()))?;
        std::fs::rename(partial, file)
    }

    fn file(&self, replica: &str) -> PathBuf {
        self.folder.join(replica)
    }
}

impl Drop for Clocks {
    /// A process that was killed leaves what libfaketime shared; so does one that ended.
    fn drop(&mut self) {
        let shared = std::fs::read_dir(SHARED).into_iter().flatten().flatten();
        for path in shared.map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let process = SHARED_NAMES.iter().find_map(|it| name.strip_prefix(it));
            if process.is_some_and(|number| !Path::new("/proc").join(number).exists()) {
                // Another's, perhaps, that may not be removed.
                let _ = std::fs::remove_file(&path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_told_by_its_replicas_own_file() {
        let folder = std::env::temp_dir().join(format!("chaos-clocks-{}", std::process::id()));
        let clocks = Clocks {
            library: PathBuf::from("/lib.so"),
            folder: folder.clone(),
        };
        clocks.set_ahead("api-2", Duration::from_secs(30)).unwrap();
        let [_, (_, file), ..] = clocks.env();
        let file = file.replace("{name}", "api-2");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "+30\n");
        clocks.set_ahead("api-2", Duration::ZERO).unwrap();
        assert_eq!(std::fs::read_to_string(file).unwrap(), "+0\n");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
