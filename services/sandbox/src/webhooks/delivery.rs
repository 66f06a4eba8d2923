//! One delivery to one address, and the pauses between its tries.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, USER_AGENT};

use super::signing::Signer;
use super::{Event, Payload, Provider};

/// After so many tries an endpoint is given up, as the real companies do after hours or days.
pub(crate) const TRIES: usize = 20;

/// The pause after the first failed try; it doubles up to [`LONGEST_PAUSE`].
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(200);

const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The pause after each of the [`TRIES`].
pub(crate) fn pauses() -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(FIRST_PAUSE), |pause| {
        Some((*pause * 2).min(LONGEST_PAUSE))
    })
    .take(TRIES)
}

#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) event: Event,
    pub(crate) url: String,
    pub(crate) signer: Signer,
    /// How long to wait before the first try.
    pub(crate) after: Duration,
}

impl Delivery {
    /// The signed POST of this delivery, made at `now`.
    pub(crate) fn request(
        &self,
        client: &reqwest::Client,
        signer: &Signer,
        now: DateTime<Utc>,
    ) -> reqwest::RequestBuilder {
        let (content_type, body) = self.body(signer);
        let mut request = client
            .post(&self.url)
            .header(CONTENT_TYPE, content_type)
            .header(USER_AGENT, user_agent(self.event.provider));
        if self.event.provider == Provider::Razorpay {
            request = request.header("X-Razorpay-Event-Id", &self.event.id);
        }
        if let Some((name, value)) = signer.header(&self.url, &self.event.payload, &body, now) {
            request = request.header(name, value);
        }
        request.body(body)
    }

    fn body(&self, signer: &Signer) -> (&str, Vec<u8>) {
        match &self.event.payload {
            Payload::Text { content_type, text } => (content_type, text.clone().into_bytes()),
            Payload::Form(fields) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                let body = form.extend_pairs(fields).finish();
                ("application/x-www-form-urlencoded", body.into_bytes())
            }
            Payload::Json(value) => {
                let mut value = value.clone();
                if let Signer::Stripe {
                    connect_account: Some(account),
                    ..
                } = signer
                {
                    value["account"] = account.as_str().into();
                }
                // Stripe indents its events; a receiver that signs a re-serialized body breaks here.
                let text = match self.event.provider {
                    Provider::Stripe => format!("{value:#}"),
                    _ => value.to_string(),
                };
                ("application/json; charset=utf-8", text.into_bytes())
            }
        }
    }
}

fn user_agent(provider: Provider) -> &'static str {
    match provider {
        Provider::Stripe => "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        Provider::Razorpay => "Razorpay-Webhook/v1",
        Provider::Twilio => "TwilioProxy/1.1",
        Provider::Whatsapp => "facebookexternalua",
        Provider::Mail => "sandbox-mail-gateway",
    }
}
