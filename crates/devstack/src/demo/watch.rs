//! One case: its beginning at the sandbox, its watching over Tinko's API, and
//! what the sandbox's own books say at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Client;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::patient;
use super::payer::{self, CheckoutPage};
use super::report::{Happening, Seen, money};
use super::{DemoError, PATIENCE};
use crate::Stack;
use crate::stack::{DemoKeys, Sandbox};

/// Between two looks at a recovery.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What all cases share. It holds copies, so that the stack's processes can be
/// killed while the cases are played.
pub(super) struct Stage {
    sandbox: Sandbox,
    api_url: String,
    keys: DemoKeys,
    http: Client,
    run: String,
}

/// One case and its payer.
pub(super) struct Case<'a> {
    stage: &'a Stage,
    reference: String,
    email: String,
    phone: String,
}

/// How a recovery must end.
#[derive(Clone, Copy)]
pub(super) enum Ending {
    /// The money arrived, by this way.
    Recovered { by: &'static str },
    /// Given up.
    Exhausted,
}

impl Stage {
    pub(super) fn new(stack: &Stack, run: &str) -> Self {
        Self {
            sandbox: stack.sandbox.clone(),
            api_url: stack.api_url.clone(),
            keys: stack.keys.clone(),
            http: Client::new(),
            run: run.to_owned(),
        }
    }

    pub(super) fn case(&self, name: &str) -> Case<'_> {
        let reference = format!("{name}-{}", self.run);
        // Made of five digits of the reference.
        let digits = reference.bytes().fold(7u32, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u32::from(byte)) % 100_000
        });
        Case {
            stage: self,
            email: format!("{reference}@payer.example"),
            // Of a country whose law sets no hours for messages, so that the
            // demo goes the same way at night.
            phone: format!("+65981{digits:05}"),
            reference,
        }
    }

    async fn put(&self, path: &str, body: &Value) -> Result<(), DemoError> {
        let request = self.http.put(format!("{}{path}", self.api_url));
        let request = request.bearer_auth(self.keys.api_key.expose_secret());
        patient::send(&self.http, path, request.json(body))
            .await
            .map(|_| ())
    }

    async fn get(&self, path: &str) -> Result<Value, DemoError> {
        let request = self.http.get(format!("{}{path}", self.api_url));
        let request = request.bearer_auth(self.keys.api_key.expose_secret());
        let answer = patient::send(&self.http, path, request).await?;
        answer.json().await.map_err(|source| DemoError::Http {
            what: path.to_owned(),
            source,
        })
    }
}

impl Case<'_> {
    /// The merchant's card payment fails at Stripe; a payer with an email address.
    pub(super) async fn fail_at_stripe(&self, mut body: Value) -> Result<Value, DemoError> {
        body["key"] = json!(self.stage.keys.stripe.secret_key.expose_secret());
        body["customer_email"] = json!(self.email);
        body["metadata"] = json!({ "transaction_ref": self.reference });
        let path = "stripe/fail_payment";
        Ok(self.stage.sandbox.control(path, &body).await?)
    }

    /// The merchant's payment fails at Razorpay; a payer with a telephone.
    pub(super) async fn fail_at_razorpay(&self, mut body: Value) -> Result<Value, DemoError> {
        body["key_id"] = json!(self.stage.keys.razorpay.key_id);
        body["contact"] = json!(self.phone);
        body["notes"] = json!({ "transaction_ref": self.reference });
        let path = "razorpay/fail_payment";
        Ok(self.stage.sandbox.control(path, &body).await?)
    }

    /// The payer has opted in to messages on WhatsApp, as the merchant tells Tinko.
    pub(super) async fn opt_in_to_whatsapp(&self) -> Result<(), DemoError> {
        let body = json!({
            "channel": "whatsapp", "address": self.phone, "state": "granted",
            "source": "checkout", "evidence": "box ticked at the checkout",
        });
        self.stage.put("/v1/consents", &body).await
    }

    /// Delivers an event's webhook again.
    pub(super) async fn redeliver(&self, event: &str, times: usize) -> Result<(), DemoError> {
        let path = format!("events/{event}/redeliver");
        for _ in 0..times {
            self.stage.sandbox.control(&path, &json!({})).await?;
        }
        Ok(())
    }

    /// Waits for the payer's first message on a channel and follows its link to the PSP.
    pub(super) async fn open_link(&self, channel: &str) -> Result<CheckoutPage, DemoError> {
        let to = if channel == "email" {
            &self.email
        } else {
            &self.phone
        };
        let messages = self
            .stage
            .sandbox
            .wait_for_messages(to, 1, PATIENCE)
            .await?;
        let link = messages
            .as_array()
            .into_iter()
            .flatten()
            .filter(|message| message["channel"] == channel)
            .flat_map(|message| message["links"].as_array().into_iter().flatten())
            .filter_map(Value::as_str)
            .find(|link| link.contains("/pay/"))
            .ok_or_else(|| DemoError::Answer(format!("no {channel} message has a link to pay")))?;
        payer::follow(&self.stage.http, link).await
    }

    /// Waits until the recovery has ended, and sees that it ended as it must.
    pub(super) async fn until_ended(&self, ending: Ending) -> Result<Seen, DemoError> {
        let deadline = Instant::now() + PATIENCE;
        let mut last = "was never opened".to_owned();
        while Instant::now() < deadline {
            if let Some(recovery) = self.recovery().await? {
                last = recovery["state"].as_str().unwrap_or_default().to_owned();
                if last != "open" {
                    return self.seen(&recovery, ending).await;
                }
            }
            sleep(LOOK_EVERY).await;
        }
        Err(DemoError::Answer(format!(
            "its recovery {last} until the end of patience"
        )))
    }

    /// The case's one recovery, once there is one. Two are a fault.
    async fn recovery(&self) -> Result<Option<Value>, DemoError> {
        let page = self.stage.get("/v1/recoveries?limit=200").await?;
        let found: Vec<&Value> = page["data"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|recovery| recovery["transaction_ref"] == self.reference.as_str())
            .collect();
        match found.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some((*one).clone())),
            more => Err(DemoError::Answer(format!(
                "{} recoveries were opened",
                more.len()
            ))),
        }
    }

    async fn seen(&self, recovery: &Value, ending: Ending) -> Result<Seen, DemoError> {
        let state = recovery["state"].as_str().unwrap_or_default();
        let by = recovery["recovered_by"].as_str();
        let as_it_must = match ending {
            Ending::Recovered { by: wanted } => state == "recovered" && by == Some(wanted),
            Ending::Exhausted => state == "exhausted",
        };
        let id = recovery["id"].as_str().unwrap_or_default().to_owned();
        if !as_it_must {
            return Err(DemoError::Answer(format!(
                "{id} ended as {state} (by {})",
                by.unwrap_or("nobody")
            )));
        }
        let recovered = match recovery["recovered_amount"].as_i64() {
            Some(minor) => Some(money(
                minor,
                recovery["currency"].as_str().unwrap_or_default(),
            )?),
            None => None,
        };
        let timeline = self
            .stage
            .get(&format!("/v1/recoveries/{id}/timeline"))
            .await?;
        let rows = timeline["data"].as_array().cloned().unwrap_or_default();
        Ok(Seen {
            recovery: id,
            state: state.to_owned(),
            recovered,
            timeline: rows.iter().map(happening).collect::<Result<_, _>>()?,
        })
    }

    /// The sandbox's books: charges that Tinko asked for, and how many went through.
    pub(super) async fn expect_charges(
        &self,
        payment: &str,
        asked: usize,
        succeeded: usize,
    ) -> Result<(), DemoError> {
        let path = format!("/_control/ledger?payment_intent={payment}");
        let ledger = self.stage.sandbox.get(&path).await?;
        let ours: Vec<&Value> = ledger
            .as_array()
            .into_iter()
            .flatten()
            .filter(|charge| charge["initiator"] == "api")
            .collect();
        let good = ours
            .iter()
            .filter(|charge| charge["succeeded"] == true)
            .count();
        expect("charges asked for", asked, ours.len())?;
        expect("charges that went through", succeeded, good)
    }

    /// Messages to this case's payer, whatever the channel.
    pub(super) async fn expect_messages(&self, wanted: usize) -> Result<(), DemoError> {
        expect("messages", wanted, self.messages().await?.len())
    }

    /// At least one message came, and none came twice.
    pub(super) async fn expect_one_of_each_message(&self) -> Result<(), DemoError> {
        let messages = self.messages().await?;
        if messages.is_empty() {
            return Err(DemoError::Answer("no message came".to_owned()));
        }
        let mut copies: BTreeMap<String, usize> = BTreeMap::new();
        for message in &messages {
            // Each message carries a link of its own, so copies share one.
            let links = format!("{} {}", message["channel"], message["links"]);
            *copies.entry(links).or_default() += 1;
        }
        match copies.values().find(|count| **count > 1) {
            None => Ok(()),
            Some(count) => Err(DemoError::Answer(format!("a message came {count} times"))),
        }
    }

    async fn messages(&self) -> Result<Vec<Value>, DemoError> {
        let mut all = Vec::new();
        for to in [&self.email, &self.phone.replace('+', "%2B")] {
            let path = format!("/inbox/messages?to={to}");
            let found = self.stage.sandbox.get(&path).await?;
            all.extend(found.as_array().cloned().unwrap_or_default());
        }
        Ok(all)
    }

    /// How often the PSP delivered an event, each time answered with success.
    pub(super) async fn expect_deliveries(
        &self,
        event: &str,
        wanted: usize,
    ) -> Result<(), DemoError> {
        let path = format!("/_control/events?id={event}");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let events = self.stage.sandbox.get(&path).await?;
            let taken: u64 = events
                .as_array()
                .into_iter()
                .flatten()
                .flat_map(|event| event["deliveries"].as_array().into_iter().flatten())
                .filter_map(|delivery| delivery["accepted"].as_u64())
                .sum();
            // The last copy may still be on its way when the first has had its effect.
            if taken >= wanted as u64 || Instant::now() > deadline {
                let taken = usize::try_from(taken).unwrap_or(usize::MAX);
                return expect("deliveries that were taken", wanted, taken);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Failure events that Tinko recorded of this case.
    pub(super) async fn expect_failure_events(&self, wanted: usize) -> Result<(), DemoError> {
        let path = format!("/v1/events/by_ref/{}", self.reference);
        let events = self.stage.get(&path).await?;
        expect(
            "failure events",
            wanted,
            events.as_array().map_or(0, Vec::len),
        )
    }
}

fn expect(what: &str, wanted: usize, found: usize) -> Result<(), DemoError> {
    if wanted == found {
        Ok(())
    } else {
        Err(DemoError::Answer(format!(
            "{found} {what}, where {wanted} must be"
        )))
    }
}

fn happening(row: &Value) -> Result<Happening, DemoError> {
    let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
    Ok(Happening {
        at: text("at").parse().map_err(|error| {
            DemoError::Answer(format!("a timeline's time does not read: {error}"))
        })?,
        kind: text("kind"),
        actor: text("actor"),
        why: text("why"),
        trace_id: text("trace_id"),
    })
}
