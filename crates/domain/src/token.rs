//! Recovery link tokens: what stands behind `/pay/` in a payer's link.
//!
//! A token is derived from the link's id with a secret key, so that a worker
//! that composes a message a second time finds the same link, and nothing that
//! opens a payer's page is kept: Postgres holds the token's SHA-256 only, and a
//! visitor's token is looked up by that hash.
//!
//! The token is the first 24 bytes (192 bits) of HMAC-SHA256, written as 32
//! characters of URL-safe base64. Without the key it cannot be told from
//! random bytes (RFC 2104), and 192 bits are past guessing.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::id::RecoveryLinkId;

/// Bytes of a token before base64.
const TOKEN_BYTES: usize = 24;
/// Characters of a token.
pub const TOKEN_CHARS: usize = 32;
/// Sets these tokens apart from whatever else a key may sign one day.
const CONTEXT: &[u8] = b"tinko-link-v1";

/// The secret that link tokens are derived with. Printing it shows nothing.
///
/// Replacing it leaves links that were already sent valid: they are found by
/// the hash of their token, which needs no key.
pub struct LinkKey(SecretBox<[u8; 32]>);

impl LinkKey {
    /// The key with these 32 bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// Reads a key as settings carry it: padded base64 of 32 bytes, nothing around it.
    pub fn parse(text: &str) -> Result<Self, InvalidLinkKey> {
        let bytes = STANDARD
            .decode(text)
            .map_err(|_| InvalidLinkKey::NotBase64)?;
        let bytes = bytes.try_into().map_err(|_| InvalidLinkKey::WrongLength)?;
        Ok(Self::new(bytes))
    }

    /// HMAC-SHA256 of an id under this key. `context` sets one use of the key apart
    /// from all others: no context begins with another one.
    pub(crate) fn mac(&self, context: &[u8], id: Uuid) -> [u8; 32] {
        // RFC 2104 fills a short key with zero bytes up to SHA-256's block, so this is the plain HMAC.
        let mut block = [0u8; 64];
        block[..32].copy_from_slice(self.0.expose_secret());
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(context);
        mac.update(id.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// Text that is not a link key. Neither sentence repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLinkKey {
    /// Not base64 at all.
    #[error("it is not base64")]
    NotBase64,
    /// Base64 of more or fewer bytes.
    #[error("it must be the base64 of 32 bytes")]
    WrongLength,
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(hidden)")
    }
}

/// A link's token. It lets its holder pay, so it never prints; see [`LinkToken::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct LinkToken(String);

/// Text that cannot be a link token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a link token of {TOKEN_CHARS} URL-safe base64 characters")]
pub struct InvalidToken;

impl LinkToken {
    /// Reads a token from a visitor's address bar. Says nothing on whether a link has it.
    pub fn parse(text: &str) -> Result<Self, InvalidToken> {
        let decoded = URL_SAFE_NO_PAD
            .decode(text.as_bytes())
            .map_err(|_| InvalidToken)?;
        if decoded.len() == TOKEN_BYTES {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidToken)
        }
    }

    /// The token itself, for the link's address and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken(hidden)")
    }
}

/// The token of `link`: the same for the same key and link, on every call.
pub fn derive(key: &LinkKey, link: RecoveryLinkId) -> LinkToken {
    let full = key.mac(CONTEXT, link.uuid());
    LinkToken(URL_SAFE_NO_PAD.encode(&full[..TOKEN_BYTES]))
}

/// The SHA-256 of a token's characters: what Postgres keeps and finds links by.
pub fn hash(token: &LinkToken) -> [u8; 32] {
    Sha256::digest(token.0.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn link(bytes: [u8; 16]) -> RecoveryLinkId {
        RecoveryLinkId::from_uuid(Uuid::from_bytes(bytes))
    }

    #[test]
    fn a_key_reads_back_from_settings_and_nothing_else_does() {
        let text = STANDARD.encode([7; 32]);
        let key = LinkKey::parse(&text).unwrap();
        let link = RecoveryLinkId::from_uuid(uuid::Uuid::nil());
        assert!(derive(&key, link) == derive(&LinkKey::new([7; 32]), link));
        let refused = |text: &str| LinkKey::parse(text).unwrap_err();
        assert_eq!(refused("not base64!"), InvalidLinkKey::NotBase64);
        assert_eq!(refused(&format!("{text} ")), InvalidLinkKey::NotBase64);
        assert_eq!(refused("c2hvcnQ="), InvalidLinkKey::WrongLength);
    }

    #[test]
    fn neither_key_nor_token_prints() {
        let key = LinkKey::new([7; 32]);
        let token = derive(&key, link([1; 16]));
        let printed = format!("{key:?} {token:?}");
        assert!(!printed.contains(token.expose()) && !printed.contains('7'));
    }

    #[test]
    fn a_token_is_the_documented_hmac() {
        // Computed apart from this crate: HMAC-SHA256, key 32 × 0x00, message
        // "tinko-link-v1" and 16 × 0x00, first 24 bytes in URL-safe base64.
        let token = derive(&LinkKey::new([0; 32]), link([0; 16]));
        assert_eq!(token.expose(), "zZ9rxknmw7uyb0LTsydcTWLArNpW-4UE");
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in [
            "",
            "short",
            &"a".repeat(31),
            &"a".repeat(33),
            "../../../../etc/passwd0000000000",
            &"é".repeat(16),
            &"=".repeat(32),
        ] {
            assert_eq!(LinkToken::parse(text), Err(InvalidToken), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_token_reads_back_and_hashes_alike(key: [u8; 32], id: [u8; 16]) {
            let token = derive(&LinkKey::new(key), link(id));
            prop_assert_eq!(token.expose().len(), TOKEN_CHARS);
            let read = LinkToken::parse(token.expose()).unwrap();
            prop_assert_eq!(hash(&read), hash(&token));
        }

        #[test]
        fn another_key_or_link_gives_another_token(a: [u8; 32], b: [u8; 32], x: [u8; 16], y: [u8; 16]) {
            prop_assume!(a != b && x != y);
            let token = derive(&LinkKey::new(a), link(x));
            prop_assert_ne!(&token, &derive(&LinkKey::new(b), link(x)));
            prop_assert_ne!(&token, &derive(&LinkKey::new(a), link(y)));
        }

        #[test]
        fn parsing_never_panics(text in ".*") {
            let _ = LinkToken::parse(&text);
        }
    }
}
