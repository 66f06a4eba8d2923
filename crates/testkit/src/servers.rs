//! The servers that the tests of one process share.

use devstack::servers::{
    Durability, PgBouncer, PgBouncerOptions, Postgres, PostgresOptions, RabbitMq, Redis,
};
use tokio::sync::OnceCell;

/// A server of this process. A static is never dropped: its watcher stops it when the process ends.
static POSTGRES: OnceCell<Postgres> = OnceCell::const_new();
static REDIS: OnceCell<Redis> = OnceCell::const_new();
static RABBITMQ: OnceCell<RabbitMq> = OnceCell::const_new();

/// The maintenance database of a Postgres whose role may make databases: the one named by
/// `TINKO_TEST_DATABASE_URL`, else one of this process.
pub(crate) async fn postgres_url() -> String {
    if let Some(url) = given("TINKO_TEST_DATABASE_URL") {
        return url;
    }
    let options = PostgresOptions {
        durability: Durability::Fast,
        ..Default::default()
    };
    let start = || async {
        Postgres::temporary(options)
            .await
            .expect("a private Postgres")
    };
    POSTGRES.get_or_init(start).await.maintenance_url()
}

/// The pooler that the tests' databases are to be reached through, if one is named by
/// `TINKO_TEST_POOLER_URL`.
pub(crate) fn pooler_url() -> Option<String> {
    given("TINKO_TEST_POOLER_URL")
}

/// A PgBouncer of the caller's own in front of the tests' Postgres.
pub async fn pooler(options: PgBouncerOptions) -> PgBouncer {
    PgBouncer::temporary(&postgres_url().await, options)
        .await
        .expect("a private PgBouncer")
}

/// A Redis: the one named by `TINKO_TEST_REDIS_URL`, else one of this process.
pub(crate) async fn redis_url() -> String {
    if let Some(url) = given("TINKO_TEST_REDIS_URL") {
        return url;
    }
    let start = || async { Redis::temporary().await.expect("a private Redis") };
    REDIS.get_or_init(start).await.url()
}

/// A RabbitMQ: the one named by `TINKO_TEST_AMQP_URL`, else one of this process, which takes some
/// seven seconds to start. Tests keep apart by the names of their exchanges and queues.
pub async fn amqp_url() -> String {
    if let Some(url) = given("TINKO_TEST_AMQP_URL") {
        return url;
    }
    let start = || async { RabbitMq::temporary().await.expect("a private RabbitMQ") };
    RABBITMQ.get_or_init(start).await.url()
}

fn given(variable: &str) -> Option<String> {
    std::env::var(variable)
        .ok()
        .filter(|value| !value.is_empty())
}
