//! What partner webhooks say: `{id, type, version, timestamp, data}`, in JSON.
//!
//! One list below joins each type to the struct of its particulars; payloads, the
//! list of types that the api answers, and the schemas in its OpenAPI document all
//! come from it.

pub mod particulars;

use chrono::{DateTime, Utc};
use domain::id::{PartnerEventId, RecoveryId, TransactionId};
use domain::partner::EventType;
use domain::{Money, TransactionRef};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::openapi::{AllOfBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use particulars::{
    AttemptDeclined, AttemptSucceeded, CheckoutStarted, EndpointDisabled, EndpointTest,
    FailureRecorded, Link, Notification, PayerUnsubscribed, RecoveryEnded, RecoveryOpened,
    RecoveryRecovered,
};

/// An event as partners get it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Event<D> {
    /// The event's id, the same in every copy of it and in `webhook-id`.
    #[schema(example = "evt_019a6b0e5c7d7000a1b2c3d4e5f60718")]
    pub id: String,
    /// What happened, such as `recovery.opened`.
    pub r#type: String,
    /// The version of `data`; it goes up when a field changes its meaning or goes away.
    #[schema(minimum = 1, example = 1)]
    pub version: u32,
    /// When it happened.
    pub timestamp: DateTime<Utc>,
    /// What happened, in particular.
    pub data: D,
}

/// What happened to a recovery.
#[derive(Debug, Serialize)]
pub struct OfRecovery<D> {
    /// Which recovery.
    #[serde(flatten)]
    pub about: About,
    /// What.
    #[serde(flatten)]
    pub particulars: D,
}

/// Which recovery an event is about.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct About {
    /// The recovery.
    #[schema(value_type = String, example = "rec_019a6b0e5c7d7000a1b2c3d4e5f60718")]
    pub recovery_id: RecoveryId,
    /// What the payer owed.
    #[schema(value_type = String, example = "txn_019a6b0e5c7d7000a1b2c3d4e5f60718")]
    pub transaction_id: TransactionId,
    /// The merchant's own name for it.
    #[schema(value_type = String, example = "order-1001")]
    pub transaction_ref: TransactionRef,
    /// What is owed, in the currency's minor unit.
    #[schema(example = 129_950)]
    pub amount: i64,
    /// The currency, by ISO 4217.
    #[schema(example = "INR")]
    pub currency: String,
}

impl About {
    /// About a recovery of `amount`.
    pub fn new(
        recovery_id: RecoveryId,
        transaction_id: TransactionId,
        transaction_ref: TransactionRef,
        amount: Money,
    ) -> Self {
        Self {
            recovery_id,
            transaction_id,
            transaction_ref,
            amount: amount.minor(),
            currency: amount.currency().code().to_owned(),
        }
    }
}

/// An event whose particulars are not those of its type.
#[derive(Debug, thiserror::Error)]
pub enum PayloadFault {
    /// A field of another kind than its struct has.
    #[error("the particulars of {event} do not read")]
    Unreadable {
        /// Its type.
        event: EventType,
        /// What does not read.
        #[source]
        source: serde_json::Error,
    },
    /// A type that is about something else than asked for.
    #[error("{0} is about something else")]
    Mismatched(EventType),
}

/// Which event, and when.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// Its id.
    pub id: PartnerEventId,
    /// Its type.
    pub event: EventType,
    /// When it happened.
    pub at: DateTime<Utc>,
}

impl Stamp {
    fn json<D: Serialize>(self, version: u32, data: D) -> serde_json::Result<String> {
        serde_json::to_string(&Event {
            id: self.id.to_string(),
            r#type: self.event.to_string(),
            version,
            timestamp: self.at,
            data,
        })
    }

    fn of_recovery<D: Serialize + DeserializeOwned>(
        self,
        version: u32,
        about: &About,
        detail: &str,
    ) -> serde_json::Result<String> {
        let particulars: D = serde_json::from_str(detail)?;
        let about = about.clone();
        self.json(version, OfRecovery { about, particulars })
    }
}

/// A type of event, for documents.
pub struct Described {
    /// The type.
    pub event: EventType,
    /// The version of its data.
    pub version: u32,
    /// What it tells, in a sentence.
    pub summary: &'static str,
    /// The schema of its `data`, which refers to no other. That of the rest is
    /// [`Event`]'s.
    pub data: RefOr<Schema>,
}

fn described(
    event: EventType,
    version: u32,
    summary: &'static str,
    data: RefOr<Schema>,
) -> Described {
    Described {
        event,
        version,
        summary,
        data,
    }
}

/// The schema of an event's data that is about a recovery.
fn about_recovery<D: PartialSchema>() -> RefOr<Schema> {
    let both = AllOfBuilder::new().item(About::schema()).item(D::schema());
    both.into()
}

macro_rules! events {
    ($($event:ident, $version:literal, $particulars:ty, $summary:literal;)*) => {
        /// The payload of an event of a recovery, from what the event carries inside Tinko.
        pub fn of_recovery(stamp: Stamp, about: &About, detail: &str) -> Result<String, PayloadFault> {
            let event = stamp.event;
            let written = match event {
                $(EventType::$event => stamp.of_recovery::<$particulars>($version, about, detail),)*
                EventType::EndpointDisabled | EventType::EndpointTest => {
                    return Err(PayloadFault::Mismatched(event));
                }
            };
            written.map_err(|source| PayloadFault::Unreadable { event, source })
        }

        /// Every type, with its schema.
        pub fn all() -> Vec<Described> {
            vec![
                $(described(EventType::$event, $version, $summary, about_recovery::<$particulars>()),)*
                described(
                    EventType::EndpointDisabled, 1,
                    "An endpoint was disabled because deliveries to it failed; told to the organization's other endpoints.",
                    EndpointDisabled::schema(),
                ),
                described(
                    EventType::EndpointTest, 1, "Somebody tries the endpoint.", EndpointTest::schema(),
                ),
            ]
        }
    };
}

events! {
    RecoveryOpened, 1, RecoveryOpened, "A payment failed, and a recovery of it began.";
    RecoveryRecovered, 1, RecoveryRecovered, "The money arrived.";
    RecoveryExhausted, 1, RecoveryEnded, "Every step was taken, and the payer's time to pay is over.";
    RecoveryCancelled, 1, RecoveryEnded, "The recovery was stopped.";
    RecoveryExpired, 1, RecoveryEnded, "The recovery's time ran out with steps left.";
    RecoveryFinalAction, 1, RecoveryEnded, "The policy asks the merchant's system to do something at the end.";
    FailureRecorded, 1, FailureRecorded, "The payment failed again while its recovery was open.";
    AttemptSucceeded, 1, AttemptSucceeded, "A charge went through.";
    AttemptDeclined, 1, AttemptDeclined, "A charge was declined.";
    NotificationSent, 1, Notification, "A message was taken by its provider.";
    NotificationDelivered, 1, Notification, "A message arrived, by its provider's word.";
    NotificationBounced, 1, Notification, "A message could not be delivered, by its provider's word.";
    NotificationFailed, 1, Notification, "A message could not be sent.";
    LinkCreated, 1, Link, "A link was made to pass on to the payer.";
    LinkOpened, 1, Link, "The payer opened the link for the first time.";
    CheckoutStarted, 1, CheckoutStarted, "The payer went to the PSP's payment page.";
    PayerUnsubscribed, 1, PayerUnsubscribed, "The payer does not want to be written to on a channel.";
}

/// The payload of [`EventType::EndpointDisabled`].
pub fn endpoint_disabled(
    stamp: Stamp,
    disabled: &EndpointDisabled,
) -> Result<String, PayloadFault> {
    write(stamp, disabled)
}

/// The payload of [`EventType::EndpointTest`].
pub fn endpoint_test(stamp: Stamp, test: &EndpointTest) -> Result<String, PayloadFault> {
    write(stamp, test)
}

fn write<D: Serialize>(stamp: Stamp, data: &D) -> Result<String, PayloadFault> {
    let event = stamp.event;
    let written = stamp.json(1, data);
    written.map_err(|source| PayloadFault::Unreadable { event, source })
}

/// An example of a type's payload, for documents.
pub fn example(event: EventType) -> Value {
    const EXAMPLE: uuid::Uuid = uuid::Uuid::from_u128(0x019a_6b0e_5c7d_7000_a1b2_c3d4_e5f6_0718);
    let stamp = Stamp {
        id: PartnerEventId::from_uuid(EXAMPLE),
        event,
        at: DateTime::from_timestamp(1_764_324_000, 0).unwrap_or_default(),
    };
    let endpoint_id = domain::id::WebhookEndpointId::from_uuid(EXAMPLE).to_string();
    let written = match event {
        EventType::EndpointTest => endpoint_test(
            stamp,
            &EndpointTest {
                endpoint_id,
                message: "A test".to_owned(),
            },
        ),
        EventType::EndpointDisabled => endpoint_disabled(
            stamp,
            &EndpointDisabled {
                endpoint_id,
                reason: "it answered 410 Gone".to_owned(),
            },
        ),
        _ => {
            let about = About {
                recovery_id: RecoveryId::from_uuid(EXAMPLE),
                transaction_id: TransactionId::from_uuid(EXAMPLE),
                transaction_ref: match TransactionRef::parse("order-1001") {
                    Ok(reference) => reference,
                    Err(_) => return Value::Null,
                },
                amount: 129_950,
                currency: "INR".to_owned(),
            };
            of_recovery(stamp, &about, &example_detail(event).to_string())
        }
    };
    let written = written
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok());
    written.unwrap_or_default()
}

fn example_detail(event: EventType) -> Value {
    let id = |prefix: &str| format!("{prefix}_019a6b0e5c7d7000a1b2c3d4e5f60718");
    match event {
        EventType::RecoveryOpened | EventType::FailureRecorded => json!({
            "failure_event_id": id("fev"), "source": "stripe",
            "category": "insufficient_funds", "hardness": "soft",
        }),
        EventType::RecoveryRecovered => json!({
            "amount": 129_950, "by": "link", "link_id": id("lnk"),
        }),
        EventType::RecoveryCancelled => json!({ "state": "cancelled", "final_action": "none" }),
        EventType::RecoveryExpired => json!({ "state": "expired", "final_action": "none" }),
        EventType::RecoveryExhausted | EventType::RecoveryFinalAction => json!({
            "state": "exhausted", "final_action": "cancel_subscription",
        }),
        EventType::AttemptSucceeded => json!({
            "attempt_id": id("att"), "number": 2, "charge": "ch_3Q0001",
        }),
        EventType::AttemptDeclined => json!({
            "attempt_id": id("att"), "number": 2, "code": "insufficient_funds",
            "category": "insufficient_funds", "hardness": "soft",
        }),
        EventType::NotificationSent | EventType::NotificationDelivered => json!({
            "notification_id": id("ntf"), "attempt_id": id("att"),
            "channel": "email", "provider": "smtp",
        }),
        EventType::NotificationBounced | EventType::NotificationFailed => json!({
            "notification_id": id("ntf"), "attempt_id": id("att"), "channel": "email",
            "provider": "smtp", "reason": "no such mailbox", "suppressed": "hard_bounce",
        }),
        EventType::LinkCreated | EventType::LinkOpened => json!({
            "link_id": id("lnk"), "channel": "email",
        }),
        EventType::CheckoutStarted => json!({
            "checkout_id": id("chk"), "provider": "stripe",
        }),
        EventType::PayerUnsubscribed => json!({ "channel": "email" }),
        EventType::EndpointDisabled | EventType::EndpointTest => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_schema_and_an_example() {
        let all = all();
        let types: Vec<EventType> = all.iter().map(|it| it.event).collect();
        assert_eq!(types, EventType::ALL);
        for described in all {
            let example = example(described.event);
            assert_eq!(example["type"], described.event.as_str());
            assert_eq!(example["version"], described.version);
            assert!(example["data"].is_object(), "{}", described.event);
        }
    }

    #[test]
    fn what_partners_get_stays_as_it_was_published() {
        let examples: Vec<Value> = EventType::ALL.iter().map(|it| example(*it)).collect();
        insta::assert_json_snapshot!("payloads", examples);
    }

    #[test]
    fn what_an_event_carries_inside_does_not_leak() {
        let detail = json!({ "channel": "email", "address": "asha@example.com", "link_id": null });
        let at = DateTime::UNIX_EPOCH;
        let stamp = Stamp {
            id: PartnerEventId::from_uuid(uuid::Uuid::nil()),
            event: EventType::LinkOpened,
            at,
        };
        let about = About {
            recovery_id: RecoveryId::from_uuid(uuid::Uuid::nil()),
            transaction_id: TransactionId::from_uuid(uuid::Uuid::nil()),
            transaction_ref: TransactionRef::parse("a").unwrap(),
            amount: 1,
            currency: "EUR".to_owned(),
        };
        let payload = of_recovery(stamp, &about, &detail.to_string()).unwrap();
        assert!(!payload.contains("asha"), "{payload}");
        let wrong = of_recovery(stamp, &about, r#"{"channel": 3}"#).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "the particulars of link.opened do not read"
        );
    }
}
