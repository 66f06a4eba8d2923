//! `Idempotency-Key`, as Stripe documents it: the first answer is kept, whether it succeeded or
//! failed, once the call began to execute; other parameters under the same key are refused; so is a
//! call while the first is still in flight. Keys are forgotten after 24 hours.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::errors::StripeError;
use super::form::Params;

/// Stripe says that keys may be removed once they are at least so old.
const KEPT: TimeDelta = TimeDelta::hours(24);

/// Stripe's limit on a key's length.
const LONGEST: usize = 255;

/// What a key stands for; another call under the same key is a mistake of the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub(crate) path: String,
    pub(crate) params: Params,
}

/// An answer that is given again.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) request_id: String,
}

#[derive(Debug)]
enum Progress {
    InFlight,
    Answered(Stored),
}

#[derive(Debug)]
struct Entry {
    fingerprint: Fingerprint,
    progress: Progress,
    since: DateTime<Utc>,
}

#[derive(Default)]
pub(crate) struct Keys(HashMap<String, Entry>);

impl Keys {
    /// Claims the key for a call: none means that the call may act and must then [`Self::settle`].
    pub(crate) fn claim(
        &mut self,
        key: &str,
        fingerprint: Fingerprint,
        now: DateTime<Utc>,
    ) -> Result<Option<Stored>, StripeError> {
        if key.len() > LONGEST {
            return Err(StripeError::KeyTooLong);
        }
        if let Some(entry) = self.0.get(key)
            && now - entry.since < KEPT
        {
            if entry.fingerprint != fingerprint {
                return Err(StripeError::KeyReused(key.to_owned()));
            }
            return match &entry.progress {
                Progress::InFlight => Err(StripeError::KeyInUse(key.to_owned())),
                Progress::Answered(stored) => Ok(Some(stored.clone())),
            };
        }
        let progress = Progress::InFlight;
        self.0.insert(
            key.to_owned(),
            Entry {
                fingerprint,
                progress,
                since: now,
            },
        );
        Ok(None)
    }

    /// Ends a claim: with the answer to keep, or with none when the call never began to execute.
    pub(crate) fn settle(&mut self, key: &str, answer: Option<Stored>) {
        match answer {
            None => {
                self.0.remove(key);
            }
            Some(stored) => {
                if let Some(entry) = self.0.get_mut(key) {
                    entry.progress = Progress::Answered(stored);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(params: &str) -> Fingerprint {
        Fingerprint {
            path: "/v1/payment_intents".to_owned(),
            params: Params::parse(params.as_bytes()),
        }
    }

    #[test]
    fn a_key_is_in_use_then_answered_then_forgotten_after_a_day() {
        let mut keys = Keys::default();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        assert!(keys.claim("k", call("amount=5"), now).unwrap().is_none());
        let busy = keys.claim("k", call("amount=5"), now);
        assert!(matches!(busy, Err(StripeError::KeyInUse(_))));
        let stored = Stored {
            status: 402,
            body: Value::Null,
            request_id: "req_1".to_owned(),
        };
        keys.settle("k", Some(stored));
        let replayed = keys.claim("k", call("amount=5"), now).unwrap();
        assert_eq!(replayed.unwrap().status, 402);
        let reused = keys.claim("k", call("amount=6"), now);
        assert!(matches!(reused, Err(StripeError::KeyReused(_))));
        assert!(
            keys.claim("k", call("amount=6"), now + KEPT)
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn a_call_that_never_began_leaves_the_key_free() {
        let mut keys = Keys::default();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        assert!(keys.claim("k", call("amount=-1"), now).unwrap().is_none());
        keys.settle("k", None);
        assert!(keys.claim("k", call("amount=1"), now).unwrap().is_none());
    }
}
