//! When a PSP or a message provider that is not well is left alone.

use std::num::NonZeroU32;
use std::time::Duration;

use circuit::Limits;
use runtime::settings::Setting;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The longest pause that makes sense, in milliseconds: an hour.
const LONGEST_MS: u32 = 3_600_000;

/// The settings of every service that asks PSPs or message providers.
pub const CIRCUIT_SETTINGS: &[Setting] = &[
    Setting::with_default(
        "TINKO__CIRCUIT_FAILURES",
        "circuit_failures",
        "5",
        "Failures on end after which a PSP, an account there or a message provider is left alone for a while, from 1 to 1000; half of the last 20 do as well.",
    ),
    Setting::with_default(
        "TINKO__CIRCUIT_FIRST_PAUSE_MS",
        "circuit_first_pause_ms",
        "5000",
        "Milliseconds for which it is left alone at first, from 10 to 3600000; doubled each time that it is tried and still not well.",
    ),
    Setting::with_default(
        "TINKO__CIRCUIT_LONGEST_PAUSE_MS",
        "circuit_longest_pause_ms",
        "60000",
        "Most milliseconds for which it is left alone, from 10 to 3600000, unless it asks for more itself.",
    ),
    Setting::with_default(
        "TINKO__CIRCUIT_PROBES",
        "circuit_probes",
        "2",
        "Most requests at once that try it after a pause, from 1 to 100; when as many went well it is used again.",
    ),
];

/// See [`CIRCUIT_SETTINGS`].
#[derive(Debug, Clone, Deserialize)]
pub struct CircuitSettings {
    /// `TINKO__CIRCUIT_FAILURES`.
    #[serde(deserialize_with = "failures")]
    pub circuit_failures: NonZeroU32,
    /// `TINKO__CIRCUIT_FIRST_PAUSE_MS`.
    #[serde(deserialize_with = "pause")]
    pub circuit_first_pause_ms: u32,
    /// `TINKO__CIRCUIT_LONGEST_PAUSE_MS`.
    #[serde(deserialize_with = "pause")]
    pub circuit_longest_pause_ms: u32,
    /// `TINKO__CIRCUIT_PROBES`.
    #[serde(deserialize_with = "probes")]
    pub circuit_probes: NonZeroU32,
}

impl CircuitSettings {
    /// As the breakers take them. A longest pause that is shorter than the first is
    /// the first as well.
    pub fn limits(&self) -> Limits {
        let longest = u64::from(self.circuit_longest_pause_ms);
        let first = u64::from(self.circuit_first_pause_ms).min(longest);
        Limits {
            failures_in_a_row: self.circuit_failures,
            first_pause: Duration::from_millis(first),
            longest_pause: Duration::from_millis(longest),
            probes: self.circuit_probes,
        }
    }
}

fn failures<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NonZeroU32, D::Error> {
    at_most(NonZeroU32::deserialize(deserializer)?, 1_000)
}

fn probes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NonZeroU32, D::Error> {
    at_most(NonZeroU32::deserialize(deserializer)?, 100)
}

fn at_most<E: serde::de::Error>(count: NonZeroU32, most: u32) -> Result<NonZeroU32, E> {
    if count.get() <= most {
        Ok(count)
    } else {
        Err(E::custom(format!("it must be from 1 to {most}")))
    }
}

fn pause<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let millis = u32::deserialize(deserializer)?;
    if (10..=LONGEST_MS).contains(&millis) {
        Ok(millis)
    } else {
        Err(D::Error::custom(format!(
            "it must be from 10 to {LONGEST_MS}"
        )))
    }
}
