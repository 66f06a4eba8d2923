//! The partners' receiver of webhooks: verifies each by Standard Webhooks, and can be told to be
//! slow or to fail.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Bytes, Data, Path};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

/// How the receiver answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mood {
    /// 204, at once.
    #[default]
    Well,
    /// 204, so much later.
    Slow(Duration),
    /// 503, having taken nothing.
    Failing,
}

/// An event that was taken, and how often it came.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    /// Whose.
    pub organization: String,
    /// Its type, such as `recovery.opened`.
    pub kind: String,
    /// How often it was answered with success.
    pub copies: usize,
}

#[derive(Default)]
struct Book {
    mood: Mood,
    secrets: BTreeMap<String, Vec<u8>>,
    taken: BTreeMap<String, Taken>,
    /// What was wrong with what came.
    faults: Vec<String>,
}

/// A running receiver.
pub struct Partner {
    address: SocketAddr,
    book: Arc<Mutex<Book>>,
    server: ServerHandle,
}

impl Partner {
    /// One on a free port of the loopback address.
    pub fn start() -> anyhow::Result<Self> {
        let book = Arc::new(Mutex::new(Book::default()));
        let data = Data::new(Arc::clone(&book));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .route("/{organization}", web::post().to(receive))
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0))?;
        let address = server.addrs().first().copied().context("an address")?;
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self {
            address,
            book,
            server: handle,
        })
    }

    /// Where an organization's webhooks go.
    pub fn url(&self, organization: &str) -> String {
        format!("http://{}/{organization}", self.address)
    }

    /// From now on the organization's webhooks must be signed with this secret.
    pub fn expect_signatures(&self, organization: &str, secret: &str) -> anyhow::Result<()> {
        let text = secret.strip_prefix("whsec_").context("a secret")?;
        let secret = STANDARD.decode(text)?;
        locked(&self.book)
            .secrets
            .insert(organization.to_owned(), secret);
        Ok(())
    }

    /// Changes how it answers.
    pub fn set_mood(&self, mood: Mood) {
        locked(&self.book).mood = mood;
    }

    /// Every event that was taken, by its id.
    pub fn taken(&self) -> BTreeMap<String, Taken> {
        locked(&self.book).taken.clone()
    }

    /// What came that no partner could have taken.
    pub fn faults(&self) -> Vec<String> {
        locked(&self.book).faults.clone()
    }

    /// Stops it.
    pub async fn stop(&self) {
        self.server.stop(false).await;
    }
}

fn locked(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn receive(
    organization: Path<String>,
    request: HttpRequest,
    body: Bytes,
    book: Data<Arc<Mutex<Book>>>,
) -> HttpResponse {
    let mood = locked(&book).mood;
    match mood {
        Mood::Well => {}
        Mood::Slow(delay) => tokio::time::sleep(delay).await,
        Mood::Failing => return HttpResponse::ServiceUnavailable().finish(),
    }
    let mut book = locked(&book);
    match genuine(&book, &organization, &request, &body) {
        Ok((id, kind)) => {
            let taken = book.taken.entry(id).or_default();
            taken.organization.clone_from(&organization);
            taken.kind = kind;
            taken.copies += 1;
            HttpResponse::NoContent().finish()
        }
        Err(fault) => {
            book.faults.push(format!("{organization}: {fault}"));
            HttpResponse::BadRequest().finish()
        }
    }
}

/// The event's id and type, if it was signed as it must be and its body agrees with its header.
fn genuine(
    book: &Book,
    organization: &str,
    request: &HttpRequest,
    body: &[u8],
) -> anyhow::Result<(String, String)> {
    let header = |name: &str| {
        let value = request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok());
        value.with_context(|| format!("no {name}"))
    };
    let (id, at) = (header("webhook-id")?, header("webhook-timestamp")?);
    let secret = book
        .secrets
        .get(organization)
        .context("an unknown organization")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret)?;
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(body);
    let wanted = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let signatures = header("webhook-signature")?;
    let is_signed = signatures.split(' ').any(|signature| signature == wanted);
    anyhow::ensure!(
        is_signed,
        "event {id} is not signed with the endpoint's secret"
    );
    let event: Value = serde_json::from_slice(body)?;
    anyhow::ensure!(event["id"] == id, "event {id} calls itself {}", event["id"]);
    let kind = event["type"].as_str().context("no type")?;
    Ok((id.to_owned(), kind.to_owned()))
}
