//! Whoever calls the api, and keeps what it answers when it refuses.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// A client with what it was told.
pub(crate) struct Visitor {
    client: Client,
    base: String,
    /// Every body of an answer of 400 and above.
    pub(crate) refusals: Vec<String>,
}

/// An answer as far as anybody here looks.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Visitor {
    pub(crate) fn new(base: &str) -> Self {
        // A connection each: services end here, and a rested connection with them.
        let client = Client::builder().pool_max_idle_per_host(0);
        let client = client.redirect(reqwest::redirect::Policy::none());
        Self {
            client: client.build().unwrap(),
            base: base.to_owned(),
            refusals: Vec::new(),
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// Sends it. An answer that never comes is told as status 0: services are killed here.
    pub(crate) async fn send(&mut self, request: RequestBuilder) -> Answer {
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                eprintln!("no answer: {error:?}");
                return Answer {
                    status: 0,
                    body: Value::Null,
                };
            }
        };
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap_or_default();
        let body = serde_json::from_str(&text).unwrap_or_default();
        if status >= 400 {
            self.refusals.push(text);
        }
        Answer { status, body }
    }

    pub(crate) async fn post(&mut self, key: Option<&str>, path: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path).json(body);
        let request = match key {
            Some(key) => request.bearer_auth(key),
            None => request,
        };
        self.send(request).await
    }

    pub(crate) async fn get(&mut self, key: Option<&str>, path: &str) -> Answer {
        let request = self.request(Method::GET, path);
        let request = match key {
            Some(key) => request.bearer_auth(key),
            None => request,
        };
        self.send(request).await
    }
}

/// A text of an answer.
pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}
