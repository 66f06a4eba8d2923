//! A merchant's accounts at PSPs, as services use them: their secrets sealed
//! and opened, and the PSP that they lead to.
//!
//! # What it promises
//!
//! - What is sealed for one connection opens for no other: the organization and
//!   the connection are the seal's context.
//! - Credentials that were replaced are noticed at the next use, without a restart.
//! - Nothing here prints a secret.
//!
//! # To seal something more of a connection
//!
//! Add its pair of functions to [`Opener`], both over
//! `db::connections::seal_context`, and a column for it in `db::connections`.

mod opener;
pub mod settings;

pub use opener::{ConnectionTrouble, Opener, SealTrouble, Sealed};
pub use settings::{ConnectionSettings, SETTINGS, SettingsTrouble};
