//! Sends one delivery, and records what came of it.

use std::sync::Arc;
use std::time::Duration;

use ::partners::{KeyFault, SigningKey};
use backbone::Backbone;
use chrono::{DateTime, TimeDelta, Utc};
use db::DbError;
use db::partners::{self, Claimed, Outcome, Try};
use domain::partner::{Answer, Verdict, verdict};
use runtime::outgoing::Call;
use seal::Keyring;
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::Instrument as _;
use uuid::Uuid;

use super::gone;
use super::post::{Heard, Post, headers};

/// Sends deliveries that were claimed for this process. Cheap to clone.
#[derive(Clone)]
pub struct Sender {
    pub(super) backbone: Backbone,
    keyring: Arc<Keyring>,
    post: Post,
    /// Who claims and sends.
    pub(super) worker: Uuid,
    /// How long a claim is believed.
    pub(super) lease: TimeDelta,
}

impl Sender {
    /// Sends as `worker`; keys are opened with `keyring`. A lease is longer than a
    /// request and its record may take.
    pub const fn new(
        backbone: Backbone,
        keyring: Arc<Keyring>,
        post: Post,
        worker: Uuid,
        lease: TimeDelta,
    ) -> Self {
        Self {
            backbone,
            keyring,
            post,
            worker,
            lease,
        }
    }

    /// Sends one delivery, and records what came of it.
    pub(super) async fn deliver(&self, claimed: Claimed) {
        let span = tracing::info_span!(
            "partner.deliver",
            otel.kind = "client",
            organization.id = %claimed.tenant.organization(),
            endpoint.id = %claimed.endpoint,
            delivery.id = %claimed.id,
            event.id = %claimed.event,
        );
        self.attempt(claimed).instrument(span).await;
    }

    async fn attempt(&self, claimed: Claimed) {
        let at = self.backbone.clock.now();
        let began = Instant::now();
        let (request_headers, heard) = match self.signed(&claimed, at) {
            Ok(named) => {
                let call = Call::start("partner", "webhook");
                let (url, body) = (claimed.url.as_str(), claimed.payload.clone());
                let heard = self.post.send(url, headers(&named), body, at).await;
                call.finish(outcome_of(&heard));
                (shown(&named), heard)
            }
            // Ours to mend; meanwhile it is tried by its schedule like any other.
            Err(fault) => {
                tracing::error!(error = %fault, "a webhook cannot be signed");
                let error = Some("it could not be signed".to_owned());
                let heard = Heard {
                    error,
                    ..Heard::default()
                };
                (json!({}), heard)
            }
        };
        let made = Try {
            at,
            duration_ms: i32::try_from(began.elapsed().as_millis()).unwrap_or(i32::MAX),
            request_headers,
            status: heard.status,
            answer: heard.answer.clone(),
            error: heard.error.clone(),
        };
        let verdict = self.judge(&claimed, &heard);
        match self.record(&claimed, verdict, &made).await {
            Ok(true) => count(verdict),
            Ok(false) => tracing::warn!("another process took the delivery over"),
            Err(error) => {
                tracing::warn!(%error, "what came of a webhook is not recorded: it is sent again");
            }
        }
    }

    fn judge(&self, claimed: &Claimed, heard: &Heard) -> Verdict {
        let answer = match heard.status {
            Some(code) => Answer::Status {
                code,
                retry_after: heard.retry_after,
            },
            None => Answer::None,
        };
        let now = self.backbone.clock.now();
        let mut rng = self.backbone.db.fork_rng();
        verdict(answer, claimed.tries, claimed.cause, now, &mut rng)
    }

    /// The headers of Standard Webhooks: signed anew at each try, with the key and,
    /// while it is being replaced, the one before.
    fn signed(
        &self,
        claimed: &Claimed,
        now: DateTime<Utc>,
    ) -> Result<Vec<(&'static str, String)>, KeyFault> {
        let endpoint = (claimed.tenant.organization(), claimed.endpoint);
        let (id, timestamp) = (claimed.event.to_string(), now.timestamp());
        let keys = std::iter::once(&claimed.key_sealed).chain(&claimed.old_key_sealed);
        let signatures: Result<Vec<String>, KeyFault> = keys
            .map(|sealed| {
                let key = SigningKey::open(&self.keyring, endpoint, sealed)?;
                Ok(key.sign(&id, timestamp, claimed.payload.as_bytes()))
            })
            .collect();
        Ok(vec![
            ("content-type", "application/json".to_owned()),
            ("webhook-id", id),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", signatures?.join(" ")),
        ])
    }

    /// Commits what came of it. The answer is heard once, so passing trouble with
    /// Postgres is waited out for as long as the lease keeps others off. False if the
    /// delivery is not this worker's any more.
    async fn record(
        &self,
        claimed: &Claimed,
        verdict: Verdict,
        made: &Try,
    ) -> Result<bool, DbError> {
        const PAUSE: Duration = Duration::from_millis(250);
        let lease = self.lease.to_std().unwrap_or_default();
        let deadline = Instant::now() + lease / 2;
        loop {
            match self.record_once(claimed, verdict, made).await {
                Err(error) if error.is_passing() && Instant::now() + PAUSE < deadline => {
                    tracing::warn!(%error, "what came of a webhook is not recorded yet");
                    tokio::time::sleep(PAUSE).await;
                }
                ended => return ended,
            }
        }
    }

    async fn record_once(
        &self,
        claimed: &Claimed,
        verdict: Verdict,
        made: &Try,
    ) -> Result<bool, DbError> {
        let mut tx = self.backbone.db.begin(self.backbone.cause()).await?;
        let outcome = partners::record(&mut tx, claimed, self.worker, verdict, made).await?;
        match outcome {
            Outcome::Lost => {
                tx.roll_back().await?;
                return Ok(false);
            }
            Outcome::Disable => {
                let why = if verdict == Verdict::Gone {
                    "it answered 410 Gone"
                } else {
                    "deliveries to it failed for five days"
                };
                gone::disable(&mut tx, claimed, why).await?;
            }
            Outcome::Recorded => {}
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// What the log keeps of the headers: a signature would let whoever reads it make
/// the request again.
fn shown(named: &[(&'static str, String)]) -> Value {
    let shown = named.iter().map(|(name, value)| {
        let schemes = || {
            let schemes = value.split(' ').filter_map(|one| one.split_once(','));
            let schemes: Vec<String> = schemes.map(|(it, _)| format!("{it},…")).collect();
            schemes.join(" ")
        };
        let value = if *name == "webhook-signature" {
            schemes()
        } else {
            value.clone()
        };
        ((*name).to_owned(), Value::String(value))
    });
    Value::Object(shown.collect())
}

const fn outcome_of(heard: &Heard) -> &'static str {
    match heard.status {
        Some(200..=299) => "ok",
        Some(_) => "refused",
        None => "no_answer",
    }
}

fn count(verdict: Verdict) {
    let outcome = match verdict {
        Verdict::Delivered => "delivered",
        Verdict::Retry { .. } => "retried",
        Verdict::Failed => "failed",
        Verdict::Gone => "gone",
    };
    metrics::counter!("partner_deliveries_total", "outcome" => outcome).increment(1);
}
