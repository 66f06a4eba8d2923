//! Delivery-status notifications of mail (RFC 3464), as a mail gateway hands them in.
//!
//! The mail that bounced is known by its Message-ID, which is made from our
//! notification's id: it stands in the copy of the mail or of its headers that
//! the notification ends with (RFC 3462, 2). The recipient is taken from our own
//! row, since a mailbox may have passed the mail on to another.

use domain::consent::mailbox_is_gone;
use domain::id::NotificationId;
use domain::{Channel, NotificationState, SuppressionReason};
use mail_parser::{Message, MessageParser, MimeHeaders, PartType};

use super::take::Receipt;

/// The mail server, as rows name whom mail is handed over to.
const PROVIDER: &str = "smtp";

/// What was handed in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Mail {
    /// It says what became of a mail of ours.
    Report(Receipt),
    /// It says nothing final, or of no mail of ours.
    Nothing,
    /// It is no delivery-status notification: an out-of-office note, a letter.
    NoReport,
}

/// What became of the mail at one recipient (RFC 3464, 2.3).
#[derive(Debug, PartialEq, Eq)]
struct Recipient {
    action: String,
    status: String,
}

/// Reads a mail: a whole one (`message/rfc822`), or a `multipart/report` whose
/// own header came as the request's.
pub(crate) fn read(content_type: &str, body: &[u8]) -> Mail {
    let is_report = content_type
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("multipart/report");
    let raw = if is_report {
        let mut raw = format!("Content-Type: {content_type}\r\n\r\n").into_bytes();
        raw.extend_from_slice(body);
        raw
    } else {
        body.to_vec()
    };
    let Some(mail) = MessageParser::default().parse(&raw) else {
        return Mail::NoReport;
    };
    let Some(recipients) = recipients(&mail) else {
        return Mail::NoReport;
    };
    // Ours have one recipient; of several, a failure is what matters.
    let failed = recipients.iter().find(|it| it.action == "failed");
    let told = failed.or(recipients.first());
    match (told.and_then(fate), original(&mail)) {
        (Some((state, recipient)), Some(notification)) => {
            Mail::Report(receipt(notification, state, recipient))
        }
        _ => Mail::Nothing,
    }
}

fn receipt(
    notification: NotificationId,
    state: NotificationState,
    recipient: &Recipient,
) -> Receipt {
    let bounced = state == NotificationState::Bounced;
    let status = &recipient.status;
    let gone = bounced && mailbox_is_gone(status);
    Receipt {
        channel: Channel::Email,
        provider: PROVIDER,
        notification: Some(notification),
        message_id: None,
        state,
        error: bounced.then(|| match gone {
            true => format!("the mailbox does not exist ({status})"),
            false if status.starts_with("4.") => {
                format!("the mailbox could not be reached in time ({status})")
            }
            false => format!("the mail was returned ({status})"),
        }),
        suppress: gone.then_some(SuppressionReason::HardBounce),
    }
}

/// `delayed` is not final, and `relayed` and `expanded` promise nothing.
fn fate(recipient: &Recipient) -> Option<(NotificationState, &Recipient)> {
    match recipient.action.as_str() {
        "failed" => Some((NotificationState::Bounced, recipient)),
        "delivered" => Some((NotificationState::Delivered, recipient)),
        _ => None,
    }
}

/// The recipients that the notification is about; `None` if it is none.
fn recipients(mail: &Message<'_>) -> Option<Vec<Recipient>> {
    let part = mail.parts.iter().find(|part| {
        part.content_type().is_some_and(|kind| {
            kind.ctype().eq_ignore_ascii_case("message")
                && kind
                    .subtype()
                    .is_some_and(|it| it.eq_ignore_ascii_case("delivery-status"))
        })
    })?;
    let text = String::from_utf8_lossy(part.contents()).replace("\r\n", "\n");
    // Groups of fields with a blank line between; the first is about the mail.
    let groups = text
        .split("\n\n")
        .map(str::trim)
        .filter(|it| !it.is_empty());
    Some(groups.filter_map(recipient).collect())
}

fn recipient(group: &str) -> Option<Recipient> {
    let fields = format!("{group}\n\n");
    let fields = MessageParser::default().parse_headers(fields.as_bytes())?;
    let field = |name: &str| {
        let (_, value) = fields
            .headers_raw()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        // A comment may follow the word.
        value.split_whitespace().next().map(str::to_lowercase)
    };
    Some(Recipient {
        action: field("Action")?,
        status: field("Status")
            .filter(|it| is_status(it))
            .unwrap_or_default(),
    })
}

/// An enhanced status code: `5.1.1` (RFC 3463, 2).
fn is_status(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 3
        && parts
            .iter()
            .all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|it| it.is_ascii_digit()))
}

/// Our notification whose mail is returned.
fn original(mail: &Message<'_>) -> Option<NotificationId> {
    mail.parts.iter().find_map(|part| match &part.body {
        PartType::Message(returned) => returned.message_id().and_then(ours),
        PartType::Text(headers) => {
            let kind = part.content_type()?.subtype()?;
            if !kind.eq_ignore_ascii_case("rfc822-headers") {
                return None;
            }
            let headers = format!("{}\r\n\r\n", headers.trim_end());
            let headers = MessageParser::default().parse_headers(headers.as_bytes())?;
            headers.message_id().and_then(ours)
        }
        _ => None,
    })
}

fn ours(message_id: &str) -> Option<NotificationId> {
    let (id, _) = message_id.trim_matches(['<', '>']).split_once('@')?;
    id.starts_with("ntf_").then(|| id.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "ntf_0193a5b0000070008000000000000000";

    fn report(action: &str, status: &str, returned: &str) -> String {
        format!(
            "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\n\
             Reporting-MTA: dns; mx.example.net\r\n\r\n\
             Final-Recipient: rfc822; somebody@else.example\r\nAction: {action}\r\n\
             Status: {status}\r\nDiagnostic-Code: smtp; 550 5.1.1\r\n no such user\r\n\r\n\
             --b\r\n{returned}\r\n--b--\r\n"
        )
    }

    fn whole_mail() -> String {
        format!(
            "Content-Type: message/rfc822\r\n\r\nMessage-ID: <{ID}@tinko.example>\r\n\
             Subject: Your payment\r\n\r\nText\r\n"
        )
    }

    fn read_report(body: &str) -> Mail {
        let kind = "multipart/report; report-type=delivery-status; boundary=\"b\"";
        let part = read(kind, body.as_bytes());
        let whole = format!("From: <>\r\nContent-Type: {kind}\r\nMIME-Version: 1.0\r\n\r\n{body}");
        assert_eq!(read("message/rfc822", whole.as_bytes()), part);
        part
    }

    fn receipt_of(body: &str) -> Receipt {
        match read_report(body) {
            Mail::Report(receipt) => receipt,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_dead_mailbox_is_told_from_one_that_is_full_late_or_fussy() {
        for (status, suppress) in [
            ("5.1.1", true),
            ("5.1.10 (null mx)", true),
            ("5.2.2", false),
            ("5.7.1", false),
            ("4.4.7", false),
            ("nonsense", false),
        ] {
            let receipt = receipt_of(&report("failed", status, &whole_mail()));
            assert_eq!(receipt.state, NotificationState::Bounced);
            assert_eq!(receipt.suppress.is_some(), suppress, "{status}");
            assert_eq!(receipt.notification, ID.parse().ok());
        }
    }

    #[test]
    fn headers_alone_name_the_mail_too() {
        let headers = format!(
            "Content-Type: text/rfc822-headers\r\n\r\nSubject: x\r\nMessage-ID: <{ID}@t.example>\r\n"
        );
        let receipt = receipt_of(&report("Delivered", "2.0.0", &headers));
        assert_eq!(receipt.state, NotificationState::Delivered);
        assert_eq!(receipt.error, None);
    }

    #[test]
    fn what_is_not_final_or_not_ours_says_nothing() {
        assert_eq!(
            read_report(&report("delayed", "4.4.1", &whole_mail())),
            Mail::Nothing
        );
        let other = "Content-Type: message/rfc822\r\n\r\nMessage-ID: <7@t.example>\r\n\r\nx\r\n";
        assert_eq!(
            read_report(&report("failed", "5.1.1", other)),
            Mail::Nothing
        );
        let letter = b"From: a@b.example\r\nSubject: away\r\n\r\nI am away.\r\n";
        assert_eq!(read("message/rfc822", letter), Mail::NoReport);
        for odd in ["", "\r\n\r\n", "--b", "\u{0}"] {
            assert_eq!(read("message/rfc822", odd.as_bytes()), Mail::NoReport);
        }
    }
}
