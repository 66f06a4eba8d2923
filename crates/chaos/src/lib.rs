//! The chaos suite: real processes under load and trouble, and an oracle that says whether Tinko
//! kept its promises (`./scripts/test --chaos`).
//!
//! A run starts all of Tinko with two replicas of each service ([`ground`]), has payments fail
//! ([`load`]), does harm by a plan that its seed makes ([`faults`]), waits for calm, and compares
//! what was accepted with what became of it ([`oracle`]).
//!
//! # What it promises
//!
//! - Every fault is undone after seconds, so the system always has what it needs to recover.
//! - What a run judges by is outside of Tinko: the answers that its clients got, the sandbox's
//!   ledger and inboxes, the partners' receiver, the sink's consumer, and Postgres by SQL of its own.
//! - The same seed makes the same cases and the same faults at the same times. What the system
//!   makes of them differs, as threads do.
//!
//! # Where things are
//!
//! | module | what is there |
//! |---|---|
//! | [`ground`] | servers, services, organizations, and the proxies between them |
//! | [`proxy`] | a TCP proxy with weather |
//! | [`load`] | merchants and payers |
//! | [`partner`], [`sink`] | who is told of events |
//! | [`faults`] | what is done to the system |
//! | [`rolling`] | a rolling upgrade that nobody may notice |
//! | [`journal`] | what was seen and done, in a file that outlives the driver |
//! | [`oracle`] | what must hold, and what does not |
//! | [`mutation`] | promises broken on purpose, to see that the oracle says so |
//! | [`run`], [`report`] | a run from its beginning to its last line |
//!
//! # Recipe: another fault
//!
//! Add its [`faults::Kind`] and [`faults::Fault`], draw it in `faults/plan.rs`, do and undo it in
//! `faults/act.rs`.
//!
//! # Recipe: another promise
//!
//! Add what is needed to judge it to [`oracle::Facts`], a file beside `oracle/charges.rs`, and a
//! mutation that breaks it to `mutation/catalogue.rs`.

pub mod faults;
pub mod ground;
pub mod journal;
pub mod load;
pub mod mutation;
mod options;
pub mod oracle;
pub mod partner;
pub mod proxy;
pub mod report;
pub mod rolling;
pub mod run;
pub mod sink;
