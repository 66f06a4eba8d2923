//! Processes, accounts and ports of the machine.
//!
//! # How a process is kept from outliving its holder
//!
//! Three things see to it, each where the one before cannot act:
//!
//! 1. dropping a [`Child`] signals it and waits;
//! 2. a watcher (a few lines of `sh` in a process group of its own) reads from a pipe whose other
//!    end only the holder has: when the holder dies in whatever way, the pipe closes and the
//!    watcher stops the process and removes what was temporary;
//! 3. a pid file, where one is asked for, names what is left if even the watcher was killed; the
//!    next start reads it and ends exactly that process ([`leftover`]), told from a later process
//!    with the same number by its start time.

pub mod account;
pub mod leftover;
pub mod port;

mod child;
mod exit;
mod memory;
mod output;
mod processor;
mod watcher;

pub use child::{Child, Spawn, SpawnError, Stop};
pub use memory::resident_kib;
pub use output::{Follow, Output, tail};
pub use processor::processor_time;
