//! One HTTP client for all PSPs: time-outs, retries, spans, metrics.
//!
//! A request is tried again, under the same idempotency key, after a broken
//! connection, 409 (the key's first request is still running), 429 and 5xx,
//! unless the PSP says `Stripe-Should-Retry: false`. Once a try may have
//! acted, a later try that surely didn't (no connection, 429) does not make
//! the whole clear again.
//!
//! What a request hears in the end, after its tries, is told to two breakers: the
//! PSP's, which all accounts share, and the account's own ([`Account`]). While one is
//! open no request is made ([`PspError::Paused`]).

use std::sync::Arc;
use std::time::Duration;

use circuit::{Closed, Limits};
use domain::Provider;
use rand::rngs::StdRng;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Request, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tracing::{Instrument, Span, field};

use crate::account::{Account, health};
use crate::backoff::Backoff;
use crate::company::Company;
use crate::{PspError, RateLimits};

/// No answer of a PSP comes near this, in bytes; a larger one is not read on.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// How PSPs are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// Until a connection is there; 3 s by default.
    pub connect_timeout: Duration,
    /// For one request with all its tries; 20 s by default. An operation
    /// makes up to three requests one after the other where it looks
    /// something up.
    pub total_timeout: Duration,
    /// Tries of one request in all; 3 by default.
    pub max_tries: u32,
    /// The first wait between tries, which doubles; 300 ms by default.
    pub first_wait: Duration,
    /// The longest wait between tries of one request; 2 s by default. A PSP
    /// that asks for a longer one gets it from the caller
    /// ([`PspError::RateLimited`]).
    pub longest_wait: Duration,
    /// How hard one account is asked.
    pub rate_limits: RateLimits,
    /// When a PSP or an account that is not well is left alone.
    pub breakers: Limits,
    /// The `User-Agent`.
    pub user_agent: String,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            total_timeout: Duration::from_secs(20),
            max_tries: 3,
            first_wait: Duration::from_millis(300),
            longest_wait: Duration::from_secs(2),
            rate_limits: RateLimits::default(),
            breakers: Limits::default(),
            user_agent: concat!("tinko/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for payment providers could not be set up")]
pub struct HttpError(#[from] reqwest::Error);

/// The shared client. Clones share their connections.
#[derive(Clone)]
pub struct Http {
    client: Client,
    settings: HttpSettings,
    backoff: Backoff,
    stripe: Arc<Company>,
    razorpay: Arc<Company>,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Http {
    /// A client by these settings. `rng` draws the waits between tries.
    ///
    /// # Panics
    ///
    /// Where no `rustls` provider was installed before, which each `main` does.
    pub fn new(settings: HttpSettings, rng: StdRng) -> Result<Self, HttpError> {
        let client = Client::builder()
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.total_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(&settings.user_agent)
            .build()?;
        let backoff = Backoff::new(settings.first_wait, settings.longest_wait, rng);
        let of = |provider| Arc::new(Company::new(provider, settings.breakers));
        Ok(Self {
            client,
            stripe: of(Provider::Stripe),
            razorpay: of(Provider::Razorpay),
            settings,
            backoff,
        })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) const fn settings(&self) -> &HttpSettings {
        &self.settings
    }

    /// A PSP as all its accounts share it.
    pub(crate) fn company(&self, provider: Provider) -> &Company {
        match provider {
            Provider::Stripe => &self.stripe,
            Provider::Razorpay => &self.razorpay,
        }
    }

    /// Asks at the account's pace, and gives any answer that is worth
    /// interpreting: success, and refusals other than of the credentials.
    pub(crate) async fn ask(
        &self,
        account: &Account,
        provider: Provider,
        operation: &'static str,
        request: RequestBuilder,
    ) -> Result<Answer, PspError> {
        let span = tracing::info_span!(
            "psp.request",
            otel.name = format!("psp.{provider}.{operation}"),
            otel.kind = "client",
            otel.status_code = field::Empty,
            psp.provider = provider.as_str(),
            psp.operation = operation,
            psp.outcome = field::Empty,
            psp.tries = field::Empty,
            http.request.method = field::Empty,
            http.response.status_code = field::Empty,
            server.address = field::Empty,
            server.port = field::Empty,
            error.type = field::Empty,
        );
        let started = Instant::now();
        let result = self
            .ask_if_well(account, provider, request)
            .instrument(span.clone())
            .await;
        let outcome = result.as_ref().map_or_else(PspError::label, Answer::label);
        span.record("psp.outcome", outcome);
        if result.is_err() {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", outcome);
        }
        if matches!(result, Err(PspError::Paused { .. })) {
            // No request: it is counted by its circuit.
            return result;
        }
        metrics::histogram!(
            "tinko_psp_request_duration_seconds",
            "provider" => provider.as_str(),
            "operation" => operation,
            "outcome" => outcome,
        )
        .record(started.elapsed().as_secs_f64());
        result
    }

    async fn ask_if_well(
        &self,
        account: &Account,
        provider: Provider,
        request: RequestBuilder,
    ) -> Result<Answer, PspError> {
        let paused = |Closed { pause }| PspError::Paused { pause };
        let of_account = account.circuit.enter().map_err(paused)?;
        let company = self.company(provider);
        let of_company = company.circuit.enter().map_err(paused)?;
        let result = self.try_until_clear(account, request).await;
        let heard = health(&result);
        let reached = !matches!(result, Err(PspError::NotSent { .. }));
        company.hear(of_company, account.number, heard.company, reached);
        of_account.tell(heard.account);
        result
    }

    async fn try_until_clear(
        &self,
        account: &Account,
        request: RequestBuilder,
    ) -> Result<Answer, PspError> {
        let deadline = Instant::now() + self.settings.total_timeout;
        let mut doubt: Option<PspError> = None;
        for tries in 1.. {
            Span::current().record("psp.tries", tries);
            let Some(turn) = account.pace.turn(deadline).await else {
                metrics::counter!("tinko_psp_held_back_total").increment(1);
                return Err(still_in_doubt(doubt, PspError::HeldBack));
            };
            let left = deadline.saturating_duration_since(Instant::now());
            let tried = one_try(&request, left).await.map(judge);
            drop(turn);
            let error = match tried {
                Ok(Verdict::Take(answer)) => return Ok(answer),
                Ok(Verdict::Stop(error)) => return Err(still_in_doubt(doubt, error)),
                Ok(Verdict::Again(error)) | Err(error) => error,
            };
            if let Some(rest) = asked_wait(&error) {
                account.pace.rest(rest, Instant::now());
            }
            let wait = self.backoff.wait(tries, asked_wait(&error));
            let last = tries >= self.settings.max_tries
                || !error.may_retry()
                || wait > self.settings.longest_wait
                || Instant::now() + wait >= deadline;
            if last {
                return Err(still_in_doubt(doubt, error));
            }
            tracing::debug!(%error, ?wait, "a request to a payment provider is tried again");
            if error.is_unclear() {
                doubt = Some(error);
            }
            tokio::time::sleep(wait).await;
        }
        Err(PspError::malformed("no try was made"))
    }
}

/// A first try that may have acted stays the result when a later one surely
/// did not act.
fn still_in_doubt(doubt: Option<PspError>, last: PspError) -> PspError {
    match (doubt, &last) {
        (
            Some(doubt),
            PspError::NotSent { .. } | PspError::RateLimited { .. } | PspError::HeldBack,
        ) => doubt,
        _ => last,
    }
}

const fn asked_wait(error: &PspError) -> Option<Duration> {
    match error {
        PspError::RateLimited { retry_after } => *retry_after,
        _ => None,
    }
}

/// What a PSP answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, PspError> {
        serde_json::from_slice(&self.body).map_err(|source| PspError::Malformed {
            what: format!(
                "the body of a {} answer is not what was asked for",
                self.status
            ),
            source: Some(Box::new(source)),
        })
    }

    /// The refusal that this answer is, by the fields that both PSPs write.
    pub(crate) fn refusal(&self) -> PspError {
        let told: Told = serde_json::from_slice::<Envelope>(&self.body)
            .map(|envelope| envelope.error)
            .unwrap_or_default();
        PspError::Refused {
            status: Some(self.status.as_u16()),
            code: told.code,
            message: told
                .message
                .or(told.description)
                .unwrap_or_else(|| format!("status {} without a reason", self.status)),
        }
    }

    const fn label(&self) -> &'static str {
        match self.status.as_u16() {
            200..=299 => "ok",
            402 => "declined",
            _ => "refused",
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

#[derive(Default, Deserialize)]
struct Told {
    code: Option<String>,
    message: Option<String>,
    description: Option<String>,
}

#[derive(Deserialize)]
struct Envelope {
    error: Told,
}

enum Verdict {
    Take(Answer),
    Again(PspError),
    Stop(PspError),
}

fn judge(answer: Answer) -> Verdict {
    Span::current().record("http.response.status_code", answer.status.as_u16());
    let advised = answer
        .header("stripe-should-retry")
        .map(|text| text == "true");
    let (error, by_default) = match answer.status.as_u16() {
        200..=299 => return Verdict::Take(answer),
        status @ (401 | 403) => {
            let PspError::Refused { message, .. } = answer.refusal() else {
                return Verdict::Take(answer);
            };
            return Verdict::Stop(if status == 401 {
                PspError::Unauthorized { message }
            } else {
                PspError::Forbidden { message }
            });
        }
        409 => (
            PspError::unclear_by(
                409,
                "a request under the same idempotency key is still running",
            ),
            true,
        ),
        429 => (
            PspError::RateLimited {
                retry_after: retry_after(&answer),
            },
            true,
        ),
        status @ 500.. => (
            PspError::unclear_by(status, format!("it answered {}", answer.status)),
            true,
        ),
        status if advised == Some(true) => (
            PspError::unclear_by(status, "it asks to be asked again"),
            true,
        ),
        _ => return Verdict::Take(answer),
    };
    if advised.unwrap_or(by_default) {
        Verdict::Again(error)
    } else {
        Verdict::Stop(error)
    }
}

/// `Retry-After` in seconds; the form with a date is not used by either PSP.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let seconds = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    seconds.parse().ok().map(Duration::from_secs)
}

async fn one_try(request: &RequestBuilder, left: Duration) -> Result<Answer, PspError> {
    let Some(request) = request.try_clone() else {
        return Err(PspError::malformed("a request cannot be repeated"));
    };
    let (client, request) = request.timeout(left).build_split();
    let request = request.map_err(broken)?;
    note(&request);
    let mut response = client.execute(request).await.map_err(broken)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(PspError::malformed("an answer of more than 4 MiB"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status,
        headers,
        body,
    })
}

/// What OpenTelemetry's conventions for HTTP ask of a client, but for the address: its
/// query can name a payer.
fn note(request: &Request) {
    let (span, url) = (Span::current(), request.url());
    span.record("http.request.method", request.method().as_str());
    span.record("server.address", url.host_str());
    span.record("server.port", url.port_or_known_default());
}

/// An error's address is left out: its query can name a payer.
fn broken(error: reqwest::Error) -> PspError {
    let (connect, builder, timeout) = (error.is_connect(), error.is_builder(), error.is_timeout());
    let source = error.without_url();
    if builder {
        return PspError::Refused {
            status: None,
            code: Some("bad_request".to_owned()),
            message: format!("the request could not be made: {source}"),
        };
    }
    let source = Some(source.into());
    if connect {
        let what = "no connection came about".to_owned();
        return PspError::NotSent { what, source };
    }
    let what = if timeout {
        "no answer came in time"
    } else {
        "the connection broke"
    };
    PspError::Unclear {
        what: what.to_owned(),
        status: None,
        source,
    }
}
