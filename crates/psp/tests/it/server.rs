//! A server on the loopback that plays a script of replies and keeps what it was asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

/// What the server does with one request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Answers.
    Answer {
        status: u16,
        headers: Vec<(&'static str, &'static str)>,
        body: String,
    },
    /// Reads the request and never answers.
    Silence,
    /// Reads the request and breaks the connection.
    Hangup,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::raw(status, &body.to_string())
    }

    pub(crate) fn raw(status: u16, body: &str) -> Self {
        Self::Answer {
            status,
            headers: Vec::new(),
            body: body.to_owned(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value));
        }
        self
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    /// By names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Seen {
    /// `GET /v1/…`
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The body's form fields.
    pub(crate) fn form(&self) -> HashMap<String, String> {
        url::form_urlencoded::parse(self.body.as_bytes())
            .into_owned()
            .collect()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// The running server; it stops when dropped.
pub(crate) struct Server {
    pub(crate) url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Plays `script`, a reply for each request; one more request is answered
    /// by a 418, which no test expects.
    pub(crate) async fn playing(script: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (kept, script) = (seen.clone(), script.into_iter().collect::<Vec<_>>());
        let task = tokio::spawn(async move {
            let mut script = script.into_iter();
            let mut silent = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read(&mut stream).await;
                kept.lock().unwrap().push(request);
                match script.next().unwrap_or(Reply::raw(418, "no more replies")) {
                    Reply::Answer {
                        status,
                        headers,
                        body,
                    } => answer(&mut stream, status, &headers, &body).await,
                    Reply::Silence => silent.push(stream),
                    Reply::Hangup => drop(stream),
                }
            }
        });
        Self {
            url: Url::parse(&url).unwrap(),
            seen,
            task,
        }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().iter().map(Seen::line).collect()
    }
}

async fn read(stream: &mut TcpStream) -> Seen {
    let mut bytes = Vec::new();
    loop {
        let ends = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = ends {
            let seen = head(std::str::from_utf8(&bytes[..end]).unwrap());
            let length: usize = seen.header("content-length").parse().unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                let body = String::from_utf8(bytes[end + 4..].to_vec()).unwrap();
                return Seen { body, ..seen };
            }
        }
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "cut short");
    }
}

fn head(text: &str) -> Seen {
    let mut lines = text.split("\r\n");
    let mut first = lines.next().unwrap().split(' ');
    let mut word = || first.next().unwrap().to_owned();
    Seen {
        method: word(),
        path: word(),
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect(),
        body: String::new(),
    }
}

async fn answer(stream: &mut TcpStream, status: u16, headers: &[(&str, &str)], body: &str) {
    let headers = headers.iter().fold(String::new(), |all, (name, value)| {
        all + name + ": " + value + "\r\n"
    });
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.shutdown().await.ok();
}
