//! Keys for other purposes, derived from the ones in a setting.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::Sha256;

use crate::key::{KEY_BYTES, Key, KeyringError, read};

/// A derived key, under the id of the one that it comes from.
pub struct Subkey {
    /// The id.
    pub id: String,
    /// The key.
    pub bytes: SecretBox<[u8; KEY_BYTES]>,
}

impl fmt::Debug for Subkey {
    /// The id only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subkey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// For each key of a setting, in its order, one for `purpose` alone: HMAC-SHA256
/// of the purpose's name, which is what HKDF's expansion of one block is (RFC
/// 5869, section 2.3) for keys that are random already. Whoever learns a
/// derived key learns neither the one it comes from nor those of other purposes.
pub fn subkeys(text: &SecretString, purpose: &str) -> Result<Vec<Subkey>, KeyringError> {
    let keys = read(text)?;
    Ok(keys.iter().map(|key| derive(key, purpose)).collect())
}

fn derive(key: &Key, purpose: &str) -> Subkey {
    let mut block = [0u8; 64];
    block[..KEY_BYTES].copy_from_slice(key.bytes.expose_secret());
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(purpose.as_bytes());
    mac.update(&[1]);
    Subkey {
        id: key.id.clone(),
        bytes: SecretBox::new(Box::new(mac.finalize().into_bytes().into())),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn setting(keys: &[(&str, u8)]) -> SecretString {
        let each = keys
            .iter()
            .map(|(id, byte)| format!("{id}:{}", STANDARD.encode([*byte; 32])));
        each.collect::<Vec<_>>().join(",").into()
    }

    fn bytes(setting: &SecretString, purpose: &str) -> Vec<[u8; 32]> {
        let keys = subkeys(setting, purpose).unwrap();
        keys.iter().map(|key| *key.bytes.expose_secret()).collect()
    }

    #[test]
    fn each_key_gives_one_of_its_own_for_each_purpose() {
        let both = setting(&[("k2", 2), ("k1", 1)]);
        let ids: Vec<_> = subkeys(&both, "a").unwrap();
        assert_eq!(
            ids.iter().map(|key| &*key.id).collect::<Vec<_>>(),
            ["k2", "k1"]
        );
        let (a, b) = (bytes(&both, "a"), bytes(&both, "b"));
        assert_eq!(a, bytes(&both, "a"));
        assert_eq!(a[1], bytes(&setting(&[("k1", 1)]), "a")[0]);
        let mut all = [a, b].concat();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 4);
    }

    #[test]
    fn a_derived_key_is_hkdfs_first_block() {
        // Computed apart: HMAC-SHA256, key 32 × 0x00, message "tinko" 0x01.
        let derived = bytes(&setting(&[("k1", 0)]), "tinko")[0];
        let mut hex = String::new();
        for byte in derived {
            write!(hex, "{byte:02x}").unwrap();
        }
        assert_eq!(
            hex,
            "005f00ac897b7d84d8d8bb34faabc23b4ae2af3d594c3db2eb1bcde175943447"
        );
    }

    #[test]
    fn a_derived_key_does_not_print() {
        let keys = subkeys(&setting(&[("k1", 7)]), "a").unwrap();
        assert_eq!(format!("{keys:?}"), "[Subkey { id: \"k1\", .. }]");
    }
}
