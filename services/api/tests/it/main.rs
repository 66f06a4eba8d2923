//! What the api promises, through real HTTP, on a Postgres and a Redis of each test's own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod acts;
mod analytics;
mod attacks;
mod audit;
mod bad_input;
mod batch;
mod card_tries;
mod classify;
mod codes;
mod conduct;
mod connections;
mod consents;
mod contract;
mod customer;
mod dead_letters;
mod decisions;
mod documented;
mod ends;
mod etags;
mod examples;
mod follower;
mod hosted;
mod idempotency;
mod invitations;
mod keys;
mod links_and_messages;
mod lists;
mod login;
mod maintenance;
mod openapi;
mod orders_of_events;
mod organization;
mod overload;
mod passwords;
mod people;
mod policies;
mod process;
mod psps;
mod rate;
mod receipts;
mod recon;
mod reports;
mod sessions;
mod simulate;
mod stage;
mod statements;
mod stream;
mod templates;
mod tenancy;
mod together;
mod transactions;
mod walk;
mod webhook_endpoints;
mod webhooks;
