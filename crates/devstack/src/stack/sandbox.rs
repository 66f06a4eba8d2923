//! A client of the sandbox's control API and inbox.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

/// A call to the sandbox failed.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// It could not be reached or did not answer JSON.
    #[error("the sandbox did not answer {path}")]
    Unreachable {
        /// The call.
        path: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// It answered with an error.
    #[error("the sandbox refused {path} ({status}): {answer}")]
    Refused {
        /// The call.
        path: String,
        /// The HTTP status.
        status: u16,
        /// What it said.
        answer: Value,
    },
}

/// The sandbox, as its control API sees it. What each call takes and answers is told in the
/// sandbox's own `control` module.
#[derive(Debug, Clone)]
pub struct Sandbox {
    url: String,
    http: reqwest::Client,
}

impl Sandbox {
    /// The sandbox at this address, such as `http://127.0.0.1:8025`.
    pub fn new(url: impl Into<String>) -> Self {
        // An error means that a provider is installed already, which is all that is wanted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            url: url.into(),
            // A connection for each call: one that is kept may be closed by the sandbox just when a call
            // goes out, and a call that changes something is not sent twice. None of the settings can
            // be wrong; without them it is the plain client.
            http: reqwest::Client::builder()
                .pool_max_idle_per_host(0)
                .build()
                .unwrap_or_default(),
        }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its inbox, for people.
    pub fn inbox_url(&self) -> String {
        format!("{}/inbox", self.url)
    }

    /// `POST /_control/{path}` with a JSON body.
    pub async fn control(&self, path: &str, body: &Value) -> Result<Value, SandboxError> {
        self.call(Method::POST, &format!("/_control/{path}"), Some(body))
            .await
    }

    /// `PUT /_control/{path}` with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, SandboxError> {
        self.call(Method::PUT, &format!("/_control/{path}"), Some(body))
            .await
    }

    /// `GET {path}`, such as `/_control/ledger?provider=stripe` or `/inbox/messages`.
    pub async fn get(&self, path: &str) -> Result<Value, SandboxError> {
        self.call(Method::GET, path, None).await
    }

    /// `DELETE {path}`.
    pub async fn delete(&self, path: &str) -> Result<Value, SandboxError> {
        self.call(Method::DELETE, path, None).await
    }

    /// The inbox's messages to `to` once there are `count` of them.
    pub async fn wait_for_messages(
        &self,
        to: &str,
        count: usize,
        timeout: Duration,
    ) -> Result<Value, SandboxError> {
        let request = self.http.get(format!("{}/inbox/wait", self.url)).query(&[
            ("to", to),
            ("count", &count.to_string()),
            ("timeout_ms", &timeout.as_millis().to_string()),
        ]);
        send("/inbox/wait", request).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, SandboxError> {
        let request = self.http.request(method, format!("{}{path}", self.url));
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        send(path, request).await
    }
}

async fn send(path: &str, request: reqwest::RequestBuilder) -> Result<Value, SandboxError> {
    let failed = |source| SandboxError::Unreachable {
        path: path.to_owned(),
        source,
    };
    let response = request.send().await.map_err(failed)?;
    let status = response.status();
    let bytes = response.bytes().await.map_err(failed)?;
    // An empty answer (204) and a page are no JSON; both are told apart from errors by the status.
    let answer = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    if status.is_success() {
        return Ok(answer);
    }
    Err(SandboxError::Refused {
        path: path.to_owned(),
        status: status.as_u16(),
        answer,
    })
}
