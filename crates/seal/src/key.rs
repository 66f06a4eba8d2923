//! Keys and how they are written in the settings.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretBox, SecretString};

/// The id of a key that is given without one.
const ONLY_KEY: &str = "k1";
/// Bytes in a key.
pub(crate) const KEY_BYTES: usize = 32;

/// Settings that hold no usable keys. Names the key by its place, never its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// Nothing is there.
    #[error("no sealing key is given; 32 random bytes in base64 are one")]
    Empty,
    /// Not base64, or not 32 bytes of it.
    #[error("sealing key number {place} must be 32 bytes in base64, optionally as id:key")]
    Malformed {
        /// Counted from 1.
        place: usize,
    },
    /// An id that sealed values can't carry.
    #[error("the id of sealing key number {place} must be 1 to 32 letters, digits, '_' or '-'")]
    BadId {
        /// Counted from 1.
        place: usize,
    },
    /// Two keys share an id, so that nobody could tell which one sealed.
    #[error("sealing key number {place} has the id of an earlier one")]
    Repeated {
        /// Counted from 1.
        place: usize,
    },
}

/// The keys of a setting, `id:base64[,older:base64…]`; never none.
pub(crate) fn read(text: &SecretString) -> Result<Vec<Key>, KeyringError> {
    let parts = text.expose_secret().split(',').map(str::trim);
    let parts = parts.filter(|part| !part.is_empty()).enumerate();
    let mut keys: Vec<Key> = Vec::new();
    for (at, part) in parts {
        let key = Key::parse(part, at + 1)?;
        if keys.iter().any(|earlier| earlier.id == key.id) {
            return Err(KeyringError::Repeated { place: at + 1 });
        }
        keys.push(key);
    }
    if keys.is_empty() {
        return Err(KeyringError::Empty);
    }
    Ok(keys)
}

/// A key and what sealed values call it.
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) bytes: SecretBox<[u8; KEY_BYTES]>,
}

impl Key {
    /// Reads `id:base64`, or base64 alone.
    pub(crate) fn parse(text: &str, place: usize) -> Result<Self, KeyringError> {
        let (id, encoded) = text.split_once(':').unwrap_or((ONLY_KEY, text));
        let id = id.trim();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if id.is_empty() || id.len() > 32 || !id.bytes().all(plain) {
            return Err(KeyringError::BadId { place });
        }
        let mut decoded = STANDARD
            .decode(encoded.trim())
            .map_err(|_| KeyringError::Malformed { place })?;
        let bytes = <[u8; KEY_BYTES]>::try_from(decoded.as_slice());
        decoded.zeroize();
        Ok(Self {
            id: id.to_owned(),
            bytes: SecretBox::new(Box::new(
                bytes.map_err(|_| KeyringError::Malformed { place })?,
            )),
        })
    }
}
