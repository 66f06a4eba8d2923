//! The buckets of one process, for when Redis is away.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use domain::rate::admit;
use streams::rates::Decision;

use super::Holds;

/// Buckets that are kept. Beyond it full ones go first, then all: a flood of
/// addresses must cost neither memory nor anybody's access.
const KEPT: usize = 50_000;

/// Arrival times by bucket, in microseconds since `began`.
pub(super) struct Local {
    began: Instant,
    arrivals: Mutex<HashMap<String, u64>>,
}

impl Default for Local {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            arrivals: Mutex::default(),
        }
    }
}

impl Local {
    pub(super) fn take(&self, holds: &[Holds], cost: u32) -> Decision {
        metrics::counter!("api_rate_decided_without_redis_total").increment(1);
        let now = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buckets: Vec<_> = holds
            .iter()
            .map(|holds| (holds.limit, arrivals.get(&holds.bucket).copied()))
            .collect();
        let admitted = admit(&mut buckets, now, cost);
        if admitted {
            make_room(&mut arrivals, now);
            for (holds, (_, arrival)) in holds.iter().zip(&buckets) {
                arrivals.insert(holds.bucket.clone(), arrival.unwrap_or(now));
            }
        }
        let ahead = |(limit, arrival): &(domain::rate::Limit, _)| limit.ahead(*arrival, now);
        Decision {
            admitted,
            ahead: buckets.iter().map(ahead).collect(),
        }
    }
}

fn make_room(arrivals: &mut HashMap<String, u64>, now: u64) {
    if arrivals.len() < KEPT {
        return;
    }
    arrivals.retain(|_, arrival| *arrival > now);
    if arrivals.len() >= KEPT {
        arrivals.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(bucket: &str) -> [Holds; 1] {
        [Holds {
            policy: "p",
            bucket: bucket.to_owned(),
            limit: "1/min burst 2".parse().unwrap(),
        }]
    }

    #[test]
    fn each_bucket_has_its_own() {
        let local = Local::default();
        let take = |name| local.take(&holds(name), 1).admitted;
        assert!(take("a") && take("a") && !take("a"));
        assert!(take("b"));
    }

    #[test]
    fn a_flood_of_buckets_takes_no_more_memory() {
        let local = Local::default();
        for number in 0..=KEPT {
            local.take(&holds(&number.to_string()), 1);
        }
        assert!(local.arrivals.lock().unwrap().len() <= KEPT);
    }
}
