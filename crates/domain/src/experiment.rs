//! Which arm of a policy's experiment a transaction is in.
//!
//! An arm is a variant of the policy, the policy as it stands, or the hold-out:
//! recoveries that are watched and never acted on, so that what Tinko wins back
//! can be told from what would have come back anyway.
//!
//! # How it is assigned
//!
//! SHA-256 over a fixed salt, the experiment's key and the transaction's id
//! gives each transaction a bucket of 10,000. The hold-out takes its buckets
//! from the top downwards, the variants theirs from the bottom upwards in the
//! document's order, and those between follow the policy as it stands:
//!
//! ```text
//! 0                                                              10,000
//! | first variant | second variant | the policy as it stands | hold-out |
//! ```
//!
//! So the hold-out does not depend on the variants, a new variant at the end
//! takes from the policy as it stands alone, and when weights change only the
//! buckets between an old border and its new place change hands. A new key
//! deals anew. Nothing of this may change between releases.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::id::TransactionId;
use crate::policy::RetryPolicy;

/// Weights are in basis points: hundredths of a percent.
pub const BASIS_POINTS: u32 = 10_000;

const SALT: &[u8] = b"tinko.experiment.v1";

/// The name of a variant: 1 to 64 ASCII letters, digits, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VariantName(String);

/// Text that is not the name of a variant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected 1 to 64 letters, digits, `-` and `_`, and not `hold_out`, which names those held out"
)]
pub struct InvalidVariantName;

/// The arm that a transaction is in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The variant; none for the policy as it stands, and for the hold-out.
    pub variant: Option<VariantName>,
    /// Whether it is watched only, and never acted on.
    pub hold_out: bool,
}

/// The arm of a policy's experiment that `unit` is in; without an experiment,
/// the policy as it stands. The same key and weights give the same answer for ever.
pub fn assign(policy: &RetryPolicy, unit: TransactionId) -> Assignment {
    let Some(experiment) = &policy.document().experiment else {
        return Assignment::default();
    };
    let bucket = bucket(&experiment.key, unit);
    if bucket >= BASIS_POINTS.saturating_sub(experiment.hold_out) {
        return Assignment {
            variant: None,
            hold_out: true,
        };
    }
    let mut border = 0u32;
    let variant = experiment.variants.iter().find(|variant| {
        border = border.saturating_add(variant.weight);
        bucket < border
    });
    Assignment {
        variant: variant.map(|variant| variant.name.clone()),
        hold_out: false,
    }
}

/// A number below [`BASIS_POINTS`]. Of 2^64 values no bucket has more than one
/// in 10^15 above its share.
fn bucket(key: &str, unit: TransactionId) -> u32 {
    let mut hash = Sha256::new();
    hash.update(SALT);
    hash.update([0]);
    hash.update(key.as_bytes());
    hash.update([0]);
    hash.update(unit.uuid().as_bytes());
    let digest = hash.finalize();
    let number = digest
        .iter()
        .take(8)
        .fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
    u32::try_from(number % u64::from(BASIS_POINTS)).unwrap_or(0)
}

impl VariantName {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, InvalidVariantName> {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let valid = (1..=64).contains(&text.len()) && text.bytes().all(word) && text != "hold_out";
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidVariantName)
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for VariantName {
    type Error = InvalidVariantName;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}
impl From<VariantName> for String {
    fn from(name: VariantName) -> Self {
        name.0
    }
}
impl std::fmt::Display for VariantName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
