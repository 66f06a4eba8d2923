//! Asking an api at a steady rate, whatever it takes to answer (open loop): a request's latency
//! runs from when it was to be sent, so that one which had to wait for another's answer says so.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use url::Url;

use crate::latencies;

/// Asks an api as the holder of a key.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    address: SocketAddr,
    authorization: String,
}

/// One request that is to be sent.
#[derive(Clone, Copy)]
struct Turn {
    path: usize,
    at: Instant,
}

type Turns = Arc<Mutex<UnboundedReceiver<Turn>>>;

impl Asker {
    pub(super) fn new(api: &str, key: &str) -> anyhow::Result<Self> {
        let addresses = Url::parse(api)?.socket_addrs(|| None)?;
        Ok(Self {
            address: *addresses.first().context("the api has no address")?,
            authorization: format!("Bearer {key}"),
        })
    }

    /// Asks for the paths of `order`, one each `interval`, over so many connections. Answers the
    /// latencies of each of `paths`, in microseconds. An answer other than 2xx ends it with an error.
    pub(super) async fn ask(
        &self,
        paths: &Arc<Vec<String>>,
        order: Vec<usize>,
        interval: Duration,
        connections: usize,
    ) -> anyhow::Result<Vec<Histogram<u64>>> {
        let (sender, receiver) = unbounded_channel();
        let turns: Turns = Arc::new(Mutex::new(receiver));
        let mut asking = JoinSet::new();
        for _ in 0..connections {
            let connection = self.connect().await?;
            let (asker, paths, turns) = (self.clone(), Arc::clone(paths), Arc::clone(&turns));
            asking.spawn(async move { asker.take_turns(connection, &paths, &turns).await });
        }
        // A thread's sleep is exact to some fifty microseconds; a task's, to a millisecond.
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        let clock = thread::spawn(move || {
            let mut at = Instant::now() + interval;
            for path in order {
                thread::sleep(at.saturating_duration_since(Instant::now()));
                if ended.load(Ordering::Relaxed) || sender.send(Turn { path, at }).is_err() {
                    return;
                }
                at += interval;
            }
        });
        let mut all = histograms(paths.len())?;
        while let Some(asked) = asking.join_next().await {
            let asked = asked.context("a connection's task ended early")?;
            if asked.is_err() {
                over.store(true, Ordering::Relaxed);
            }
            for (sum, one) in all.iter_mut().zip(asked?) {
                sum.add(&one)?;
            }
        }
        ensure!(clock.join().is_ok(), "the clock of the requests broke");
        Ok(all)
    }

    async fn take_turns(
        &self,
        mut connection: SendRequest<Empty<Bytes>>,
        paths: &[String],
        turns: &Turns,
    ) -> anyhow::Result<Vec<Histogram<u64>>> {
        let mut latencies = histograms(paths.len())?;
        loop {
            let turn = turns.lock().await.recv().await;
            let Some(turn) = turn else {
                return Ok(latencies);
            };
            let path = paths.get(turn.path).context("a turn of no path")?;
            self.get(&mut connection, path).await?;
            if let Some(latencies) = latencies.get_mut(turn.path) {
                latencies::record(latencies, turn.at.elapsed())?;
            }
        }
    }

    async fn connect(&self) -> anyhow::Result<SendRequest<Empty<Bytes>>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    fn request(&self, path: &str) -> anyhow::Result<Request<Empty<Bytes>>> {
        Ok(Request::get(path)
            .header("host", self.address.to_string())
            .header("authorization", &self.authorization)
            .body(Empty::new())?)
    }

    async fn get(
        &self,
        connection: &mut SendRequest<Empty<Bytes>>,
        path: &str,
    ) -> anyhow::Result<Bytes> {
        connection.ready().await?;
        let answer = connection.send_request(self.request(path)?).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        let said = String::from_utf8_lossy(&body);
        ensure!(status.is_success(), "{path} was answered {status}: {said}");
        Ok(body)
    }

    /// One answer, whole.
    pub(super) async fn body(&self, path: &str) -> anyhow::Result<Bytes> {
        let mut connection = self.connect().await?;
        self.get(&mut connection, path).await
    }

    /// Reads an answer as it comes and keeps none of it; answers how many lines and bytes it had.
    pub(super) async fn read_through(&self, path: &str) -> anyhow::Result<(u64, u64)> {
        let mut connection = self.connect().await?;
        let answer = connection.send_request(self.request(path)?).await?;
        ensure!(answer.status().is_success(), "{path}: {}", answer.status());
        let mut body = answer.into_body();
        let (mut lines, mut bytes) = (0, 0);
        while let Some(frame) = body.frame().await {
            let frame = frame.with_context(|| format!("{path} broke off"))?;
            let Some(data) = frame.data_ref() else {
                continue;
            };
            let ends = data.split(|byte| *byte == b'\n').count() - 1;
            lines += u64::try_from(ends)?;
            bytes += u64::try_from(data.len())?;
        }
        Ok((lines, bytes))
    }
}

fn histograms(number: usize) -> anyhow::Result<Vec<Histogram<u64>>> {
    Ok((0..number)
        .map(|_| latencies::none())
        .collect::<Result<_, _>>()?)
}
