//! Sealing and opening.

use std::fmt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use rand::CryptoRng;
use secrecy::{ExposeSecret, SecretBox, SecretString};

use crate::key::{self, Key, KeyringError};

/// The layout of what [`Keyring::seal`] makes.
const VERSION: u8 = 1;
/// Bytes in a nonce.
const NONCE: usize = 24;
/// The largest secret, in bytes: what is sealed here are keys and passwords,
/// and a document that ends up here is a mistake.
pub const MAX_PLAINTEXT: usize = 64 * 1024;

/// A secret that cannot be sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// More than [`MAX_PLAINTEXT`] bytes.
    #[error("a secret of more than {MAX_PLAINTEXT} bytes is not sealed")]
    TooLong,
}

/// A sealed value that cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is not what this crate seals.
    #[error("the sealed value is damaged or of an unknown version")]
    Malformed,
    /// Its key was removed from the settings too early, or never was there.
    #[error("the sealed value needs the sealing key {id:?}, which is not in the settings")]
    UnknownKey {
        /// What the key is called.
        id: String,
    },
    /// It was changed, or belongs to another row, or the key has another's id.
    #[error("the sealed value does not open: it was changed, moved, or sealed by another key")]
    Refused,
}

/// The keys that this process seals and opens with.
pub struct Keyring {
    /// The first one seals. Never empty.
    sealing: Key,
    older: Vec<Key>,
}

impl Keyring {
    /// Reads `id:base64[,older:base64…]`; one key may come without its id,
    /// which is then `k1`.
    pub fn parse(text: &SecretString) -> Result<Self, KeyringError> {
        let keys = key::read(text)?;
        let mut keys = keys.into_iter();
        Ok(Self {
            sealing: keys.next().ok_or(KeyringError::Empty)?,
            older: keys.collect(),
        })
    }

    /// Seals `plaintext` for `context`, which names the row that it goes into,
    /// such as the organization's and the connection's id.
    pub fn seal<R: CryptoRng + ?Sized>(
        &self,
        plaintext: &[u8],
        context: &[u8],
        rng: &mut R,
    ) -> Result<Vec<u8>, SealError> {
        if plaintext.len() > MAX_PLAINTEXT {
            return Err(SealError::TooLong);
        }
        let mut nonce = [0u8; NONCE];
        rng.fill_bytes(&mut nonce);
        let mut sealed = header(&self.sealing.id);
        let aad = [&sealed, context].concat();
        let payload = Payload {
            msg: plaintext,
            aad: &aad,
        };
        let ciphertext = cipher(&self.sealing)
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| SealError::TooLong)?;
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }

    /// Opens what was sealed for the same `context`. The plaintext is wiped
    /// from memory when it is dropped.
    pub fn open(&self, sealed: &[u8], context: &[u8]) -> Result<SecretBox<Vec<u8>>, OpenError> {
        let Parts {
            key_id,
            header,
            nonce,
            ciphertext,
        } = Parts::of(sealed).ok_or(OpenError::Malformed)?;
        let key = self.key(key_id).ok_or_else(|| OpenError::UnknownKey {
            id: key_id.to_owned(),
        })?;
        let aad = [header, context].concat();
        let payload = Payload {
            msg: ciphertext,
            aad: &aad,
        };
        cipher(key)
            .decrypt(&XNonce::from(*nonce), payload)
            .map(|plaintext| SecretBox::new(Box::new(plaintext)))
            .map_err(|_| OpenError::Refused)
    }

    /// Whether a sealed value should be sealed again: it was not sealed by
    /// the first key. Damaged ones are not outdated; they don't open.
    pub fn is_outdated(&self, sealed: &[u8]) -> bool {
        Parts::of(sealed).is_some_and(|parts| parts.key_id != self.sealing.id)
    }

    fn key(&self, id: &str) -> Option<&Key> {
        std::iter::once(&self.sealing)
            .chain(&self.older)
            .find(|key| key.id == id)
    }
}

impl fmt::Debug for Keyring {
    /// The keys' ids only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let older: Vec<&str> = self.older.iter().map(|key| key.id.as_str()).collect();
        f.debug_struct("Keyring")
            .field("sealing", &self.sealing.id)
            .field("older", &older)
            .finish_non_exhaustive()
    }
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes.expose_secret().into())
}

/// A key's id is at most 32 bytes, which `Key::parse` sees to.
fn header(key_id: &str) -> Vec<u8> {
    let length = u8::try_from(key_id.len()).unwrap_or(u8::MAX);
    [&[VERSION, length], key_id.as_bytes()].concat()
}

/// A sealed value, taken apart.
struct Parts<'a> {
    key_id: &'a str,
    header: &'a [u8],
    nonce: &'a [u8; NONCE],
    ciphertext: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(sealed: &'a [u8]) -> Option<Self> {
        let [VERSION, length, ..] = sealed else {
            return None;
        };
        let (header, rest) = sealed.split_at_checked(2 + usize::from(*length))?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE>()?;
        Some(Self {
            key_id: std::str::from_utf8(&header[2..]).ok()?,
            header,
            nonce,
            ciphertext,
        })
    }
}
