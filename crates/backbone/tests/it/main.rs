//! What commits is published, whatever Redis does meanwhile.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod dead_letters;
mod lanes;
mod readiness;
mod relay;
mod stage;
mod sweeping;
mod tls;
