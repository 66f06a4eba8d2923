//! A Redis database per test.

use redis::aio::MultiplexedConnection;
use redis::{Client, IntoConnectionInfo as _, cmd};

use crate::servers::redis_url;

/// A private server has 4096 logical databases; the last ones would collide with nothing else.
const DATABASES: i64 = 4095;
/// Database 0 holds only the counter that hands out the others.
const COUNTER: &str = "testkit:databases";

/// A logical database that no other running test has, empty, and emptied with the value.
#[derive(Debug)]
pub struct TestRedis {
    url: String,
    prefix: String,
}

impl TestRedis {
    /// Takes the next logical database of the shared server.
    pub async fn create() -> Self {
        let server = redis_url().await;
        let base = server
            .trim_end_matches(|c: char| c.is_ascii_digit())
            .trim_end_matches('/');
        let mut counter = connect(&format!("{base}/0")).await;
        let taken: i64 = cmd("INCR")
            .arg(COUNTER)
            .query_async(&mut counter)
            .await
            .expect("a number");
        let url = format!("{base}/{}", taken % DATABASES + 1);
        let own = Self {
            url,
            prefix: format!("test-{:016x}:", rand::random::<u64>()),
        };
        own.flush().await;
        own
    }

    /// `redis://HOST:PORT/DATABASE`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// For the keys of code that takes a prefix; different for each value.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A plain connection to it, for looking at what a test did.
    pub async fn connect(&self) -> MultiplexedConnection {
        connect(&self.url).await
    }

    /// Loses everything in it, as a Redis that was flushed or restarted empty has.
    pub async fn flush(&self) {
        let mut connection = self.connect().await;
        let flushed = cmd("FLUSHDB").exec_async(&mut connection).await;
        flushed.expect("an empty database");
    }
}

impl Drop for TestRedis {
    /// Best effort: an unflushed database is flushed when its number comes round again.
    fn drop(&mut self) {
        let url = self.url.clone();
        let emptying = std::thread::spawn(move || {
            let run_time = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .ok()?;
            run_time.block_on(async {
                let client = Client::open(url.into_connection_info().ok()?).ok()?;
                let mut connection = client.get_multiplexed_async_connection().await.ok()?;
                cmd("FLUSHDB").exec_async(&mut connection).await.ok()
            })
        });
        let _ = emptying.join();
    }
}

async fn connect(url: &str) -> MultiplexedConnection {
    let client = Client::open(url).expect("a Redis URL");
    client
        .get_multiplexed_async_connection()
        .await
        .expect("a connection to the test's Redis")
}
