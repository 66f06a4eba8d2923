//! The doors of this service that are no other crate's business, opened to the
//! fuzz targets (`crates/fuzzing`) and to nobody else.

use chrono::DateTime;
use contracts::{Envelope, Message};
use db::Tenant;
use domain::id::{OrganizationId, OutboxId, UserCodeId};
use secrecy::SecretString;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::receipts::{bounce, twilio, whatsapp};
use crate::routes::cursor;

/// A list's sort.
const SORT: &str = "created_at";

/// Reads a status callback or an inbound message. Whether its signature holds.
pub fn twilio(signature: &str, body: &[u8], token: &SecretString) -> bool {
    let fields = twilio::Fields::read(body);
    let address = "https://pay.example/v1/webhooks/twilio/status?notification=ntf";
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    let _told = (fields.receipt(&url).is_some(), fields.inbound().is_some());
    twilio::verify(Some(signature), &url, &fields, token).is_ok()
}

/// Reads a post of Meta's. Whether its signature holds.
pub fn whatsapp(signature: &str, body: &[u8], secret: &SecretString) -> bool {
    if let Ok(post) = serde_json::from_slice::<Value>(body) {
        let _told = whatsapp::read(&post);
    }
    whatsapp::verify(Some(signature), body, secret).is_ok()
}

/// Reads a bounced mail.
pub fn bounce(content_type: &str, body: &[u8]) {
    let _told = bounce::read(content_type, body);
}

/// Reads a cursor of a list that is sorted by something, and whether one that holds
/// `text` reads back as it was, and for nobody else.
pub fn cursor(text: &str) -> bool {
    let (tenant, other) = (tenant(Uuid::nil()), tenant(Uuid::max()));
    let _place = cursor::read::<(String, Uuid)>(tenant, SORT, text);
    let place = (text.to_owned(), Uuid::nil());
    let written = cursor::write(tenant, SORT, &place);
    let strangers = cursor::read::<(String, Uuid)>(other, SORT, &written);
    let read = cursor::read(tenant, SORT, &written);
    let too_long = written.len() > cursor::LONGEST;
    strangers.is_err() && (too_long || read == Ok(place))
}

fn tenant(organization: Uuid) -> Tenant {
    Tenant::of_envelope(&Envelope {
        outbox: OutboxId::from_uuid(Uuid::nil()),
        organization: OrganizationId::from_uuid(organization),
        created_at: DateTime::UNIX_EPOCH,
        traceparent: None,
        tracestate: None,
        message: Message::UserMailRequested {
            code: UserCodeId::from_uuid(Uuid::nil()),
        },
    })
}
