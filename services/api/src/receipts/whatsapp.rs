//! What the WhatsApp Cloud API posts
//! (<https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/payload-examples>).
//!
//! A post may hold many changes of many kinds, and Meta posts it again until it
//! is taken, so what does not read is left out rather than refused.

use domain::consent::{PayerAddress, Reply, whatsapp_suppression};
use domain::{Channel, NotificationState};
use hmac::{Hmac, KeyInit, Mac};
use psp::webhook::SignatureError;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::Sha256;

use super::obey::Inbound;
use super::take::Receipt;

const PROVIDER: &str = "whatsapp";

/// Checks `X-Hub-Signature-256: sha256=…`, an HMAC-SHA256 of the body in
/// hexadecimal. In constant time.
pub(crate) fn verify(
    header: Option<&str>,
    body: &[u8],
    app_secret: &SecretString,
) -> Result<(), SignatureError> {
    let header = header.map(str::trim).filter(|text| !text.is_empty());
    let tag = header
        .ok_or(SignatureError::Missing)?
        .strip_prefix("sha256=")
        .ok_or(SignatureError::Malformed(
            "a signature does not begin with sha256=",
        ))?;
    let tag = hex::decode(tag).map_err(|_| SignatureError::Malformed("a signature is not hex"))?;
    let mac = Hmac::<Sha256>::new_from_slice(app_secret.expose_secret().as_bytes());
    let genuine = mac.is_ok_and(|mut mac| {
        mac.update(body);
        mac.verify_slice(&tag).is_ok()
    });
    if genuine {
        Ok(())
    } else {
        Err(SignatureError::Wrong)
    }
}

#[derive(Deserialize)]
struct Status {
    id: String,
    #[serde(rename = "status")]
    word: String,
    biz_opaque_callback_data: Option<String>,
    #[serde(default)]
    errors: Vec<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    code: u32,
    #[serde(default)]
    title: String,
}

#[derive(Deserialize)]
struct Message {
    id: String,
    from: String,
    text: Option<Text>,
    button: Option<Button>,
    interactive: Option<Interactive>,
}

#[derive(Deserialize)]
struct Text {
    body: String,
}

#[derive(Deserialize)]
struct Button {
    text: String,
}

#[derive(Deserialize)]
struct Interactive {
    button_reply: Option<ButtonReply>,
}

#[derive(Deserialize)]
struct ButtonReply {
    title: String,
}

/// The receipts in a post, and the replies that are commands.
pub(crate) fn read(post: &Value) -> (Vec<Receipt>, Vec<Inbound>) {
    let statuses: Vec<Status> = all(post, "statuses");
    let messages: Vec<Message> = all(post, "messages");
    (
        statuses.into_iter().filter_map(receipt).collect(),
        messages.into_iter().filter_map(inbound).collect(),
    )
}

/// Everything of that name in every change of every entry, as far as it reads.
fn all<T: DeserializeOwned>(post: &Value, name: &str) -> Vec<T> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let entries = list(&post["entry"]);
    let changes = entries.iter().flat_map(|entry| list(&entry["changes"]));
    let found = changes.flat_map(|change| list(&change["value"][name]));
    found
        .filter_map(|value| {
            serde_json::from_value(value)
                .inspect_err(
                    |error| tracing::warn!(%error, name, "WhatsApp sent what does not read"),
                )
                .ok()
        })
        .collect()
}

fn receipt(status: Status) -> Option<Receipt> {
    let state = match status.word.as_str() {
        "sent" => NotificationState::Sent,
        "delivered" | "read" | "played" => NotificationState::Delivered,
        "failed" => NotificationState::Failed,
        _ => return None,
    };
    let failed = state == NotificationState::Failed;
    let fault = status.errors.first().filter(|_| failed);
    let data = status.biz_opaque_callback_data;
    Some(Receipt {
        channel: Channel::WhatsApp,
        provider: PROVIDER,
        notification: data.and_then(|id| id.parse().ok()),
        message_id: Some(status.id),
        state,
        error: fault.map(sentence),
        suppress: fault.and_then(|fault| whatsapp_suppression(fault.code)),
    })
}

/// The errors that merchants ask about most, in words
/// (<https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes>);
/// of others Meta's own title, as far as it names nobody.
fn sentence(fault: &Fault) -> String {
    let code = fault.code;
    let words = match code {
        131_026 => "the number is not on WhatsApp, or cannot be reached there",
        131_047 => "the payer has not written for 24 hours, so only a template may be sent",
        131_049 => "WhatsApp held the message back so as not to bother the payer",
        131_050 => "the payer has told WhatsApp to stop such messages",
        _ => "",
    };
    let plain = |c: char| c.is_ascii_alphabetic() || c == ' ';
    match (words, fault.title.as_str()) {
        ("", title) if !title.is_empty() && title.len() <= 80 && title.chars().all(plain) => {
            format!("{title} (WhatsApp error {code})")
        }
        ("", _) => format!("WhatsApp error {code}"),
        (words, _) => format!("{words} (WhatsApp error {code})"),
    }
}

fn inbound(message: Message) -> Option<Inbound> {
    let words = message
        .text
        .map(|text| text.body)
        .or(message.button.map(|button| button.text))
        .or(message
            .interactive
            .and_then(|pressed| pressed.button_reply)
            .map(|reply| reply.title))?;
    // Meta leaves out the plus.
    let from = format!("+{}", message.from.trim_start_matches('+'));
    Some(Inbound {
        provider: PROVIDER,
        message_id: message.id,
        from: PayerAddress::parse(Channel::WhatsApp, &from).ok()?,
        reply: Reply::read(&words)?,
    })
}

#[cfg(test)]
mod tests {
    use domain::SuppressionReason;
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "tests give literals")]
    fn post(value: Value) -> Value {
        json!({ "entry": [{ "changes": [{ "field": "messages", "value": value }] }] })
    }

    #[test]
    fn statuses_are_read_and_what_does_not_read_is_left_out() {
        let (receipts, replies) = read(&post(json!({ "statuses": [
            { "id": "wamid.1", "status": "read" },
            { "id": 7, "status": "sent" },
            { "id": "wamid.2", "status": "deleted" },
            { "id": "wamid.3", "status": "failed", "errors": [{ "code": 131_026, "title": "x" }],
              "biz_opaque_callback_data": "ntf_0193a5b0000070008000000000000000" },
        ]})));
        assert_eq!((receipts.len(), replies.len()), (2, 0));
        assert_eq!(receipts[0].state, NotificationState::Delivered);
        let failed = &receipts[1];
        assert_eq!(failed.suppress, Some(SuppressionReason::NotOnWhatsApp));
        assert!(failed.notification.is_some());
        for odd in [
            json!(null),
            json!([]),
            json!({ "entry": 7 }),
            post(json!("x")),
        ] {
            let (receipts, replies) = read(&odd);
            assert!(receipts.is_empty() && replies.is_empty());
        }
    }

    #[test]
    fn a_reply_is_a_command_however_it_was_made() {
        let from = "919812341234";
        let (_, replies) = read(&post(json!({ "messages": [
            { "id": "1", "from": from, "type": "text", "text": { "body": "Stop" } },
            { "id": "2", "from": from, "type": "button", "button": { "text": "STOP", "payload": "x" } },
            { "id": "3", "from": from, "type": "interactive",
              "interactive": { "button_reply": { "id": "s", "title": "Start" } } },
            { "id": "4", "from": from, "type": "text", "text": { "body": "I paid yesterday" } },
            { "id": "5", "from": from, "type": "image", "image": {} },
        ]})));
        let words: Vec<_> = replies.iter().map(|it| it.reply).collect();
        assert_eq!(words, [Reply::Stop, Reply::Stop, Reply::Start]);
        assert_eq!(replies[0].from.expose(), "+919812341234");
    }

    #[test]
    fn an_unknown_error_is_told_in_metas_words_if_they_name_nobody() {
        let words = |title: &str| {
            sentence(&Fault {
                code: 131_000,
                title: title.to_owned(),
            })
        };
        assert_eq!(
            words("Something went wrong"),
            "Something went wrong (WhatsApp error 131000)"
        );
        assert_eq!(words("No +919812341234"), "WhatsApp error 131000");
    }
}
