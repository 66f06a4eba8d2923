//! Which events there were, and what became of their deliveries.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Event, Payload, Provider};

/// How one try ended.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Answered(u16),
    Unreachable(String),
}

impl Outcome {
    pub(crate) fn is_accepted(&self) -> bool {
        matches!(self, Self::Answered(200..=299))
    }
}

/// What became of the deliveries of one event to one address.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DeliveryRecord {
    pub(crate) url: String,
    /// Of the latest try; null before the first and when nothing answered.
    pub(crate) status: Option<u16>,
    pub(crate) error: Option<String>,
    pub(crate) attempts: u64,
    /// How many tries were answered 2xx (more than one when deliveries repeat).
    pub(crate) accepted: u64,
    pub(crate) last_attempt_at: Option<DateTime<Utc>>,
}

impl DeliveryRecord {
    fn new(url: String) -> Self {
        Self {
            url,
            status: None,
            error: None,
            attempts: 0,
            accepted: 0,
            last_attempt_at: None,
        }
    }
}

/// An event and its deliveries, as the control API tells it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) provider: Provider,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) account: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) payload: Value,
    pub(crate) deliveries: Vec<DeliveryRecord>,
}

/// Which events are wanted; an absent field does not filter.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    provider: Option<Provider>,
    #[serde(rename = "type")]
    kind: Option<String>,
    account: Option<String>,
    id: Option<String>,
}

impl Wanted {
    fn matches(&self, event: &Event) -> bool {
        self.provider.is_none_or(|it| it == event.provider)
            && self.kind.as_ref().is_none_or(|it| *it == event.kind)
            && self.account.as_ref().is_none_or(|it| *it == event.account)
            && self.id.as_ref().is_none_or(|it| *it == event.id)
    }
}

#[derive(Default)]
pub(crate) struct EventLog {
    entries: Vec<(Event, Vec<DeliveryRecord>)>,
    by_id: HashMap<String, usize>,
}

impl EventLog {
    pub(crate) fn add(&mut self, event: Event, urls: Vec<String>) {
        self.by_id.insert(event.id.clone(), self.entries.len());
        let records = urls.into_iter().map(DeliveryRecord::new).collect();
        self.entries.push((event, records));
    }

    /// Notes that the event goes to `url` too, if it did not before.
    pub(crate) fn add_url(&mut self, event_id: &str, url: &str) {
        if let Some((_, records)) = self.entry(event_id)
            && records.iter().all(|record| record.url != url)
        {
            records.push(DeliveryRecord::new(url.to_owned()));
        }
    }

    pub(crate) fn event(&self, event_id: &str) -> Option<Event> {
        let place = self.by_id.get(event_id)?;
        self.entries.get(*place).map(|(event, _)| event.clone())
    }

    pub(crate) fn record(
        &mut self,
        event_id: &str,
        url: &str,
        outcome: Outcome,
        now: DateTime<Utc>,
    ) {
        let Some((_, records)) = self.entry(event_id) else {
            return;
        };
        let Some(record) = records.iter_mut().find(|record| record.url == url) else {
            return;
        };
        record.attempts += 1;
        record.accepted += u64::from(outcome.is_accepted());
        record.last_attempt_at = Some(now);
        (record.status, record.error) = match outcome {
            Outcome::Answered(status) => (Some(status), None),
            Outcome::Unreachable(error) => (None, Some(error)),
        };
    }

    pub(crate) fn find(&self, wanted: &Wanted) -> Vec<Entry> {
        let matching = self
            .entries
            .iter()
            .filter(|(event, _)| wanted.matches(event));
        matching
            .map(|(event, records)| entry(event, records))
            .collect()
    }

    fn entry(&mut self, event_id: &str) -> Option<&mut (Event, Vec<DeliveryRecord>)> {
        let place = self.by_id.get(event_id)?;
        self.entries.get_mut(*place)
    }
}

fn entry(event: &Event, records: &[DeliveryRecord]) -> Entry {
    Entry {
        id: event.id.clone(),
        provider: event.provider,
        kind: event.kind.clone(),
        account: event.account.clone(),
        created_at: event.created,
        payload: match &event.payload {
            Payload::Json(value) => value.clone(),
            Payload::Text { text, .. } => Value::from(text.as_str()),
            Payload::Form(fields) => {
                let fields = fields.iter();
                fields
                    .map(|(name, value)| (name.clone(), Value::from(value.clone())))
                    .collect()
            }
        },
        deliveries: records.to_vec(),
    }
}
