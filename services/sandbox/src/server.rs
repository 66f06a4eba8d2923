//! Binds the two ports, wires the routes, runs until it is stopped.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpResponse, HttpServer, web};
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use crate::ids::Ids;
use crate::inbox::Inbox;
use crate::pages::{self, Pages};
use crate::state::State;
use crate::webhooks::Webhooks;
use crate::{clock, control, faults, inbox, razorpay, smtp, stripe, twilio, whatsapp};

/// Where the sandbox listens and what it starts from.
#[derive(Debug, Clone)]
pub struct Settings {
    /// HTTP; port 0 takes a free one.
    pub http: SocketAddr,
    /// SMTP; port 0 takes a free one.
    pub smtp: SocketAddr,
    /// Where payers' browsers reach it; by default `http://` and the bound address.
    pub public_url: Option<String>,
    /// Seeds the ids it makes.
    pub seed: u64,
}

/// Why the sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is taken or may not be bound.
    #[error("the {what} address {address} cannot be bound")]
    Bind {
        /// `HTTP` or `SMTP`.
        what: &'static str,
        /// The address asked for.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A template of ours is broken.
    #[error("a page template cannot be read")]
    Template(#[from] minijinja::Error),
    /// The client that delivers webhooks cannot be made.
    #[error("the client that delivers webhooks cannot be made")]
    Client(#[from] reqwest::Error),
}

/// A running sandbox. It ends with [`Sandbox::stop`]; dropped, it runs on until its runtime ends.
pub struct Sandbox {
    http: SocketAddr,
    smtp: SocketAddr,
    server: ServerHandle,
    stop: CancellationToken,
}

impl Sandbox {
    /// Binds both ports and starts to serve on the current Tokio runtime.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        // An error means that a provider is installed already, which is all that is wanted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let bind = |what, address| {
            move |source| StartError::Bind {
                what,
                address,
                source,
            }
        };
        let listener = TcpListener::bind(settings.http).map_err(bind("HTTP", settings.http))?;
        let http = listener.local_addr().map_err(bind("HTTP", settings.http))?;
        let mail = tokio::net::TcpListener::bind(settings.smtp)
            .await
            .map_err(bind("SMTP", settings.smtp))?;
        let smtp_address = mail.local_addr().map_err(bind("SMTP", settings.smtp))?;

        let stop = CancellationToken::new();
        let state = web::Data::new(new_state(&settings, http, &stop)?);
        let server = serve(listener, state.clone()).map_err(bind("HTTP", settings.http))?;
        let handle = server.handle();
        tokio::spawn(server);
        tokio::spawn(smtp::listen(mail, state.clone().into_inner(), stop.clone()));
        tokio::spawn(sweep(state.into_inner(), stop.clone()));
        Ok(Self {
            http,
            smtp: smtp_address,
            server: handle,
            stop,
        })
    }

    /// The bound HTTP address.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// The bound SMTP address.
    pub fn smtp(&self) -> SocketAddr {
        self.smtp
    }

    /// Stops listening and delivering; calls in flight are let go.
    pub async fn stop(self) {
        self.stop.cancel();
        self.server.stop(false).await;
    }
}

fn new_state(
    settings: &Settings,
    http: SocketAddr,
    stop: &CancellationToken,
) -> Result<State, StartError> {
    let ids = Arc::new(Ids::seeded(settings.seed));
    let runtime = tokio::runtime::Handle::current();
    let public_url = settings
        .public_url
        .clone()
        .unwrap_or_else(|| format!("http://{http}"));
    Ok(State {
        public_url: public_url.trim_end_matches('/').to_owned(),
        pages: Pages::new()?,
        faults: faults::Faults::default(),
        ledger: crate::ledger::Ledger::default(),
        inbox: Inbox::default(),
        webhooks: Webhooks::new(runtime, stop.clone(), Arc::clone(&ids))?,
        stripe: Mutex::default(),
        razorpay: Mutex::default(),
        twilio: Mutex::default(),
        whatsapp: Mutex::default(),
        mailboxes: Mutex::default(),
        ids,
    })
}

fn serve(
    listener: TcpListener,
    state: web::Data<State>,
) -> std::io::Result<actix_web::dev::Server> {
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .app_data(web::PayloadConfig::new(1 << 20))
            .route("/healthz", web::get().to(healthz))
            .route("/style.css", web::get().to(pages::style))
            .configure(stripe::routes)
            .configure(razorpay::routes)
            .configure(twilio::routes)
            .configure(whatsapp::routes)
            .configure(inbox::routes)
            .configure(control::routes)
    });
    let server = server
        .workers(2)
        .disable_signals()
        .on_connect(faults::http::remember_connection)
        .listen(listener)?
        .run();
    Ok(server)
}

/// Expires pages and links whose time is over, once a second.
async fn sweep(state: Arc<State>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        expire_overdue(&state, clock::now());
    }
}

fn expire_overdue(state: &State, now: DateTime<Utc>) {
    stripe::checkout_page::sweep(state, now);
    razorpay::sweep(state, now);
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().body("ok")
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::ledger::Initiator;
    use crate::razorpay::{call::Call as RazorpayCall, payment_links};
    use crate::state::locked;
    use crate::stripe::form::Params;
    use crate::stripe::{call::Call, checkout};

    fn state() -> State {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let here: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let settings = Settings {
            http: here,
            smtp: here,
            public_url: None,
            seed: 1,
        };
        new_state(&settings, here, &CancellationToken::new()).unwrap()
    }

    fn kinds(state: &State) -> Vec<String> {
        let events = state.webhooks.log(&crate::webhooks::log::Wanted::default());
        events.into_iter().map(|event| event.kind).collect()
    }

    #[tokio::test]
    async fn sessions_and_links_expire_when_their_time_is_over_and_only_once() {
        let state = state();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        {
            let mut stripe = locked(&state.stripe);
            let account = stripe.open("sk_test_1", || "acct_1".to_owned());
            let form = Params::parse(
                b"mode=payment&success_url=https://shop.example&line_items[0][price_data][currency]\
                  =usd&line_items[0][price_data][unit_amount]=100\
                  &line_items[0][price_data][product_data][name]=x",
            );
            checkout::create(&mut Call::new(&state, account, now, Initiator::Api), &form).unwrap();
            let mut razorpay = locked(&state.razorpay);
            let account = razorpay.open("rzp_test_1", None, || "acc_1".to_owned());
            let link = serde_json::json!({ "amount": 100, "expire_by": now.timestamp() + 3600 });
            let mut call = RazorpayCall::new(&state, account, now, Initiator::Api);
            payment_links::create(&mut call, link.to_string().as_bytes()).unwrap();
        }
        expire_overdue(&state, now + TimeDelta::minutes(59));
        assert_eq!(kinds(&state), Vec::<String>::new());
        expire_overdue(&state, now + TimeDelta::hours(1));
        assert_eq!(kinds(&state), ["payment_link.expired"]);
        expire_overdue(&state, now + TimeDelta::hours(24));
        expire_overdue(&state, now + TimeDelta::hours(25));
        assert_eq!(
            kinds(&state),
            ["payment_link.expired", "checkout.session.expired"]
        );
    }
}
