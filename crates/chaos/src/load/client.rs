//! A merchant's client: sends the same request until it is answered, as a good one does.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::Method;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::journal::{Happening, Journal};

/// How long one try may take.
const TRY: Duration = Duration::from_secs(8);
/// How long a request is tried.
const PATIENCE: Duration = Duration::from_secs(100);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(400);

/// An answer that is not to be asked for again.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Speaks with the api over the front.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    journal: Arc<Journal>,
    /// Whether no request may fail, although it is tried again.
    is_strict: bool,
}

/// One request, the same at each try.
#[derive(Debug, Clone)]
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    pub(crate) key: &'a str,
    pub(crate) idempotency_key: Option<&'a str>,
    pub(crate) body: Option<&'a Value>,
}

impl Client {
    pub(crate) fn new(url: String, journal: Arc<Journal>, is_strict: bool) -> Self {
        let http = reqwest::Client::builder().timeout(TRY).build();
        Self {
            http: http.unwrap_or_default(),
            url,
            journal,
            is_strict,
        }
    }

    /// Sends it until it is answered by something else than "try again".
    pub(crate) async fn until_answered(&self, request: &Request<'_>) -> Option<Answer> {
        let deadline = Instant::now() + PATIENCE;
        let mut why = String::new();
        while Instant::now() < deadline {
            match self.once(request).await {
                Ok(answer) if !may_pass(&answer) => return Some(answer),
                Ok(answer) => {
                    why = format!("{} {}", answer.status, answer.body);
                    if answer.status >= 500 {
                        self.failed(&describe(request), &why);
                    }
                }
                Err(error) => {
                    why = format!("{error:#}");
                    self.failed(&describe(request), &why);
                }
            }
            sleep(PAUSE).await;
        }
        let what = describe(request);
        self.journal.write(Happening::GivenUp { what, why });
        None
    }

    /// Notes a request that failed, where none may.
    pub(crate) fn failed(&self, what: &str, why: &str) {
        if self.is_strict {
            self.journal.write(Happening::Failed {
                what: what.to_owned(),
                why: why.to_owned(),
            });
        }
    }

    async fn once(&self, request: &Request<'_>) -> anyhow::Result<Answer> {
        let url = format!("{}{}", self.url, request.path);
        let mut sent = self
            .http
            .request(request.method.clone(), url)
            .bearer_auth(request.key);
        if let Some(key) = request.idempotency_key {
            sent = sent.header("Idempotency-Key", key);
        }
        if let Some(body) = request.body {
            sent = sent.json(body);
        }
        let answer = sent.send().await.context("no answer")?;
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.context("half an answer")?;
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(Answer { status, body })
    }
}

fn describe(request: &Request<'_>) -> String {
    format!("{} {}", request.method, request.path)
}

/// Whether the same request may fare better later: also where the first with its key is still
/// being worked on, which a state that is in conflict is not.
fn may_pass(answer: &Answer) -> bool {
    let is_state = answer.body.to_string().contains("\"state\"");
    match answer.status {
        409 => !is_state,
        408 | 425 | 429 => true,
        status => status >= 500,
    }
}
