//! The keys of this folder's installation: made once, kept beside the data that they open.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::StackError;
use super::folder::Folder;

const FILE: &str = "secrets.json";

#[derive(Serialize, Deserialize)]
pub(super) struct Secrets {
    /// `TINKO__MASTER_KEY`: key id and base64 of 32 bytes.
    pub(super) master_key: String,
    /// `TINKO__LINK_KEY`: base64 of 32 bytes.
    pub(super) link_key: String,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

impl Secrets {
    pub(super) fn load(folder: &Folder) -> Result<Self, StackError> {
        if let Some(kept) = folder.read_json(FILE) {
            return Ok(kept);
        }
        let key = || STANDARD.encode(rand::random::<[u8; 32]>());
        let made = Self {
            master_key: format!("dev:{}", key()),
            link_key: key(),
        };
        folder.write_json(FILE, &made)?;
        Ok(made)
    }
}
