//! Sealing secrets that must be stored: PSP credentials, webhook secrets.
//!
//! What it promises:
//!
//! - What is sealed can be read with the key only, and any change to it is
//!   noticed (XChaCha20-Poly1305; its 24-byte nonces may be drawn at random,
//!   draft-irtf-cfrg-xchacha, section 2).
//! - It opens only in the context it was sealed for: an organization's sealed
//!   credentials copied into another's row don't open there.
//! - Keys can be rotated without a pause: the first key seals, all open.
//!
//! Recipe, rotating the key: put the new key first in the setting
//! (`k2:<new>,k1:<old>`), roll it out, seal again every row for which
//! [`Keyring::is_outdated`], then remove the old key.
//!
//! A sealed value is `version (1 byte, 1) | length of the key id (1 byte) |
//! key id | nonce (24 bytes) | ciphertext with its 16-byte tag`. All before
//! the nonce is authenticated along with the context.

mod key;
mod keyring;
mod subkeys;

pub use key::KeyringError;
pub use keyring::{Keyring, MAX_PLAINTEXT, OpenError, SealError};
pub use subkeys::{Subkey, subkeys};
