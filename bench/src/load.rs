//! Sending webhooks over a number of connections, closed loop: each connection sends its next
//! request when it has the answer to the last.
//!
//! A closed loop finds the highest rate that is answered. Its latencies are those at that rate, with
//! no queue before the connections; they are not what a caller would see at another rate.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use url::Url;

use crate::latencies;
use crate::webhook::{Webhook, Webhooks};

/// How long to send.
#[derive(Debug, Clone, Copy)]
pub enum Span {
    /// For a time, after a warm-up that counts for no figure.
    Time {
        /// Until pools are full and statements are prepared.
        warm_up: Duration,
        /// What the figures are of.
        measured: Duration,
    },
    /// So many in all.
    Webhooks(u64),
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Webhooks answered 2xx, those of the warm-up too: all that Postgres must have.
    pub accepted: u64,
    /// Those that were answered within the measured time.
    pub measured: u64,
    /// The measured time.
    pub time: Duration,
    /// Latencies in microseconds of those measured.
    pub latencies: Histogram<u64>,
}

/// Sends to `url` over `connections`. An answer other than 2xx ends it with an error: there is no
/// figure for a service that refuses what it should take.
pub async fn send(
    webhooks: &Arc<Webhooks>,
    url: &str,
    connections: usize,
    span: Span,
) -> anyhow::Result<Answered> {
    let target = Target::read(url)?;
    let begun = Instant::now();
    let left = Arc::new(AtomicU64::new(match span {
        Span::Time { .. } => 0,
        Span::Webhooks(all) => all,
    }));
    let mut senders = JoinSet::new();
    for _ in 0..connections {
        let sender = Sender {
            line: Line::to(&target).await?,
            webhooks: Arc::clone(webhooks),
            left: Arc::clone(&left),
            begun,
            span,
            answered: Answered::nothing()?,
        };
        senders.spawn(sender.run());
    }
    let mut all = Answered::nothing()?;
    while let Some(sender) = senders.join_next().await {
        all.add(&sender.context("a connection's task ended early")??)?;
    }
    all.time = match span {
        Span::Time { measured, .. } => measured,
        Span::Webhooks(_) => begun.elapsed(),
    };
    Ok(all)
}

/// Sends `count`, one `every` so often from `begun` on, whatever becomes of those before (open
/// loop): each is sent when it is due, or as soon after that as a connection is free. An answer other
/// than 2xx ends it with an error.
pub async fn send_steadily(
    webhooks: &Arc<Webhooks>,
    url: &str,
    connections: usize,
    every: Duration,
    begun: Instant,
    count: u64,
) -> anyhow::Result<()> {
    let target = Target::read(url)?;
    // Their order is that of their times, whichever connection takes them.
    let turns = Arc::new(tokio::sync::Mutex::new(0));
    let mut senders = JoinSet::new();
    for _ in 0..connections {
        let mut line = Line::to(&target).await?;
        let (turns, webhooks) = (Arc::clone(&turns), Arc::clone(webhooks));
        senders.spawn(async move {
            while let Some(webhook) = next_of(&turns, &webhooks, begun, every, count).await {
                line.deliver(webhook).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(sender) = senders.join_next().await {
        sender.context("a connection's task ended early")??;
    }
    Ok(())
}

/// The next webhook, when it is due; none once all were taken.
async fn next_of(
    turns: &tokio::sync::Mutex<u64>,
    webhooks: &Webhooks,
    begun: Instant,
    every: Duration,
    count: u64,
) -> Option<Webhook> {
    let mut turn = turns.lock().await;
    if *turn == count {
        return None;
    }
    let due = begun + every.saturating_mul(u32::try_from(*turn).unwrap_or(u32::MAX));
    tokio::time::sleep_until(due.into()).await;
    *turn += 1;
    Some(webhooks.next())
}

impl Answered {
    fn nothing() -> anyhow::Result<Self> {
        Ok(Self {
            accepted: 0,
            measured: 0,
            time: Duration::ZERO,
            latencies: latencies::none()?,
        })
    }

    fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        self.accepted += other.accepted;
        self.measured += other.measured;
        self.latencies.add(&other.latencies)?;
        Ok(())
    }
}

/// A connection that stays open, for one request after the other to one address.
pub struct Line {
    target: Target,
    connection: SendRequest<Full<Bytes>>,
}

impl Line {
    /// To the url's server, for its path.
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        Self::to(&Target::read(url)?).await
    }

    async fn to(target: &Target) -> anyhow::Result<Self> {
        Ok(Self {
            target: target.clone(),
            connection: target.connect().await?,
        })
    }

    /// Sends JSON; answers the body of the answer, which has to be 2xx.
    pub async fn post(&mut self, headers: &[(&str, &str)], body: String) -> anyhow::Result<Bytes> {
        let mut request = Request::post(&self.target.path)
            .header("host", self.target.address.to_string())
            .header("content-type", "application/json; charset=utf-8");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body)))?;
        self.connection.ready().await?;
        let answer = self.connection.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        refuse(status, &body)?;
        Ok(body)
    }

    async fn deliver(&mut self, webhook: Webhook) -> anyhow::Result<()> {
        let headers = [
            (
                "user-agent",
                "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            ),
            ("stripe-signature", webhook.signature.as_str()),
        ];
        self.post(&headers, webhook.body).await?;
        Ok(())
    }
}

#[derive(Debug, Clone)]
struct Target {
    address: SocketAddr,
    path: String,
}

impl Target {
    fn read(url: &str) -> anyhow::Result<Self> {
        let url = Url::parse(url).with_context(|| format!("{url} is no address of an api"))?;
        let addresses = url.socket_addrs(|| None)?;
        Ok(Self {
            address: *addresses.first().context("the api has no address")?,
            path: url.path().to_owned(),
        })
    }

    async fn connect(&self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(self.address)
            .await
            .with_context(|| format!("the api at {} cannot be reached", self.address))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

struct Sender {
    line: Line,
    webhooks: Arc<Webhooks>,
    /// Webhooks that no connection has taken yet.
    left: Arc<AtomicU64>,
    begun: Instant,
    span: Span,
    answered: Answered,
}

impl Sender {
    async fn run(mut self) -> anyhow::Result<Answered> {
        while self.takes_one() {
            let webhook = self.webhooks.next();
            let sent = Instant::now();
            self.line.deliver(webhook).await?;
            self.note(sent)?;
        }
        Ok(self.answered)
    }

    fn takes_one(&self) -> bool {
        if let Span::Time { warm_up, measured } = self.span {
            return self.begun.elapsed() < warm_up + measured;
        }
        let less_one = |left: u64| left.checked_sub(1);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.left.fetch_update(set, fetch, less_one).is_ok()
    }

    fn note(&mut self, sent: Instant) -> anyhow::Result<()> {
        self.answered.accepted += 1;
        let counts = match self.span {
            Span::Time { warm_up, measured } => {
                let at = self.begun.elapsed();
                at >= warm_up && at < warm_up + measured
            }
            Span::Webhooks(_) => true,
        };
        if counts {
            self.answered.measured += 1;
            latencies::record(&mut self.answered.latencies, sent.elapsed())?;
        }
        Ok(())
    }
}

fn refuse(status: StatusCode, body: &Bytes) -> anyhow::Result<()> {
    let said = String::from_utf8_lossy(body);
    ensure!(
        status.is_success(),
        "the api answered {status} to a webhook that it should take: {said}"
    );
    Ok(())
}
