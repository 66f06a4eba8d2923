//! Free loopback ports.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// The first port looked at. From here to [`LAST`] the kernel gives no port to a connection that goes
/// out, nor to who asks for any: Linux does so from 32768 on (`ip_local_port_range`).
const FIRST: u16 = 20_000;
/// The last port looked at.
const LAST: u16 = 32_767;
/// How many there are.
const SPAN: u16 = LAST - FIRST + 1;

/// How far this process has got. It begins anywhere, so that processes do not meet.
static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| {
    // A hasher's key is the standard library's randomness.
    let chance = RandomState::new().build_hasher().finish();
    AtomicU16::new(u16::try_from(chance % u64::from(SPAN)).unwrap_or_default())
});

/// A loopback TCP port that nothing listened on a moment ago, and that this process was not given before.
///
/// Another program may take it before it is used; what starts a server on it must be ready to try
/// another, as those in [`crate::servers`] are.
///
/// # Panics
///
/// If no port is left on the loopback address, on which nothing here could run.
pub fn free_port() -> u16 {
    for _ in 0..SPAN {
        let port = FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % SPAN;
        if is_free(port) {
            return port;
        }
    }
    panic!("the loopback address has no free port from {FIRST} to {LAST}")
}

/// Whether a loopback port can be listened on now.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
