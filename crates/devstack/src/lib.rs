//! Runs the whole of Tinko on one machine: private servers, the three services and the sandbox.
//!
//! For development (`tinko-dev up`), for tests that kill real processes, and for benches. It owns
//! everything that it starts and touches nothing else: servers listen on loopback only, on free
//! ports, with folders of their own, so a Postgres or Redis that the machine already runs is left
//! alone.
//!
//! # What it promises
//!
//! - Nothing outlives its holder. A started process is stopped when its value is dropped, and a
//!   small watcher stops it when the holder itself was killed ([`os`]).
//! - A folder's data survives stops and kills: a second start takes it up again.
//! - A start that fails says which program failed and shows the end of its log.
//!
//! # Where things are
//!
//! | module | what is there |
//! |---|---|
//! | [`servers`] | Postgres, PgBouncer, Redis and RabbitMQ, each private |
//! | [`os`] | processes, accounts and ports: what the others are built on |
//! | [`process`] | one of our binaries, running: ready file, log, kill, restart |
//! | [`stack`] | all of it together, with a seeded demo organization |
//! | [`demo`] | the cases that `tinko-dev up --demo` plays |
//!
//! # Recipe: another server
//!
//! Copy `servers/redis.rs`: find its program ([`servers::find_program`]), give it a
//! [`servers::Home`], describe its command in an [`os::Spawn`], and await that it answers.

pub mod demo;
pub mod os;
pub mod process;
pub mod servers;
pub mod stack;

mod binaries;

pub use binaries::{Binaries, BinariesError};
pub use stack::{Stack, StackError, StackOptions};
