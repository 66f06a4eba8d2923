//! The messages, and waiting for more of them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use crate::state::locked;

/// How a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Channel {
    Email,
    Sms,
    Whatsapp,
}

/// A message as it is put in; it gets its id and time on the way.
#[derive(Debug, Clone)]
pub(crate) struct NewMessage {
    pub(crate) channel: Channel,
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) subject: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) links: Vec<String>,
    /// The provider's id: a Twilio sid, a WhatsApp id, a mail's Message-ID.
    pub(crate) provider_id: Option<String>,
    /// What else the provider's call carried.
    pub(crate) details: Value,
}

/// A received message.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) channel: Channel,
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) subject: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) links: Vec<String>,
    pub(crate) provider_id: Option<String>,
    pub(crate) details: Value,
    pub(crate) received_at: DateTime<Utc>,
}

/// Which messages are wanted; an absent field does not filter.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    channel: Option<Channel>,
    to: Option<String>,
}

impl Wanted {
    fn matches(&self, message: &Message) -> bool {
        self.channel.is_none_or(|it| it == message.channel)
            && self
                .to
                .as_ref()
                .is_none_or(|it| same_address(it, &message.to))
    }
}

/// Mail addresses do not differ by case; a `+` in a query string arrives as a blank.
fn same_address(wanted: &str, address: &str) -> bool {
    let digits = |text: &str| text.trim().trim_start_matches('+').to_ascii_lowercase();
    digits(wanted) == digits(address)
}

#[derive(Default)]
struct Messages {
    all: Vec<Message>,
    /// Counts on after the inbox was emptied, so that an id is never given twice.
    received: u64,
}

pub(crate) struct Inbox {
    messages: Mutex<Messages>,
    arrivals: watch::Sender<u64>,
}

impl Default for Inbox {
    fn default() -> Self {
        Self {
            messages: Mutex::default(),
            arrivals: watch::Sender::new(0),
        }
    }
}

impl Inbox {
    pub(crate) fn receive(&self, new: NewMessage, now: DateTime<Utc>) {
        let mut messages = locked(&self.messages);
        messages.received += 1;
        let message = Message {
            id: format!("msg_{}", messages.received),
            channel: new.channel,
            to: new.to,
            from: new.from,
            subject: new.subject,
            text: new.text,
            html: new.html,
            headers: new.headers,
            links: new.links,
            provider_id: new.provider_id,
            details: new.details,
            received_at: now,
        };
        messages.all.push(message);
        self.arrivals.send_replace(messages.received);
    }

    /// Oldest first.
    pub(crate) fn find(&self, wanted: &Wanted) -> Vec<Message> {
        let messages = locked(&self.messages);
        messages
            .all
            .iter()
            .filter(|message| wanted.matches(message))
            .cloned()
            .collect()
    }

    fn count(&self, wanted: &Wanted) -> usize {
        let messages = locked(&self.messages);
        let matching = messages.all.iter().filter(|it| wanted.matches(it));
        matching.count()
    }

    pub(crate) fn get(&self, id: &str) -> Option<Message> {
        locked(&self.messages)
            .all
            .iter()
            .find(|message| message.id == id)
            .cloned()
    }

    pub(crate) fn clear(&self) {
        locked(&self.messages).all.clear();
    }

    /// Waits until `count` messages match, or the time is over: then `Err` has those there are.
    pub(crate) async fn wait(
        &self,
        wanted: &Wanted,
        count: usize,
        timeout: Duration,
    ) -> Result<Vec<Message>, Vec<Message>> {
        let deadline = tokio::time::Instant::now() + timeout;
        let mut arrivals = self.arrivals.subscribe();
        loop {
            arrivals.mark_unchanged();
            // Counted first: a wait for thousands must not copy them all at each arrival.
            if self.count(wanted) >= count {
                return Ok(self.find(wanted));
            }
            let arrival = tokio::time::timeout_at(deadline, arrivals.changed()).await;
            if !matches!(arrival, Ok(Ok(()))) {
                return Err(self.find(wanted));
            }
        }
    }
}
