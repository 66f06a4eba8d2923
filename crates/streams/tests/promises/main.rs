//! What the crate promises, against a real Redis.
//!
//! Each test starts a `redis-server` of its own. With `TINKO_TEST_REDIS_URL` set,
//! those that do not harm a server use that one, under a prefix of their own.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod dead_letters;
mod delivery;
mod position;
mod rates;
mod redis_server;
mod redis_trouble;
mod shares;
mod stage;
mod take_over;
