//! Webhooks that go out: registered endpoints, the event log, delivery at least once.
//!
//! An event is logged in the step that caused it and delivered from tasks of its own, each try
//! signed anew, until an endpoint answers 2xx or `delivery::TRIES` are used up. A `Disturbance`
//! makes deliveries repeat, come late or come in another order.

pub(crate) mod delivery;
pub(crate) mod endpoints;
pub(crate) mod log;
pub(crate) mod signing;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::ids::Ids;
use crate::state::locked;
use delivery::Delivery;
use endpoints::{Endpoint, Endpoints};
use log::EventLog;
use signing::Signer;

pub use signing::stripe as stripe_signature;

/// Whose webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// `Stripe-Signature`.
    Stripe,
    /// `X-Razorpay-Signature`.
    Razorpay,
    /// Status callbacks and payers' messages with `X-Twilio-Signature`.
    Twilio,
    /// Status changes and payers' messages with `X-Hub-Signature-256`.
    Whatsapp,
    /// A mail gateway that hands in bounces with `Authorization: Bearer`.
    Mail,
}

/// How deliveries of a provider are disturbed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Disturbance {
    pub(crate) provider: Provider,
    /// Each event is delivered this many times under the same id; 0 and 1 both mean once.
    #[serde(default)]
    pub(crate) repeat: u32,
    /// Events are held for `window_ms` and then delivered in another order.
    #[serde(default)]
    pub(crate) reorder: bool,
    #[serde(default = "default_window")]
    pub(crate) window_ms: u64,
    /// Each delivery starts this much later.
    #[serde(default)]
    pub(crate) delay_ms: u64,
}

fn default_window() -> u64 {
    500
}

/// What is sent to an endpoint.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Payload {
    Json(Value),
    Form(Vec<(String, String)>),
    /// A body of a media type of its own.
    Text {
        content_type: String,
        text: String,
    },
}

/// An event as its provider made it.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) provider: Provider,
    pub(crate) kind: String,
    pub(crate) account: String,
    pub(crate) created: DateTime<Utc>,
    pub(crate) payload: Payload,
}

pub(crate) struct Webhooks(Arc<Inner>);

struct Inner {
    client: reqwest::Client,
    runtime: Handle,
    stop: CancellationToken,
    ids: Arc<Ids>,
    endpoints: Mutex<Endpoints>,
    log: Mutex<EventLog>,
    disturbances: Mutex<HashMap<Provider, Disturbance>>,
    held: Mutex<HashMap<Provider, Vec<Delivery>>>,
    lanes: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// Deliveries under way to one address; more would run out of sockets before the receiver did.
const LANES: usize = 64;

impl Webhooks {
    /// Deliveries run on `runtime` until `stop` is cancelled.
    pub(crate) fn new(
        runtime: Handle,
        stop: CancellationToken,
        ids: Arc<Ids>,
    ) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self(Arc::new(Inner {
            client,
            runtime,
            stop,
            ids,
            endpoints: Mutex::default(),
            log: Mutex::default(),
            disturbances: Mutex::default(),
            held: Mutex::default(),
            lanes: Mutex::default(),
        })))
    }

    /// Registers an endpoint, or changes the one with the same account and address.
    pub(crate) fn register(&self, endpoint: Endpoint) -> Endpoint {
        locked(&self.0.endpoints).put(endpoint)
    }

    /// Logs the event and delivers it to every endpoint of its account that wants it.
    pub(crate) fn emit(&self, event: &Event) {
        let endpoints = locked(&self.0.endpoints).wanting(event);
        let deliveries = endpoints.into_iter().map(|endpoint| Delivery {
            event: event.clone(),
            url: endpoint.url.clone(),
            signer: endpoint.signer(),
            after: Duration::ZERO,
        });
        self.emit_to(event, deliveries.collect());
    }

    /// Logs the event and delivers it to an address that came with the call that caused it.
    pub(crate) fn emit_to_url(&self, event: &Event, url: String, signer: Signer, after: Duration) {
        let delivery = Delivery {
            event: event.clone(),
            url,
            signer,
            after,
        };
        self.emit_to(event, vec![delivery]);
    }

    fn emit_to(&self, event: &Event, deliveries: Vec<Delivery>) {
        let urls = deliveries.iter().map(|delivery| delivery.url.clone());
        locked(&self.0.log).add(event.clone(), urls.collect());
        for delivery in deliveries {
            self.dispatch(delivery);
        }
    }

    fn dispatch(&self, mut delivery: Delivery) {
        let provider = delivery.event.provider;
        let disturbance = locked(&self.0.disturbances).get(&provider).copied();
        let Some(disturbance) = disturbance else {
            return self.0.start(delivery);
        };
        delivery.after += Duration::from_millis(disturbance.delay_ms);
        for _ in 0..disturbance.repeat.max(1) {
            if disturbance.reorder {
                self.hold(delivery.clone(), disturbance.window_ms);
            } else {
                self.0.start(delivery.clone());
            }
        }
    }

    /// Keeps the delivery until its provider's window closes; the first one held opens the window.
    fn hold(&self, delivery: Delivery, window_ms: u64) {
        let provider = delivery.event.provider;
        let mut held = locked(&self.0.held);
        let waiting = held.entry(provider).or_default();
        waiting.push(delivery);
        if waiting.len() > 1 {
            return;
        }
        let inner = Arc::clone(&self.0);
        self.0.runtime.spawn(async move {
            tokio::select! {
                () = inner.stop.cancelled() => {}
                () = tokio::time::sleep(Duration::from_millis(window_ms)) => {
                    inner.release(provider).await;
                }
            }
        });
    }

    /// Delivers a logged event again to the endpoints it went to, or to those registered since.
    pub(crate) fn redeliver(&self, event_id: &str) -> bool {
        let Some(event) = locked(&self.0.log).event(event_id) else {
            return false;
        };
        let endpoints = locked(&self.0.endpoints).wanting(&event);
        for endpoint in endpoints {
            locked(&self.0.log).add_url(event_id, &endpoint.url);
            self.0.start(Delivery {
                event: event.clone(),
                url: endpoint.url.clone(),
                signer: endpoint.signer(),
                after: Duration::ZERO,
            });
        }
        true
    }

    pub(crate) fn disturb(&self, disturbance: Disturbance) {
        locked(&self.0.disturbances).insert(disturbance.provider, disturbance);
    }

    pub(crate) fn calm(&self) {
        locked(&self.0.disturbances).clear();
    }

    pub(crate) fn log(&self, wanted: &log::Wanted) -> Vec<log::Entry> {
        locked(&self.0.log).find(wanted)
    }
}

impl Inner {
    fn start(self: &Arc<Self>, delivery: Delivery) {
        let inner = Arc::clone(self);
        self.runtime.spawn(async move {
            tokio::select! {
                () = inner.stop.cancelled() => {}
                () = inner.deliver(delivery) => {}
            }
        });
    }

    /// First tries go out one after the other, so that receivers see the new order.
    async fn release(self: &Arc<Self>, provider: Provider) {
        let mut deliveries = locked(&self.held).remove(&provider).unwrap_or_default();
        self.ids.disorder(&mut deliveries);
        for mut delivery in deliveries {
            tokio::time::sleep(std::mem::take(&mut delivery.after)).await;
            if !self.attempt(&delivery).await {
                delivery.after = delivery::FIRST_PAUSE;
                self.start(delivery);
            }
        }
    }

    async fn deliver(&self, delivery: Delivery) {
        tokio::time::sleep(delivery.after).await;
        for pause in delivery::pauses() {
            if self.attempt(&delivery).await {
                return;
            }
            tokio::time::sleep(pause).await;
        }
    }

    fn lane(&self, url: &str) -> Arc<Semaphore> {
        let mut lanes = locked(&self.lanes);
        let lane = lanes
            .entry(url.to_owned())
            .or_insert_with(|| Arc::new(Semaphore::new(LANES)));
        Arc::clone(lane)
    }

    /// One try; true when the endpoint answered 2xx.
    async fn attempt(&self, delivery: &Delivery) -> bool {
        let lane = self.lane(&delivery.url);
        let _permit = lane.acquire().await;
        let now = clock::now();
        let secrets = locked(&self.endpoints).current_signer(delivery);
        let request = delivery.request(&self.client, &secrets, now);
        let outcome = match request.send().await {
            Ok(answer) => log::Outcome::Answered(answer.status().as_u16()),
            Err(error) => log::Outcome::Unreachable(error.without_url().to_string()),
        };
        let accepted = outcome.is_accepted();
        locked(&self.log).record(&delivery.event.id, &delivery.url, outcome, now);
        accepted
    }
}
