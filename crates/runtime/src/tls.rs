//! The one cryptography provider of the process.

/// Makes ring the process's TLS provider. Call it first in each `main`: reqwest panics when a
/// client is built before a provider is there.
///
/// Calling it again changes nothing.
pub fn install_ring() {
    // An error only says that a provider is there already, which is what was wanted.
    let _already_there = rustls::crypto::ring::default_provider().install_default();
}
