//! A partner's server, which takes webhooks or fails.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::Context as _;

/// A running receiver of webhooks.
pub struct Partner {
    address: SocketAddr,
    fails: Arc<AtomicBool>,
    server: ServerHandle,
}

impl Partner {
    /// One on a free port of the loopback address, which takes everything.
    pub fn start() -> anyhow::Result<Self> {
        let fails = Arc::new(AtomicBool::new(false));
        let data = Data::from(Arc::clone(&fails));
        let server = HttpServer::new(move || {
            let receive = web::post().to(receive);
            App::new()
                .app_data(data.clone())
                .route("/{endpoint}", receive)
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0))?;
        let address = server.addrs().first().copied().context("an address")?;
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self {
            address,
            fails,
            server: handle,
        })
    }

    /// Where an endpoint's webhooks go.
    pub fn url(&self, endpoint: usize) -> String {
        format!("http://{}/{endpoint}", self.address)
    }

    /// Whether it answers 503 from now on, having taken nothing.
    pub fn set_failing(&self, fails: bool) {
        self.fails.store(fails, Ordering::Relaxed);
    }

    /// Stops it.
    pub async fn stop(&self) {
        self.server.stop(false).await;
    }
}

async fn receive(fails: Data<AtomicBool>) -> HttpResponse {
    if fails.load(Ordering::Relaxed) {
        HttpResponse::ServiceUnavailable().finish()
    } else {
        HttpResponse::NoContent().finish()
    }
}
