//! An HTTP server that keeps what it is sent: Sentry's, or a partner's that repeats it in its error.

use std::sync::{Arc, Mutex};

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};

type Heard = Arc<Mutex<Vec<String>>>;

/// Listens on a free loopback port until it is stopped.
pub(crate) struct Ear {
    pub(crate) port: u16,
    heard: Heard,
    handle: actix_web::dev::ServerHandle,
}

impl Ear {
    /// Answers `status`, with the body that came.
    pub(crate) fn listen(status: u16) -> Self {
        let heard = Heard::default();
        let data = Data::from(Arc::clone(&heard) as Arc<Mutex<Vec<String>>>);
        let server = HttpServer::new(move || {
            let status = actix_web::http::StatusCode::from_u16(status).unwrap();
            let answer = move |body: Bytes, heard: Data<Mutex<Vec<String>>>| async move {
                let text = String::from_utf8_lossy(&body).into_owned();
                heard.lock().unwrap().push(text);
                HttpResponse::build(status).body(body)
            };
            App::new()
                .app_data(data.clone())
                .app_data(web::PayloadConfig::new(16 << 20))
                .default_service(web::to(answer))
        });
        let server = server.workers(1).disable_signals();
        let server = server.bind("127.0.0.1:0").unwrap();
        let port = server.addrs()[0].port();
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self {
            port,
            heard,
            handle,
        }
    }

    /// The bodies so far.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    pub(crate) async fn stop(self) {
        self.handle.stop(false).await;
    }
}
