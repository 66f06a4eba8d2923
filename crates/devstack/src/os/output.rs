//! Where a process's output goes: to its log file, and on to the terminal if it is followed.

use std::fs::File;
use std::io::{BufRead as _, BufReader, PipeReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

/// Gets each line of a followed process, without its line end.
#[derive(Clone)]
pub struct Follow(Arc<dyn Fn(&str) + Send + Sync>);

impl Follow {
    /// Calls `each` on a thread of its own per process.
    pub fn new(each: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(each))
    }
}

impl std::fmt::Debug for Follow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Follow")
    }
}

/// Where standard output and standard error go, both to the same place.
#[derive(Debug, Clone)]
pub struct Output {
    /// Is appended to, and made if it is not there.
    pub log: PathBuf,
    /// Also gets each line.
    pub follow: Option<Follow>,
}

impl Output {
    /// To a log file only.
    pub fn to(log: impl Into<PathBuf>) -> Self {
        let log = log.into();
        Self { log, follow: None }
    }

    /// The two ends to give to the process: standard output and standard error.
    pub(crate) fn open(&self) -> std::io::Result<(Stdio, Stdio)> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let Some(follow) = self.follow.clone() else {
            return Ok((log.try_clone()?.into(), log.into()));
        };
        let (reader, writer) = std::io::pipe()?;
        std::thread::Builder::new()
            .name("follow-log".to_owned())
            .spawn(move || copy_lines(reader, log, &follow))?;
        Ok((writer.try_clone()?.into(), writer.into()))
    }
}

/// Ends when the last writer, the process or a child of it, has closed its end.
fn copy_lines(reader: PipeReader, mut log: File, follow: &Follow) {
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while reader
        .read_until(b'\n', &mut line)
        .is_ok_and(|read| read > 0)
    {
        // A full disk must not stop the process by blocking its output.
        let _ = log.write_all(&line);
        (follow.0)(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
}

/// The last lines of a log file, for error messages; empty if it cannot be read.
pub fn tail(log: &Path, lines: usize) -> String {
    /// Enough for the lines asked for, unless they are very long.
    const WINDOW: u64 = 16 * 1024;
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(WINDOW)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let text = String::from_utf8_lossy(&read().unwrap_or_default()).into_owned();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
