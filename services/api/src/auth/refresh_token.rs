//! Refresh tokens: opaque, used once, known by their hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// Random bytes in a token.
const RANDOM: usize = 32;
/// What every token begins with.
const PREFIX: &str = "rt_";

/// A token that was just made.
pub(crate) struct NewRefreshToken {
    /// The token, to be given out this once.
    pub(crate) secret: SecretString,
    /// What is stored.
    pub(crate) hash: [u8; 32],
}

impl NewRefreshToken {
    /// A token with 256 random bits.
    pub(crate) fn generate(rng: &mut (impl Rng + ?Sized)) -> Self {
        let mut random = [0_u8; RANDOM];
        rng.fill_bytes(&mut random);
        let secret = SecretString::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random)));
        Self {
            hash: hash(&secret),
            secret,
        }
    }
}

/// What a token is found by. It has 256 random bits, so a plain hash is enough.
pub(crate) fn hash(token: &SecretString) -> [u8; 32] {
    Sha256::digest(token.expose_secret().as_bytes()).into()
}
