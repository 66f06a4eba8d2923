//! One request to a partner.

use std::error::Error as _;
use std::net::SocketAddr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use partners::{Guard, Refusal};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, redirect};

/// Most bytes that are read of an answer.
pub(crate) const MOST_READ: usize = 4 * 1_024;

/// Sends requests where the guard lets it. Cheap to clone.
#[derive(Clone)]
pub struct Post {
    client: Client,
    guard: Guard,
    timeout: Duration,
}

/// What came of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// The status, if there was an answer.
    pub(crate) status: Option<u16>,
    /// For how long the receiver wants to be left alone.
    pub(crate) retry_after: Option<TimeDelta>,
    /// The answer's beginning.
    pub(crate) answer: Option<String>,
    /// Why there was none.
    pub(crate) error: Option<String>,
}

impl Heard {
    fn nothing(error: String) -> Self {
        Self {
            error: Some(error),
            ..Self::default()
        }
    }
}

/// The guard in place of the system's resolver: what it lets through is what is
/// connected to.
struct GuardedNames(Guard);

impl Resolve for GuardedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            let found = guard.resolve(name.as_str()).await?;
            let addresses = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

impl Post {
    /// Requests may take `timeout` each, their answer read. No proxy of the
    /// environment is used: it would connect where the guard cannot see.
    pub fn new(guard: Guard, timeout: Duration) -> reqwest::Result<Self> {
        let client = Client::builder()
            .dns_resolver(GuardedNames(guard.clone()))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .https_only(guard.is_https_only())
            .user_agent("Tinko-Webhooks/1 (+https://tinko.dev)")
            .pool_max_idle_per_host(2)
            .build()?;
        Ok(Self {
            client,
            guard,
            timeout,
        })
    }

    /// Posts `body`, and hears what is answered.
    pub(crate) async fn send(
        &self,
        url: &str,
        headers: HeaderMap,
        body: String,
        now: DateTime<Utc>,
    ) -> Heard {
        // An IP address in place of a name is never resolved, so it is judged here.
        let url = match self.guard.read(url) {
            Ok(url) => url,
            Err(refusal) => return Heard::nothing(format!("its address {refusal}")),
        };
        let request = self
            .client
            .post(url.url().clone())
            .headers(headers)
            .body(body);
        let exchange = async {
            let response = request.send().await.map_err(|error| words(&error))?;
            Ok::<_, String>(hear(response, now).await)
        };
        match tokio::time::timeout(self.timeout, exchange).await {
            Ok(Ok(heard)) => heard,
            Ok(Err(error)) => Heard::nothing(error),
            Err(_) => {
                let seconds = self.timeout.as_secs_f32();
                Heard::nothing(format!("there was no answer within {seconds} s"))
            }
        }
    }
}

async fn hear(mut response: Response, now: DateTime<Utc>) -> Heard {
    let status = response.status().as_u16();
    let retry_after = response.headers().get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| wished(value, now));
    let mut read = Vec::new();
    // What cannot be read any further is no part of the answer; its status counts.
    while read.len() < MOST_READ
        && let Ok(Some(chunk)) = response.chunk().await
    {
        let room = MOST_READ - read.len();
        read.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
    }
    Heard {
        status: Some(status),
        retry_after,
        answer: Some(shown(&read)),
        error: None,
    }
}

/// As text that Postgres keeps: it has no zero character.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}")
}

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3).
fn wished(value: &HeaderValue, now: DateTime<Utc>) -> Option<TimeDelta> {
    let text = value.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(TimeDelta::seconds(seconds.into()));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?;
    Some((at.to_utc() - now).max(TimeDelta::zero()))
}

/// Why there was no answer. Never the address: its query may hold a secret.
fn words(error: &reqwest::Error) -> String {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
        if let Some(refusal) = cause.downcast_ref::<Refusal>() {
            return format!("its address {refusal}");
        }
    }
    let what = if error.is_connect() {
        "no connection"
    } else {
        "the exchange broke off"
    };
    match error.source() {
        Some(_) => format!("{what}: {}", shown(cause.to_string().as_bytes())),
        None => what.to_owned(),
    }
}

/// Headers of one request.
pub(crate) fn headers(named: &[(&'static str, String)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in named {
        // Ids, numbers and base64: all of it fits a header.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_wish_is_seconds_or_a_date() {
        let now = DateTime::parse_from_rfc3339("2026-11-28T12:00:00Z").unwrap();
        let read = |text: &'static str| wished(&HeaderValue::from_static(text), now.to_utc());
        assert_eq!(read("120"), Some(TimeDelta::seconds(120)));
        let date = read("Sat, 28 Nov 2026 12:01:00 GMT");
        assert_eq!(date, Some(TimeDelta::seconds(60)));
        let past = read("Sat, 28 Nov 2026 11:01:00 GMT");
        assert_eq!(past, Some(TimeDelta::zero()));
        for text in ["soon", "-5", "", "99999999999999"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[tokio::test]
    async fn an_ip_address_is_judged_although_it_is_never_resolved() {
        runtime::tls::install_ring();
        let guard = Guard::with_names(vec![443], false, Arc::new(NoNames));
        let post = Post::new(guard, Duration::from_secs(5)).unwrap();
        for (url, why) in [
            ("https://169.254.169.254/latest", "open internet"),
            ("http://partner.example/", "https://"),
            ("https://inside.example/", "open internet"),
        ] {
            let heard = post
                .send(url, HeaderMap::new(), String::new(), DateTime::UNIX_EPOCH)
                .await;
            assert_eq!(heard.status, None);
            assert!(heard.error.as_ref().unwrap().contains(why), "{heard:?}");
        }
    }

    /// Says that every name is inside.
    struct NoNames;

    impl partners::guard::Names for NoNames {
        fn look_up(
            &self,
            _: &str,
        ) -> futures_util::future::BoxFuture<'static, std::io::Result<Vec<std::net::IpAddr>>>
        {
            Box::pin(async { Ok(vec![[10, 0, 0, 1].into()]) })
        }
    }
}
