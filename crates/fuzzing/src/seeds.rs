//! What each target begins with: bodies and templates that the repository has anyway, and a few written here.

use std::path::{Path, PathBuf};
use std::{fs, io};

use chrono::DateTime;
use contracts::{Envelope, Message};
use domain::Channel;
use domain::id::{
    FailureEventId, NotificationId, OrganizationId, OutboxId, RecoveryId, UserCodeId,
};
use uuid::Uuid;

/// One input that leads far into its target.
pub struct Seed {
    /// A file name, of its own within the target.
    pub name: String,
    /// The input.
    pub bytes: Vec<u8>,
}

/// The seeds of a target; none for a name that is no target's.
///
/// # Errors
///
/// If a folder of the repository that holds some cannot be read.
pub fn seeds(target: &str) -> io::Result<Vec<Seed>> {
    match target {
        "psp_webhook" => {
            let stripe = "t=1728000000,v1=00000000000000000000000000000000";
            under_line("crates/psp/tests/it/bodies", stripe)
        }
        "provider_post" => Ok(written(&POSTS)),
        "stream_entry" => Ok(entries()),
        "template" => under_line(
            "crates/wording/templates/en",
            "Your payment to {{ merchant }}",
        ),
        "token_and_cursor" => Ok(written(&TOKENS)),
        _ => Ok(Vec::new()),
    }
}

const POSTS: [(&str, &str); 4] = [
    (
        "twilio_status",
        "RSOYDt4T1cUTdK1PDd93/VVr8B8=\nMessageSid=SM1&MessageStatus=undelivered&ErrorCode=30003",
    ),
    (
        "twilio_stop",
        "RSOYDt4T1cUTdK1PDd93/VVr8B8=\nMessageSid=SM2&From=%2B6591234567&Body=STOP&OptOutType=STOP",
    ),
    (
        "whatsapp",
        concat!(
            "sha256=00\n",
            r#"{"entry":[{"changes":[{"value":{"statuses":[{"id":"wamid.1","status":"failed","#,
            r#""biz_opaque_callback_data":"ntf","errors":[{"code":131026,"title":"no"}]}],"#,
            r#""messages":[{"id":"wamid.2","from":"6591234567","type":"text","#,
            r#""text":{"body":"stop"}}]}}]}]}"#,
        ),
    ),
    (
        "bounce",
        concat!(
            "multipart/report; report-type=delivery-status; boundary=b\n",
            "--b\r\n\r\nIt came back.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n",
            "Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; payer@example.com\r\n",
            "Action: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n",
            "Message-ID: <0198c0de-0000-7000-8000-000000000001@pay.example>\r\n\r\n--b--\r\n",
        ),
    ),
];

const TOKENS: [(&str, &str); 7] = [
    ("link", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"),
    ("code", "123 456"),
    ("id", "rec_0198c0de00007000800000000000001"),
    ("uuid", "0198c0de-0000-7000-8000-000000000001"),
    ("limit", "120/60"),
    (
        "access",
        "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.eyJpc3MiOiJ0aW5rbyJ9.AAAA",
    ),
    (
        "cursor",
        "eyJzIjoiY3JlYXRlZF9hdCIsIm8iOiJBQUFBQUFBQSIsInAiOlsiYSIsImIiXX0",
    ),
];

fn written(seeds: &[(&str, &str)]) -> Vec<Seed> {
    let seed = |(name, text): &(&str, &str)| Seed {
        name: (*name).to_owned(),
        bytes: text.as_bytes().to_vec(),
    };
    seeds.iter().map(seed).collect()
}

/// The files of a folder of the repository, each under a first line.
fn under_line(folder: &str, line: &str) -> io::Result<Vec<Seed>> {
    let folder = root().join(folder);
    let mut seeds = Vec::new();
    for file in fs::read_dir(&folder)? {
        let path = file?.path();
        if path.is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let body = fs::read(&path)?;
            seeds.push(Seed {
                name: name.into_owned(),
                bytes: [line.as_bytes(), b"\n", &body].concat(),
            });
        }
    }
    seeds.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(seeds)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn entries() -> Vec<Seed> {
    let id = Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0001);
    let recovery = RecoveryId::from_uuid(id);
    let messages = [
        Message::FailureRecorded {
            recovery,
            failure: FailureEventId::from_uuid(id),
        },
        Message::NotificationRequested {
            notification: NotificationId::from_uuid(id),
            recovery,
            channel: Channel::Email,
        },
        Message::UserMailRequested {
            code: UserCodeId::from_uuid(id),
        },
        Message::RecoveryEvent {
            event_id: id,
            kind: "recovery.opened".to_owned(),
            recovery,
            data: r#"{"amount":1299}"#.to_owned(),
            occurred_at: DateTime::UNIX_EPOCH,
        },
    ];
    let seed = |(index, message): (usize, Message)| {
        let envelope = Envelope {
            outbox: OutboxId::from_uuid(id),
            organization: OrganizationId::from_uuid(id),
            created_at: DateTime::UNIX_EPOCH,
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
            tracestate: Some("vendor=1".to_owned()),
            message,
        };
        Seed {
            name: format!("entry_{index}"),
            bytes: envelope.encode(),
        }
    };
    messages.into_iter().enumerate().map(seed).collect()
}
