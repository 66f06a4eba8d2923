//! What calls to message providers over HTTP have in common.

use std::time::Duration;

use circuit::Heard;
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response, StatusCode};
use serde::de::DeserializeOwned;

use super::Refusal;

/// To reach a provider takes no longer than this, or it is away.
const CONNECT: Duration = Duration::from_secs(5);

/// A client whose calls end within `patience`.
pub(crate) fn client(patience: Duration) -> Result<Client, reqwest::Error> {
    Client::builder()
        .connect_timeout(CONNECT.min(patience))
        .timeout(patience)
        // A redirected POST would be sent twice, or as a GET.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("tinko-notifier/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// A call that got no answer.
pub(super) enum NoAnswer {
    /// Nobody was reached: nothing was sent.
    Unreached(String),
    /// It was sent, and what became of it is not known.
    Lost(String),
}

impl NoAnswer {
    /// Without the address that was called: it may hold the payer's number.
    pub(super) fn of(error: &reqwest::Error, provider: &str) -> Self {
        if error.is_connect() || error.is_builder() {
            Self::Unreached(format!("{provider} cannot be reached"))
        } else if error.is_timeout() {
            Self::Lost(format!("{provider} did not answer in time"))
        } else {
            Self::Lost(format!(
                "the connection to {provider} broke before the answer"
            ))
        }
    }
}

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    body: Vec<u8>,
    /// How long the provider asks to be left alone, if it does.
    retry_after: Option<Duration>,
}

impl Answer {
    pub(super) async fn of(
        sent: Result<Response, reqwest::Error>,
        provider: &str,
    ) -> Result<Self, NoAnswer> {
        let no_answer = |error: reqwest::Error| NoAnswer::of(&error, provider);
        let response = sent.map_err(no_answer)?;
        let status = response.status();
        let retry_after = retry_after(&response);
        let body = response.bytes().await.map_err(no_answer)?.to_vec();
        Ok(Self {
            status,
            body,
            retry_after,
        })
    }

    pub(super) fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Refusals that say nothing of the message: too much at once, away for a
    /// moment, or credentials that the operator has to mend.
    pub(super) fn refuses_everything(&self) -> bool {
        matches!(self.status.as_u16(), 401 | 403 | 404 | 408 | 429 | 503)
    }

    /// Such a refusal, and what it tells of the provider: whoever has to mend the
    /// credentials, nothing but the same can come of asking on.
    pub(super) fn refusal_for_now(&self, why: String) -> Refusal {
        let heard = match self.status.as_u16() {
            401 | 403 | 404 => Heard::StayAway(None),
            _ if self.retry_after.is_some() => Heard::StayAway(self.retry_after),
            _ => Heard::Trouble,
        };
        Refusal::ForNow { why, heard }
    }
}

/// `Retry-After` in seconds; neither provider writes a date.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

/// A channel whose account is not set.
pub(super) fn not_set_up(channel: &str, setting: &str) -> Refusal {
    Refusal::for_good(format!("{channel} is not set up: {setting} is not set"))
}
