//! A client that comes back when a service says that it can't for the moment.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use tokio::time::{Instant, sleep};

use super::watch::LOOK_EVERY;
use super::{DemoError, PATIENCE};

/// A payer's page asks for half a minute, within which the demo's links are over.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Sends a request, and sends it again for as long as the answer is 503: that
/// one says that nothing was changed, as when the database restarts. The waits
/// are what `Retry-After` asks for, at most [`LONGEST_WAIT`] each and [`PATIENCE`]
/// in all.
///
/// Where a redirect led to the 503, only the page it led to is asked again, as
/// a browser's reload does: a payment is not sent twice.
///
/// # Errors
///
/// Any other failure, and a 503 that does not end.
pub(super) async fn send(
    http: &Client,
    what: &str,
    request: RequestBuilder,
) -> Result<Response, DemoError> {
    let failed = |source| DemoError::Http {
        what: what.to_owned(),
        source,
    };
    let deadline = Instant::now() + PATIENCE;
    let mut request = request.build().map_err(failed)?;
    loop {
        let asked = request.url().clone();
        let again = request.try_clone();
        let answer = http.execute(request).await.map_err(failed)?;
        let busy = answer.status() == StatusCode::SERVICE_UNAVAILABLE;
        request = match again {
            Some(again) if busy && Instant::now() < deadline => {
                sleep(asked_wait(&answer)).await;
                if *answer.url() == asked {
                    again
                } else {
                    http.get(answer.url().clone()).build().map_err(failed)?
                }
            }
            _ => return answer.error_for_status().map_err(failed),
        };
    }
}

/// Seconds of `Retry-After` (RFC 9110, section 10.2.3).
fn asked_wait(answer: &Response) -> Duration {
    let header = answer.headers().get(RETRY_AFTER);
    let seconds = header.and_then(|value| value.to_str().ok()?.parse().ok());
    seconds.map_or(LOOK_EVERY, |asked| {
        Duration::from_secs(asked).min(LONGEST_WAIT)
    })
}
