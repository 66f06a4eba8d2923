//! Free loopback ports.

use std::net::{Ipv4Addr, TcpListener};

/// A loopback TCP port that nothing listened on a moment ago.
///
/// Another program may take it before it is used; what starts a server on it must be ready to try
/// another, as those in [`crate::servers`] are.
///
/// # Panics
///
/// If the kernel has no port left on the loopback address, on which nothing here could run.
pub fn free_port() -> u16 {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|bound| bound.local_addr());
    match bound {
        Ok(address) => address.port(),
        Err(error) => panic!("the loopback address has no free port: {error}"),
    }
}

/// Whether a loopback port can be listened on now.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
