//! Something that listens and can be killed, connections and all.

use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

/// A port is free again once its last listener's thread has let go of it.
const FREE_WITHIN: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(5);

/// What serves a port, in a runtime of its own: when it is dropped, every task that served is gone
/// and every connection closed, as when a process is killed.
#[derive(Debug)]
pub(super) struct Listening {
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Listening {
    /// Serves `address` by `serve`. If another has just let go of it, it may take a moment until it
    /// is free.
    pub(super) async fn start<F>(
        address: SocketAddr,
        serve: impl FnOnce(tokio::net::TcpListener) -> F,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = bind(address).await;
        let address = listener.local_addr().expect("a bound address");
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let entered = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        drop(entered);
        runtime.spawn(serve(listener));
        Self {
            address,
            runtime: Some(runtime),
        }
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // To wait for a runtime is not allowed in another one.
            runtime.shutdown_background();
        }
    }
}

async fn bind(address: SocketAddr) -> TcpListener {
    let deadline = Instant::now() + FREE_WITHIN;
    loop {
        match TcpListener::bind(address) {
            Ok(listener) => {
                listener.set_nonblocking(true).expect("a socket");
                return listener;
            }
            Err(error) => assert!(Instant::now() < deadline, "{address}: {error}"),
        }
        tokio::time::sleep(POLL).await;
    }
}
