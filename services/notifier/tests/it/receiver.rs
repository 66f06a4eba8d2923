//! A partner's HTTP server, which answers as it is told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use partners::SigningKey;
use serde_json::Value;
use testkit::eventually;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::SOON;

/// What to answer to one request.
#[derive(Clone)]
pub(crate) enum Say {
    Status(u16),
    With(u16, &'static str, String),
    /// Nothing, for as long as the other side waits.
    Nothing,
}

/// A request as it came.
#[derive(Clone)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines();
        let found = lines.find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        });
        found.unwrap_or_else(|| panic!("no {name} in {}", self.head))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether it is signed with this key, at the time that it says.
    pub(crate) fn is_signed_with(&self, key: &SigningKey) -> bool {
        let timestamp: i64 = self.header("webhook-timestamp").parse().unwrap();
        let now = chrono::DateTime::from_timestamp(timestamp, 0).unwrap();
        let named = (
            self.header("webhook-id"),
            timestamp,
            self.header("webhook-signature"),
        );
        key.verify(named, self.body.as_bytes(), now).is_ok()
    }
}

#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<VecDeque<Say>>>,
    usual: Arc<Mutex<Say>>,
}

impl Receiver {
    /// Answers 204 until it is told otherwise.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            received: Arc::default(),
            answers: Arc::default(),
            usual: Arc::new(Mutex::new(Say::Status(204))),
        };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move { serving.serve(stream).await });
            }
        });
        receiver
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    /// The next answers; after them the usual one.
    pub(crate) fn answer(&self, answers: &[Say]) {
        self.answers.lock().unwrap().extend(answers.iter().cloned());
    }

    /// What is answered when nothing else is said.
    pub(crate) fn usually(&self, say: Say) {
        *self.usual.lock().unwrap() = say;
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Waits for so many requests.
    pub(crate) async fn receives(&self, count: usize) -> Vec<Received> {
        eventually(SOON, async || self.received().len() >= count).await;
        self.received()
    }

    async fn serve(&self, mut stream: TcpStream) {
        let Some(received) = read(&mut stream).await else {
            return;
        };
        self.received.lock().unwrap().push(received);
        let next = self.answers.lock().unwrap().pop_front();
        let (status, header, body) =
            match next.unwrap_or_else(|| self.usual.lock().unwrap().clone()) {
                Say::Status(status) => (status, "x-none: 1", String::new()),
                Say::With(status, header, body) => (status, header, body),
                Say::Nothing => {
                    tokio::time::sleep(Duration::from_mins(2)).await;
                    return;
                }
            };
        let answer = format!(
            "HTTP/1.1 {status} Said\r\n{header}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        // Whoever has read enough hangs up.
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0_u8; 4_096];
        let count = stream.read(&mut chunk).await.ok()?;
        if count == 0 {
            return None;
        }
        bytes.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let received = Received {
                head: head.to_owned(),
                body: body.to_owned(),
            };
            let length: usize = received.header("content-length").parse().unwrap();
            if body.len() >= length {
                return Some(received);
            }
        }
    }
}
