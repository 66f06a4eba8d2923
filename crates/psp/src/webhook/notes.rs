//! What merchants, and Tinko itself, wrote to a payment's metadata or notes.

use std::collections::BTreeMap;

use domain::id::{AttemptId, RecoveryId};

use crate::metadata::{ATTEMPT_KEY, RECOVERY_KEY, TRANSACTION_KEY};

/// The entries that mean something to Tinko, and all of them as they are.
pub(super) struct Notes {
    pub(super) transaction_ref: Option<String>,
    pub(super) recovery: Option<RecoveryId>,
    pub(super) attempt: Option<AttemptId>,
    pub(super) locale: Option<String>,
    pub(super) all: BTreeMap<String, String>,
}

impl Notes {
    /// Merchants write what they like: an id that is none is no hint.
    pub(super) fn of(all: BTreeMap<String, String>) -> Self {
        let entry = |key: &str| all.get(key).filter(|text| !text.is_empty()).cloned();
        Self {
            transaction_ref: entry(TRANSACTION_KEY),
            recovery: entry(RECOVERY_KEY).and_then(|text| text.parse().ok()),
            attempt: entry(ATTEMPT_KEY).and_then(|text| text.parse().ok()),
            locale: entry("locale"),
            all,
        }
    }
}
