//! API keys: made here, shown once, known by their hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use runtime::settings::Environment;
use secrecy::SecretString;
use sha2::{Digest, Sha256};

/// Random bytes in a key.
const RANDOM: usize = 32;
/// Characters shown of a key, to tell keys apart.
const SHOWN: usize = 14;
/// What every key begins with.
pub(crate) const PREFIX: &str = "sk_";

/// A key that was just made.
pub struct NewKey {
    /// The key, to be shown this once.
    pub secret: SecretString,
    /// How it begins.
    pub shown_prefix: String,
    /// What is stored.
    pub hash: [u8; 32],
}

impl NewKey {
    /// A key with 256 random bits; its name says whether it is for real money.
    pub fn generate(environment: Environment, rng: &mut (impl Rng + ?Sized)) -> Self {
        let mut random = [0_u8; RANDOM];
        rng.fill_bytes(&mut random);
        let kind = match environment {
            Environment::Production => "live",
            Environment::Staging | Environment::Development => "test",
        };
        let text = format!("{PREFIX}{kind}_{}", URL_SAFE_NO_PAD.encode(random));
        Self {
            shown_prefix: text.chars().take(SHOWN).collect(),
            hash: hash(&text),
            secret: text.into(),
        }
    }
}

/// What a key is found by. It has 256 random bits, so a plain hash is enough.
pub fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}
