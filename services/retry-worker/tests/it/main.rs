//! The worker against a real Postgres, a real Redis and a PSP that is played,
//! whose ledger of charges is what counts.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod budget;
mod charging;
mod checkouts;
mod closing;
mod crowded_postgres;
mod dead_workers;
mod decisions;
mod doubt;
mod failed_payment;
mod fair_shares;
mod hand_over;
mod hanging_postgres;
mod held;
mod invoices;
mod messages;
mod not_made;
mod paused;
mod psp_down;
mod races;
mod recon;
mod retention;
mod running;
mod stage;
mod telemetry;
mod traces;
