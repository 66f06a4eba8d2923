//! What the wire promises.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::{DateTime, Utc};
use contracts::{DecodeError, Envelope, Message, Stream};
use domain::{Channel, Id};
use proptest::prelude::*;
use uuid::Uuid;

fn ids<K: domain::id::Kind>() -> impl Strategy<Value = Id<K>> {
    any::<u128>().prop_map(|bits| Id::from_uuid(Uuid::from_u128(bits)))
}

/// From 1601 to 2500, before and after 1970.
fn times() -> impl Strategy<Value = DateTime<Utc>> {
    (-11_644_473_600_000i64..16_725_225_600_000)
        .prop_map(|millis| DateTime::from_timestamp_millis(millis).unwrap())
}

fn messages() -> impl Strategy<Value = Message> {
    let failure = (ids(), ids())
        .prop_map(|(recovery, failure)| Message::FailureRecorded { recovery, failure });
    let notification = (ids(), ids(), prop::sample::select(Channel::ALL)).prop_map(
        |(notification, recovery, channel)| Message::NotificationRequested {
            notification,
            recovery,
            channel,
        },
    );
    let event = (any::<u128>(), ".{1,40}", ids(), ".{1,200}", times()).prop_map(
        |(event, kind, recovery, data, occurred_at)| Message::RecoveryEvent {
            event_id: Uuid::from_u128(event),
            kind,
            recovery,
            data,
            occurred_at,
        },
    );
    let mail = ids().prop_map(|code| Message::UserMailRequested { code });
    prop_oneof![failure, notification, mail, event]
}

fn envelopes() -> impl Strategy<Value = Envelope> {
    let trace = || prop::option::of(".{1,60}");
    (ids(), ids(), times(), trace(), trace(), messages()).prop_map(
        |(outbox, organization, created_at, traceparent, tracestate, message)| Envelope {
            outbox,
            organization,
            created_at,
            traceparent,
            tracestate,
            message,
        },
    )
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded_equal(envelope in envelopes()) {
        let decoded = Envelope::decode(&envelope.encode(), envelope.stream()).unwrap();
        prop_assert_eq!(decoded, envelope);
    }

    #[test]
    fn any_bytes_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for stream in Stream::ALL {
            let _ = Envelope::decode(&bytes, stream);
        }
    }

    #[test]
    fn a_damaged_envelope_gives_an_answer(envelope in envelopes(), at: prop::sample::Index, byte: u8) {
        let mut bytes = envelope.encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = Envelope::decode(&bytes, envelope.stream());
        let _ = Envelope::decode(&bytes[..at], envelope.stream());
    }

    #[test]
    fn an_envelope_on_another_stream_is_refused(envelope in envelopes()) {
        for stream in Stream::ALL {
            // A notification's channel is told by its stream alone.
            let told_by_stream = matches!(
                (stream, envelope.stream()),
                (Stream::Notifications(_), Stream::Notifications(_))
            );
            if stream != envelope.stream() && !told_by_stream {
                let error = Envelope::decode(&envelope.encode(), stream).unwrap_err();
                prop_assert!(matches!(error, DecodeError::WrongStream { .. }), "{}", error);
            }
        }
    }
}

fn golden(message: Message) -> Envelope {
    Envelope {
        outbox: Id::from_uuid(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001)),
        organization: Id::from_uuid(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0002)),
        created_at: DateTime::from_timestamp_millis(1_750_000_000_123).unwrap(),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        tracestate: Some("vendor=1".to_owned()),
        message,
    }
}

fn recovery() -> domain::id::RecoveryId {
    Id::from_uuid(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0003))
}

/// A release must read what the one before wrote: these bytes change only with a v2.
fn assert_bytes(envelope: &Envelope, hex: &str) {
    assert_eq!(hex::encode(envelope.encode()), hex);
    let decoded = Envelope::decode(&hex::decode(hex).unwrap(), envelope.stream()).unwrap();
    assert_eq!(&decoded, envelope);
}

/// What all have in common: fields 1 to 5.
const HEAD: &str = "0a1001920000000070008000000000000001\
                    121001920000000070008000000000000002\
                    18fbb883a1f732\
                    223730302d30616637363531393136636434336464383434386562323131633830333139632d\
                    623761643662373136393230333333312d3031\
                    2a0876656e646f723d31";

#[test]
fn the_bytes_of_a_failure_are_what_they_were() {
    let envelope = golden(Message::FailureRecorded {
        recovery: recovery(),
        failure: Id::from_uuid(Uuid::from_u128(4)),
    });
    assert_bytes(
        &envelope,
        &format!(
            "{HEAD}5224\
             0a1001920000000070008000000000000003\
             121000000000000000000000000000000004"
        ),
    );
}

#[test]
fn the_bytes_of_a_notification_are_what_they_were() {
    let envelope = golden(Message::NotificationRequested {
        notification: Id::from_uuid(Uuid::from_u128(5)),
        recovery: recovery(),
        channel: Channel::WhatsApp,
    });
    assert_bytes(
        &envelope,
        &format!(
            "{HEAD}5a24\
             0a1000000000000000000000000000000005\
             121001920000000070008000000000000003"
        ),
    );
}

#[test]
fn the_bytes_of_an_event_are_what_they_were() {
    let envelope = golden(Message::RecoveryEvent {
        event_id: Uuid::from_u128(6),
        kind: "recovery.opened".to_owned(),
        recovery: recovery(),
        data: r#"{"amount":{"minor":1299,"currency":"INR"}}"#.to_owned(),
        occurred_at: DateTime::from_timestamp_millis(1_750_000_000_000).unwrap(),
    });
    assert_bytes(
        &envelope,
        &format!(
            "{HEAD}6268\
             0a1000000000000000000000000000000006\
             120f7265636f766572792e6f70656e6564\
             1a1001920000000070008000000000000003\
             222a7b22616d6f756e74223a7b226d696e6f72223a313239392c2263757272656e6379223a22494e52227d7d\
             2880b883a1f732"
        ),
    );
}

#[test]
fn the_bytes_of_a_mail_to_a_user_are_what_they_were() {
    let envelope = golden(Message::UserMailRequested {
        code: Id::from_uuid(Uuid::from_u128(7)),
    });
    assert_bytes(
        &envelope,
        &format!("{HEAD}6a120a1000000000000000000000000000000007"),
    );
    assert_eq!(envelope.message.recovery(), None);
}

#[test]
fn a_field_at_fault_is_named() {
    // Field 1, outbox_id, with three bytes.
    let error = Envelope::decode(&[0x0a, 3, 1, 2, 3], Stream::Events).unwrap_err();
    assert_eq!(
        error.to_string(),
        "field outbox_id holds 3 bytes where the 16 of a UUID belong"
    );
}

#[test]
fn a_message_of_a_later_release_is_refused_with_the_order_to_deploy() {
    let mut bytes = golden(Message::FailureRecorded {
        recovery: recovery(),
        failure: Id::from_uuid(Uuid::nil()),
    })
    .encode();
    // The message's tag (field 10, length-delimited) becomes that of field 15, unknown today.
    let at = bytes
        .windows(2)
        .position(|pair| pair == [0x52, 0x24])
        .unwrap();
    bytes[at] = 0x7a;
    let error = Envelope::decode(&bytes, Stream::Failures).unwrap_err();
    assert!(matches!(error, DecodeError::NoMessage), "{error}");
    assert!(
        error.to_string().contains("before the producers"),
        "{error}"
    );
}
