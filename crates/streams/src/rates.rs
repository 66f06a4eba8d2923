//! Buckets of rate limits, which all replicas share.
//!
//! What a bucket is stands in `domain::rate`; here it is a key that holds the
//! arrival time in microseconds by Redis's clock, and that is gone once the bucket
//! is full. All buckets of a request are asked in one script: one round trip, and
//! either all of them are charged or none.
//!
//! Limits must never hold a request up. An answer is waited for only as long as
//! [`Streams::rates`] was told. After an error, or `SLOW` answers in a row that
//! came too late, Redis is not asked at all: a task of its own tries until it
//! answers again. Whoever gets `None` decides without Redis.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use redis::Script;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use tokio::time::{sleep, timeout};

use crate::{Streams, StreamsError};

/// So many answers in a row that come too late make Redis count as away.
const SLOW: u32 = 3;
/// Between two tries to reach a Redis that is away.
const TRY_AGAIN: Duration = Duration::from_millis(500);
/// How long such a try may take.
const TRY: Duration = Duration::from_secs(1);

/// One of a request's buckets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name, without the prefix. Those of one request must share their hash
    /// tag, the part in braces, so that a Redis Cluster has them in one place.
    pub name: String,
    /// Microseconds in which one unit comes back.
    pub interval: u64,
    /// How many units it holds.
    pub burst: u32,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether every bucket had enough; if not, none was charged.
    pub admitted: bool,
    /// How far each bucket is from full now, in microseconds.
    pub ahead: Vec<u64>,
}

/// The buckets, in one Redis. Cheap to clone; clones share the connection.
#[derive(Clone)]
pub struct Rates {
    connection: ConnectionManager,
    script: Arc<Script>,
    prefix: String,
    patience: Duration,
    breaker: Arc<Breaker>,
}

#[derive(Default)]
struct Breaker {
    closed: AtomicBool,
    trying: AtomicBool,
    late: AtomicU32,
}

impl std::fmt::Debug for Rates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rates")
            .field("prefix", &self.prefix)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

impl Streams {
    /// The buckets in this Redis; an answer is waited for up to `patience`. Must
    /// be called within a Tokio runtime, on which the connection lives.
    pub fn rates(&self, patience: Duration) -> Result<Rates, StreamsError> {
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(TRY))
            .set_response_timeout(Some(TRY));
        let connection = ConnectionManager::new_lazy_with_config(self.client.clone(), config)
            .map_err(|source| StreamsError::BadUrl { source })?;
        let rates = Rates {
            connection,
            script: Arc::new(Script::new(include_str!("rates.lua"))),
            prefix: self.keys.prefix().to_owned(),
            patience,
            breaker: Arc::default(),
        };
        rates.try_until_it_answers();
        Ok(rates)
    }
}

impl Rates {
    /// Asks all `buckets` for `cost`. `None` if Redis does not answer in time.
    pub async fn take(&self, buckets: &[Bucket], cost: u32) -> Option<Decision> {
        self.take_at(buckets, cost, 0).await
    }

    /// Whether Redis is asked at present.
    pub fn is_shared(&self) -> bool {
        self.breaker.closed.load(Relaxed)
    }

    /// As [`Rates::take`], at `now` in microseconds by another clock than Redis's,
    /// unless it is 0.
    pub async fn take_at(&self, buckets: &[Bucket], cost: u32, now: u64) -> Option<Decision> {
        if !self.is_shared() {
            return None;
        }
        let mut call = self.script.prepare_invoke();
        call.arg(now).arg(cost);
        for bucket in buckets {
            call.key(format!("{}:rate:{}", self.prefix, bucket.name));
            call.arg(bucket.interval).arg(bucket.burst);
        }
        let mut connection = self.connection.clone();
        let asked = call.invoke_async::<Vec<u64>>(&mut connection);
        match timeout(self.patience, asked).await {
            Ok(Ok(answer)) => {
                self.breaker.late.store(0, Relaxed);
                let (admitted, ahead) = answer.split_first()?;
                Some(Decision {
                    admitted: *admitted == 1,
                    ahead: ahead.to_vec(),
                })
            }
            Ok(Err(error)) => {
                self.open(&error.to_string());
                None
            }
            Err(_late) => {
                if self.breaker.late.fetch_add(1, Relaxed) + 1 >= SLOW {
                    self.open("Redis is slow");
                }
                None
            }
        }
    }

    /// Of all the calls that find it so at once, one tells.
    fn open(&self, why: &str) {
        if self.breaker.closed.swap(false, Relaxed) {
            tracing::warn!(why, "rate limits are each process's own for now");
        }
        self.try_until_it_answers();
    }

    fn try_until_it_answers(&self) {
        if self.breaker.trying.swap(true, Relaxed) {
            return;
        }
        let (mut connection, breaker) = (self.connection.clone(), Arc::downgrade(&self.breaker));
        let script = Arc::clone(&self.script);
        tokio::spawn(async move {
            loop {
                let loaded = timeout(TRY, script.load_async(&mut connection)).await;
                let Some(breaker) = breaker.upgrade() else {
                    return;
                };
                if matches!(loaded, Ok(Ok(_))) {
                    breaker.late.store(0, Relaxed);
                    breaker.trying.store(false, Relaxed);
                    breaker.closed.store(true, Relaxed);
                    return;
                }
                drop(breaker);
                sleep(TRY_AGAIN).await;
            }
        });
    }
}
