//! How fast Tinko is on this machine, against a ceiling that is measured in the same run.
//!
//! A figure alone says as much of the machine as of the program. So each bench also measures what
//! the machine can do at best with the same servers, rows and durability, and prints the ratio.
//!
//! # What it promises
//!
//! - Servers of its own, on loopback, in a folder of its own, with Postgres' durable settings, which
//!   are asked for and must be on ([`ground`]).
//! - What is counted is looked for: accepted events are compared with the rows in Postgres, messages
//!   with what the inbox got. A mismatch is an error, never a figure.
//! - The last line of a bench is `bench=NAME key=value …`, for scripts that compare runs.
//!
//! # Where things are
//!
//! | module | what is there |
//! |---|---|
//! | [`claim`] | due attempts claimed and settled, with few and many stored, against the same updates by hand |
//! | [`charge`] | due charges made at a slow PSP, against Little's law |
//! | [`fairness`] | ten messages of one organization behind a flood of another's |
//! | [`footprint`] | memory, processor, time to ready and size of each service |
//! | [`ingest`] | failure events accepted over HTTP, against pgbench writing the same rows |
//! | [`ingest_batch`] | failures accepted by the batch endpoint, against `COPY` of the same rows |
//! | [`latency`] | from a webhook to the email, idle and at half of the highest rate |
//! | [`pipeline`] | a backlog drained to accepted emails, against the slowest stage alone |
//! | [`read`] | reads with a million transactions of one organization, against `/v1/me` |
//! | [`soak`] | half an hour at seven tenths of the highest rate, and whether anything grows |
//! | [`traces`] | failures handled while the collector of spans is alive, dead, silent, or not set |
//! | [`webhook`], [`load`] | signed Stripe webhooks, sent over a number of connections |
//! | [`ground`], [`database`] | the stack that is measured, and a look into its Postgres |
//! | [`latencies`], [`rate`], [`report`] | figures, and how they are shown |
//!
//! # Recipe: another bench
//!
//! Copy [`ingest`]: start a [`ground::Ground`], measure, check what was counted, measure the ceiling,
//! answer a [`report::Report`]; then name it in `main.rs` and in the README's table.

pub mod charge;
pub mod claim;
pub mod database;
pub mod fairness;
pub mod footprint;
pub mod ground;
pub mod ingest;
pub mod ingest_batch;
pub mod latencies;
pub mod latency;
pub mod load;
pub mod pipeline;
pub mod rate;
pub mod read;
pub mod report;
pub mod soak;
pub mod traces;
pub mod webhook;
