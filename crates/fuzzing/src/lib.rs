//! What every byte from outside goes through before anything is believed, each as one function of bytes.
//!
//! `fuzz/` hands them to libFuzzer (`scripts/fuzz`), which learns from coverage which bytes lead somewhere new. The tests of
//! this crate run each over its seeds and over small changes of them, so that a target cannot rot unnoticed.
//!
//! A target panics when a promise is broken: that nothing from outside panics, that nothing unsigned is taken as genuine,
//! that what is read is written back as it was.

mod posts;
mod seeds;
mod templates;
mod tokens;
mod webhooks;
mod wire;

pub use seeds::{Seed, seeds};

/// One target: its name, and what it does with bytes.
pub struct Target {
    /// As `scripts/fuzz` and `fuzz/fuzz_targets` name it.
    pub name: &'static str,
    /// Panics if the bytes break a promise.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 5] = [
    target("psp_webhook", webhooks::run),
    target("provider_post", posts::run),
    target("stream_entry", wire::run),
    target("template", templates::run),
    target("token_and_cursor", tokens::run),
];

/// Runs the target of this name.
///
/// # Panics
///
/// If the bytes break a promise, or no target has the name.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    assert!(target.is_some(), "there is no target {name}");
    target.inspect(|target| (target.run)(data));
}

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// The first line, without its end, and what follows it: a header and a body.
fn line(data: &[u8]) -> (&str, &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n');
    let (first, rest) = data.split_at(end.unwrap_or(data.len()));
    let rest = rest.get(1..).unwrap_or_default();
    (std::str::from_utf8(first).unwrap_or_default(), rest)
}
