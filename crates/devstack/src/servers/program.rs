//! Finding a server's program.

use std::path::{Path, PathBuf};

/// The path of `program`: from `PATH`, else from the last of the folders that `pattern` gives (one
/// `*` for one path part, in name order, so that a higher version wins).
pub fn find_program(program: &str, pattern: &str) -> Option<PathBuf> {
    let in_path = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path)
            .map(|folder| folder.join(program))
            .find(|found| found.is_file())
    });
    // Debian's PATH for ordinary users leaves out the folders for system programs.
    let system = || ["/usr/sbin", "/usr/local/sbin"].map(|folder| Path::new(folder).join(program));
    in_path
        .or_else(|| system().into_iter().find(|found| found.is_file()))
        .or_else(|| in_folders(program, pattern))
}

/// Like [`find_program`] without `PATH`.
pub(crate) fn in_folders(program: &str, pattern: &str) -> Option<PathBuf> {
    let mut folders = expand(pattern);
    folders.sort_by_key(|folder| version(folder));
    folders
        .into_iter()
        .rev()
        .map(|folder| folder.join(program))
        .find(|found| found.is_file())
}

fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let entries = std::fs::read_dir(format!("{parent}/"))
        .into_iter()
        .flatten()
        .flatten();
    let matching = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    let after = after.trim_start_matches('/');
    matching
        .map(|entry| entry.path().join(after))
        .filter(|path| path.is_dir())
        .collect()
}

/// The numbers in a path, so that 15 comes after 9.
fn version(path: &Path) -> Vec<u32> {
    let text = path.to_string_lossy();
    text.split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_version_wins() {
        let root = tempfile::tempdir().unwrap();
        for version in ["9", "15", "13"] {
            let folder = root.path().join(version).join("bin");
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("some-server"), "").unwrap();
        }
        let pattern = format!("{}/*/bin", root.path().display());
        let found = find_program("some-server", &pattern).unwrap();
        assert_eq!(found, root.path().join("15/bin/some-server"));
    }

    #[test]
    fn a_program_that_is_nowhere_is_not_found() {
        assert_eq!(find_program("no-such-server", "/nowhere/*/bin"), None);
    }
}
