//! A web server that keeps what is posted to it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use tokio::sync::watch;

#[derive(Debug, Clone)]
pub(crate) struct Posted {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Posted {
    pub(crate) fn header(&self, name: &str) -> &str {
        let header = self.headers.iter().find(|(known, _)| known == name);
        &header
            .unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
            .1
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Stripe's event type, Razorpay's event name.
    pub(crate) fn kind(&self) -> String {
        let event = self.json();
        let kind = event["type"].as_str().or(event["event"].as_str());
        kind.unwrap().to_owned()
    }
}

#[derive(Default)]
struct Kept {
    posted: Mutex<Vec<Posted>>,
    refusing: Mutex<usize>,
    count: watch::Sender<usize>,
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    kept: Arc<Kept>,
    server: ServerHandle,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // The stop is under way once asked for; the test does not wait for it.
        drop(self.server.stop(false));
    }
}

/// A receiver that answers 503 to the first `refusing` posts.
pub(crate) fn receiver(refusing: usize) -> Receiver {
    let kept = Arc::new(Kept::default());
    *kept.refusing.lock().unwrap() = refusing;
    let data = web::Data::from(Arc::clone(&kept));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .default_service(web::post().to(keep))
    })
    .workers(1)
    .disable_signals()
    .bind("127.0.0.1:0")
    .unwrap();
    let url = format!("http://{}/hook?shop=7", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    tokio::spawn(server);
    Receiver {
        url,
        kept,
        server: handle,
    }
}

async fn keep(request: HttpRequest, body: web::Bytes, kept: web::Data<Kept>) -> HttpResponse {
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let posted = Posted {
        headers: headers.collect(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    kept.posted.lock().unwrap().push(posted);
    kept.count.send_modify(|count| *count += 1);
    let mut refusing = kept.refusing.lock().unwrap();
    if *refusing > 0 {
        *refusing -= 1;
        return HttpResponse::ServiceUnavailable().finish();
    }
    HttpResponse::Ok().finish()
}

impl Receiver {
    /// Waits until `count` posts have come.
    pub(crate) async fn wait(&self, count: usize) -> Vec<Posted> {
        let mut counted = self.kept.count.subscribe();
        let arrived = tokio::time::timeout(
            Duration::from_secs(20),
            counted.wait_for(|so_far| *so_far >= count),
        )
        .await;
        let posted = self.kept.posted.lock().unwrap().clone();
        let kinds: Vec<&str> = posted.iter().map(|post| post.body.as_str()).collect();
        assert!(
            arrived.is_ok(),
            "{} of {count} came: {kinds:?}",
            posted.len()
        );
        posted
    }
}

pub(crate) fn hmac_hex(secret: &str, message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// Checks `Stripe-Signature` over the raw body with one of the secrets.
pub(crate) fn assert_signed_by_stripe(posted: &Posted, secret: &str) {
    let header = posted.header("stripe-signature");
    let timestamp = header
        .split(',')
        .find_map(|part| part.strip_prefix("t="))
        .expect("a timestamp");
    let expected = hmac_hex(secret, &format!("{timestamp}.{}", posted.body));
    let signed = header
        .split(',')
        .any(|part| part.strip_prefix("v1=") == Some(&expected));
    assert!(signed, "{header}");
}
