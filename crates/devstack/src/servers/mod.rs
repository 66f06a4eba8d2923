//! Private Postgres, PgBouncer, Redis and RabbitMQ: loopback only, free ports, folders of their own.
//!
//! Each takes up the data that its folder holds, so a stop, a kill, or the end of the holder loses
//! nothing that the server itself promises to keep.
//!
//! The accounts and settings here were tried on Debian 12 (Postgres 15, Redis 7.0, RabbitMQ 3.10).

mod error;
mod home;
mod listening;
mod pgbouncer;
mod postgres;
mod program;
mod rabbitmq;
mod redis;

pub use crate::os::port::free_port;
pub use error::ServerError;
pub use home::Home;
pub use pgbouncer::{PgBouncer, PgBouncerEdition, PgBouncerOptions};
pub use postgres::{Durability, Postgres, PostgresOptions};
pub use program::find_program;
pub use rabbitmq::RabbitMq;
pub use redis::{Redis, RedisOptions};
