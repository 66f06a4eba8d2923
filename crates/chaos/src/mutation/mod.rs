//! Mutations: promises broken on purpose, to see that the oracle says so
//! (`./scripts/test --chaos-selftest`).
//!
//! A mutation is a handful of pieces of our sources and what stands there instead ([`Edit`]). All of
//! them are put into one private copy of the workspace, each asleep until the environment of a
//! program names it ([`VARIABLE`]), so that one build serves for all. The run that follows is short,
//! and its load and faults are chosen so that the mutation surely shows.
//!
//! A mutation that survives says that the oracle or the load has a hole.

mod catalogue;
mod copy;
mod selftest;

pub use catalogue::all;
pub use selftest::{Options, run};

/// Which mutation is awake in a program of the copy.
pub const VARIABLE: &str = "CHAOS_MUTATION";
/// What stands in a replacement for "this mutation is awake".
const AWAKE: &str = "{awake}";

/// One piece of a source, and what stands there instead.
#[derive(Debug, Clone, Copy)]
pub struct Edit {
    /// The file, from the workspace's root.
    pub file: &'static str,
    /// What is there, once.
    pub find: &'static str,
    /// What stands there instead; `{awake}` in it is whether the mutation is awake.
    pub replace: &'static str,
}

/// A promise that is broken on purpose.
#[derive(Debug, Clone, Copy)]
pub struct Mutation {
    /// Its name, and the value of [`VARIABLE`].
    pub name: &'static str,
    /// What the code does wrong then.
    pub wrong: &'static str,
    /// The promise that the oracle must find broken, in the oracle's words.
    pub promise: &'static str,
    /// Options of the run in which it shows.
    pub run: &'static [&'static str],
    /// What is changed.
    pub edits: &'static [Edit],
}

impl Mutation {
    /// Puts its edit into a source.
    fn put(&self, edit: &Edit, source: &str) -> anyhow::Result<String> {
        let places = source.matches(edit.find).count();
        anyhow::ensure!(
            places == 1,
            "{}: what it replaces is in {} {places} times",
            self.name,
            edit.file
        );
        let awake = format!(
            "matches!(std::env::var({VARIABLE:?}).as_deref(), Ok({:?}))",
            self.name
        );
        let instead = edit.replace.replace(AWAKE, &awake);
        Ok(source.replacen(edit.find, &instead, 1))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use super::*;

    #[test]
    fn every_mutation_applies_to_the_sources_as_they_are() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut sources: BTreeMap<&str, String> = BTreeMap::new();
        for mutation in all() {
            assert!(!mutation.edits.is_empty(), "{}", mutation.name);
            for edit in mutation.edits {
                let source = sources
                    .entry(edit.file)
                    .or_insert_with(|| std::fs::read_to_string(root.join(edit.file)).unwrap());
                *source = mutation.put(edit, source).unwrap();
            }
        }
    }

    #[test]
    fn every_mutation_has_a_name_of_its_own_and_sleeps_until_it_is_named() {
        let names: BTreeSet<&str> = all().map(|it| it.name).collect();
        assert_eq!(names.len(), all().count());
        for edit in all().flat_map(|it| it.edits) {
            assert!(edit.replace.contains(AWAKE), "{}", edit.replace);
        }
    }

    #[test]
    fn what_a_mutation_must_break_is_a_promise_of_the_oracle() {
        let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/oracle");
        let judges: String = std::fs::read_dir(oracle)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
            .map(|path| std::fs::read_to_string(path).unwrap())
            .collect();
        for mutation in all() {
            let promise = format!("\"{}\"", mutation.promise);
            assert!(judges.contains(&promise), "{}", mutation.name);
        }
    }
}
