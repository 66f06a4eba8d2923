//! A mail as it came over SMTP, read into a message.

use std::collections::BTreeMap;

use mail_parser::{MessageParser, MimeHeaders as _};
use serde_json::json;

use super::links;
use super::store::{Channel, NewMessage};

/// One message per recipient of the envelope. A mail that is not readable as one is kept as text.
pub(crate) fn messages(sender: &str, recipients: &[String], raw: &[u8]) -> Vec<NewMessage> {
    let message = read(sender, raw);
    let to_each = recipients.iter().map(|recipient| NewMessage {
        to: recipient.clone(),
        ..message.clone()
    });
    to_each.collect()
}

fn read(sender: &str, raw: &[u8]) -> NewMessage {
    let mut message = NewMessage {
        channel: Channel::Email,
        to: String::new(),
        from: sender.to_owned(),
        subject: None,
        text: Some(String::from_utf8_lossy(raw).into_owned()),
        html: None,
        headers: BTreeMap::new(),
        links: Vec::new(),
        provider_id: None,
        details: json!({ "envelope_from": sender, "size": raw.len() }),
    };
    let Some(mail) = MessageParser::default().parse(raw) else {
        return message;
    };
    message.headers = headers(&mail);
    message.provider_id = mail.message_id().map(str::to_owned);
    message.subject = mail.subject().map(str::to_owned);
    if let Some(from) = mail.from().and_then(|from| from.first()) {
        from.address()
            .unwrap_or(sender)
            .clone_into(&mut message.from);
    }
    // The library makes the missing one of text and HTML from the other: only what was sent counts.
    let kind_of = |part: Option<&mail_parser::MessagePart<'_>>, wanted: &str| {
        part.is_some_and(|part| {
            let subtype = part.content_type().and_then(|kind| kind.subtype());
            subtype.unwrap_or("plain").eq_ignore_ascii_case(wanted)
        })
    };
    let has_text = kind_of(mail.text_part(0), "plain");
    message.text = mail
        .body_text(0)
        .filter(|_| has_text)
        .map(std::borrow::Cow::into_owned);
    let has_html = kind_of(mail.html_part(0), "html");
    message.html = mail
        .body_html(0)
        .filter(|_| has_html)
        .map(std::borrow::Cow::into_owned);
    message.links = links::in_mail(message.text.as_deref(), message.html.as_deref());
    message
}

/// Headers by name with unfolded values; of several with one name the first counts.
fn headers(mail: &mail_parser::Message<'_>) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    for (name, value) in mail.headers_raw() {
        let unfolded = value.split_whitespace().collect::<Vec<_>>().join(" ");
        headers.entry(name.to_owned()).or_insert(unfolded);
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multipart_mail_shows_its_text_html_headers_and_links() {
        let raw = "From: Shop <pay@shop.example>\r\nTo: a@payer.example\r\n\
            Message-ID: <n1@shop.example>\r\nSubject: =?utf-8?q?Zahlung_f=C3=BCr?= Mai\r\n\
            Content-Type: multipart/alternative; boundary=x\r\n\r\n\
            --x\r\nContent-Type: text/plain; charset=utf-8\r\n\
            Content-Transfer-Encoding: quoted-printable\r\n\r\nhttps://t.example/p=\r\nay/1\r\n\
            --x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
            <a href=\"https://t.example/pay/1\">Pay</a>\r\n--x--\r\n";
        let to = ["a@payer.example".to_owned()];
        let messages = messages("bounce@shop.example", &to, raw.as_bytes());
        let message = &messages[0];
        assert_eq!(message.from, "pay@shop.example");
        assert_eq!(message.subject.as_deref(), Some("Zahlung für Mai"));
        assert_eq!(message.headers["Message-ID"], "<n1@shop.example>");
        assert_eq!(message.links, ["https://t.example/pay/1"]);
        assert!(message.html.is_some());
    }

    #[test]
    fn a_mail_of_text_only_has_no_html() {
        let to = ["a@payer.example".to_owned()];
        let messages = messages("s@x.example", &to, b"Subject: Hi\r\n\r\nbody\r\n");
        assert_eq!(messages[0].html, None);
        assert_eq!(messages[0].text.as_deref(), Some("body\r\n"));
    }
}
