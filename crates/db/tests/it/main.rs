//! What `db` promises, on a real Postgres, a database to each test.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod card_race;
mod card_tries;
mod claiming;
mod claiming_plan;
mod errors;
mod feed;
mod holds;
mod idempotency;
mod lists_plan;
mod lookup_plan;
mod migrations;
mod notifications;
mod order;
mod outbox;
mod partitions;
mod pool;
mod pooler;
mod reach;
mod retention;
mod rollups;
mod stage;
mod statements;
mod statistics;
mod tenancy;
mod uniqueness;
mod unknown_codes;
mod users;
