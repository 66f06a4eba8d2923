//! What tests of the crates above `domain` stand on: real servers, and each test its own part.
//!
//! Everything here panics when it cannot do its work, since a test that has no database has
//! failed.
//!
//! # What it promises
//!
//! - Two tests never see each other's rows or stream entries, in one process or in several.
//! - The servers are those of `./scripts/test` where it runs the tests, and private ones that end
//!   with the test process elsewhere, so `cargo test -p db` alone works.
//!
//! # Where things are
//!
//! | | |
//! |---|---|
//! | [`TestDatabase`] | a migrated database of one test's own |
//! | [`TestRedis`] | a logical Redis database of one test's own |
//! | [`pooler`] | a PgBouncer of one test's own, in front of its database |
//! | [`amqp_url`] | a RabbitMQ |
//! | [`tls`] | servers that speak TLS, and an authority for them |
//! | [`otlp::Receiver`] | reads the spans that a program exports |
//! | [`eventually`] | awaits a condition that nothing announces |
//!
//! # Recipe: a test with a database
//!
//! ```no_run
//! # async fn test() {
//! let database = testkit::TestDatabase::create().await;
//! let client = database.connect().await;
//! let row = client.query_one("SELECT count(*) FROM organizations", &[]).await;
//! # }
//! ```

#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking, as the crate's doc says once for all"
)]

pub mod otlp;
pub mod tls;

mod database;
mod eventually;
mod memory;
mod redis;
mod servers;

pub use self::redis::TestRedis;
pub use database::TestDatabase;
pub use devstack::servers::{PgBouncer, PgBouncerEdition, PgBouncerOptions, RabbitMq};
pub use eventually::{Settled, eventually};
pub use memory::Memory;
pub use servers::{amqp_url, pooler};
