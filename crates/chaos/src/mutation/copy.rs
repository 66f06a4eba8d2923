//! The private copy of the workspace that the mutations are put into, and its build.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::Mutation;

/// What is not source: what tools build, fetch and remember.
const LEFT_OUT: [&str; 7] = [
    "target",
    ".git",
    "node_modules",
    ".cache",
    ".dev",
    ".hypothesis",
    ".schemathesis",
];
/// The programs that a run starts.
const PROGRAMS: [&str; 4] = ["api", "retry-worker", "notifier", "sandbox"];
/// What Cargo needs to see that a dependency is built already.
const SEED: [&str; 3] = ["deps", "build", ".fingerprint"];

/// A copy of the workspace, with mutations.
pub(super) struct Copy {
    sources: PathBuf,
    target: PathBuf,
}

impl Copy {
    /// Makes one in `folder`, or brings the one there up to date: what has not changed keeps its
    /// time, so that Cargo builds only what has.
    pub(super) fn make<'a>(
        workspace: &Path,
        folder: &Path,
        mutations: impl Iterator<Item = &'a Mutation>,
    ) -> anyhow::Result<Self> {
        let copy = Self {
            sources: folder.join("sources"),
            target: folder.join("target"),
        };
        let mut edited: BTreeMap<PathBuf, String> = BTreeMap::new();
        for mutation in mutations {
            for edit in mutation.edits {
                let path = PathBuf::from(edit.file);
                let source = match edited.remove(&path) {
                    Some(source) => source,
                    None => fs::read_to_string(workspace.join(&path)).context(edit.file)?,
                };
                edited.insert(path, mutation.put(edit, &source)?);
            }
        }
        let mut there = BTreeSet::new();
        for path in files(workspace, Path::new(""))? {
            let (from, to) = (workspace.join(&path), copy.sources.join(&path));
            match edited.get(&path) {
                Some(source) => write_if_other(&to, source.as_bytes())?,
                None => copy_if_other(&from, &to)?,
            }
            there.insert(path);
        }
        for path in files(&copy.sources, Path::new(""))? {
            if !there.contains(&path) {
                fs::remove_file(copy.sources.join(&path))?;
            }
        }
        Ok(copy)
    }

    /// Begins with the dependencies that the workspace has built.
    pub(super) fn seed(&self, built: &Path) -> anyhow::Result<()> {
        let (from, to) = (built.join("debug"), self.target.join("debug"));
        if to.is_dir() {
            return Ok(());
        }
        // Complete, or not there: one that was broken off is begun anew.
        let partial = self.target.join("partial");
        let _ = fs::remove_dir_all(&partial);
        for path in files(&from, Path::new(""))? {
            let is_wanted = SEED.iter().any(|name| path.starts_with(name));
            if is_wanted && !is_program(&path) {
                copy(&from.join(&path), &partial.join(&path))?;
            }
        }
        if partial.is_dir() {
            fs::rename(partial, to)?;
        }
        Ok(())
    }

    /// Builds what a run starts; answers where it is. Of the whole workspace, so that dependencies
    /// have the features with which they are built already.
    pub(super) fn build(&self) -> anyhow::Result<PathBuf> {
        let programs = PROGRAMS.iter().flat_map(|name| ["--bin", name]);
        let status = Command::new("cargo")
            .args(["build", "--workspace"])
            .args(programs)
            .current_dir(&self.sources)
            .env("CARGO_TARGET_DIR", &self.target)
            .status()
            .context("cargo")?;
        ensure!(status.success(), "the mutated workspace does not build");
        Ok(self.target.join("debug"))
    }
}

/// Whether it is a linked program, such as a test: two thirds of what lies there, and no use.
/// Build scripts lie elsewhere, and are wanted.
fn is_program(path: &Path) -> bool {
    path.starts_with("deps") && path.extension().is_none()
}

/// Every file below, from `root`.
fn files(root: &Path, below: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let folder = root.join(below);
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        let kind = entry.file_type()?;
        if LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if kind.is_dir() {
            found.extend(files(root, &path)?);
        } else if kind.is_file() {
            found.push(path);
        }
    }
    Ok(found)
}

fn write_if_other(to: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    fs::create_dir_all(to.parent().context("a folder")?)?;
    fs::write(to, bytes).with_context(|| to.display().to_string())
}

fn copy_if_other(from: &Path, to: &Path) -> anyhow::Result<()> {
    if !to.exists() {
        return copy(from, to);
    }
    let bytes = fs::read(from)?;
    write_if_other(to, &bytes)
}

/// With its time and its permissions: what was built from it elsewhere is built.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to.parent().context("a folder")?)?;
    fs::copy(from, to).with_context(|| to.display().to_string())?;
    let modified = fs::metadata(from)?.modified()?;
    let mut open = fs::File::options();
    // Even what may not be written: its owner may set its time.
    open.read(true).open(to)?.set_modified(modified)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let name = format!("chaos-copy-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("workspace/target")).unwrap();
        folder
    }

    #[test]
    fn a_copy_follows_its_workspace_and_leaves_alone_what_is_the_same() {
        let folder = folder("follows");
        let workspace = folder.join("workspace");
        for (name, text) in [("kept", "1"), ("gone", "2"), ("target/built", "3")] {
            fs::write(workspace.join(name), text).unwrap();
        }
        let none = || std::iter::empty::<&Mutation>();
        Copy::make(&workspace, &folder, none()).unwrap();
        let kept = folder.join("sources/kept");
        let before = fs::metadata(&kept).unwrap().modified().unwrap();
        fs::remove_file(workspace.join("gone")).unwrap();
        fs::write(workspace.join("new"), "4").unwrap();
        Copy::make(&workspace, &folder, none()).unwrap();
        let names = files(&folder.join("sources"), Path::new("")).unwrap();
        let names: BTreeSet<PathBuf> = names.into_iter().collect();
        assert_eq!(names, BTreeSet::from(["kept".into(), "new".into()]));
        assert_eq!(fs::metadata(&kept).unwrap().modified().unwrap(), before);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_copy_has_its_mutations_and_the_workspace_has_not() {
        const AWAKE: Mutation = Mutation {
            name: "asleep",
            wrong: "",
            promise: "",
            run: &[],
            edits: &[super::super::Edit {
                file: "source",
                find: "true",
                replace: "!{awake}",
            }],
        };
        let folder = folder("mutated");
        let workspace = folder.join("workspace");
        fs::write(workspace.join("source"), "fn kept() -> bool { true }").unwrap();
        Copy::make(&workspace, &folder, std::iter::once(&AWAKE)).unwrap();
        let mutated = fs::read_to_string(folder.join("sources/source")).unwrap();
        assert_eq!(
            mutated,
            r#"fn kept() -> bool { !matches!(std::env::var("CHAOS_MUTATION").as_deref(), Ok("asleep")) }"#
        );
        let kept = fs::read_to_string(workspace.join("source")).unwrap();
        assert!(kept.ends_with("{ true }"));
        fs::remove_dir_all(folder).unwrap();
    }
}
