//! Cursors of lists that are sorted by something: where the page before ended, by
//! what the list is sorted by and the row's id. They hold while rows come in.
//!
//! A cursor says of which sort and organization it is, and is taken for no other.
//! Nothing in it is secret, and nothing rests on it: the caller's organization is
//! read from its key, whatever the cursor says.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use db::Tenant;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Longest cursor looked at, in characters.
pub(crate) const LONGEST: usize = 512;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor<P> {
    /// Sort.
    s: String,
    /// Organization.
    o: String,
    /// Place.
    p: P,
}

/// The cursor that goes on after `place` in the organization's list sorted by `sort`.
pub(crate) fn write<P: Serialize>(tenant: Tenant, sort: &str, place: P) -> String {
    let cursor = Cursor {
        s: sort.to_owned(),
        o: mark(tenant),
        p: place,
    };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
}

/// The place that a cursor holds, or what is wrong with it.
pub(crate) fn read<P: DeserializeOwned>(
    tenant: Tenant,
    sort: &str,
    cursor: &str,
) -> Result<P, &'static str> {
    let unknown = "is not one that was answered before";
    let bytes = Some(cursor).filter(|cursor| cursor.len() <= LONGEST);
    let bytes = bytes.and_then(|cursor| URL_SAFE_NO_PAD.decode(cursor).ok());
    let bytes = bytes.ok_or(unknown)?;
    let any: Cursor<serde_json::Value> = serde_json::from_slice(&bytes).map_err(|_| unknown)?;
    if any.o != mark(tenant) {
        return Err(unknown);
    }
    if any.s != sort {
        return Err("is of a list that is sorted otherwise");
    }
    serde_json::from_value(any.p).map_err(|_| unknown)
}

/// What tells organizations' cursors apart.
fn mark(tenant: Tenant) -> String {
    let digest = Sha256::digest(tenant.organization().uuid().as_bytes());
    URL_SAFE_NO_PAD.encode(digest.get(..6).unwrap_or_default())
}
