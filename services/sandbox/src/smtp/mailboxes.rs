//! Mailboxes that are not there: refused at RCPT, or told of later by a delivery-status
//! notification (RFC 3464) that a mail gateway hands in.

use std::collections::HashMap;

use mail_parser::MessageParser;
use serde::Deserialize;

use crate::clock;
use crate::state::State;
use crate::webhooks::{Event, Payload, Provider};

/// The account that bounces are registered under: there is one mail server.
pub(crate) const ACCOUNT: &str = "smtp";

/// How a mailbox behaves. Mailboxes at `refused.example` and `bounces.example` do so from the start.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "behaviour", rename_all = "snake_case")]
pub(crate) enum Mailbox {
    Ok,
    /// Is refused at RCPT.
    Refused,
    /// Is taken, and bounces with this enhanced status code.
    Bounces {
        #[serde(default = "no_such_mailbox")]
        status: String,
    },
}

fn no_such_mailbox() -> String {
    "5.1.1".to_owned()
}

#[derive(Default)]
pub(crate) struct Mailboxes(HashMap<String, Mailbox>);

impl Mailboxes {
    pub(crate) fn set(&mut self, address: &str, mailbox: Mailbox) {
        self.0.insert(address.to_lowercase(), mailbox);
    }

    pub(super) fn of(&self, address: &str) -> Mailbox {
        let address = address.to_lowercase();
        let usual = match address.rsplit_once('@') {
            Some((_, "refused.example")) => Mailbox::Refused,
            Some((_, "bounces.example")) => Mailbox::Bounces {
                status: no_such_mailbox(),
            },
            _ => Mailbox::Ok,
        };
        self.0.get(&address).cloned().unwrap_or(usual)
    }
}

/// Hands in that `raw` did not reach `recipient`.
pub(super) fn bounce(state: &State, recipient: &str, status: &str, raw: &[u8]) {
    let message_id = MessageParser::default()
        .parse(raw)
        .and_then(|mail| mail.message_id().map(str::to_owned))
        .unwrap_or_default();
    let action = if status.starts_with('4') {
        "delayed"
    } else {
        "failed"
    };
    let boundary = state.ids.next("b", 20);
    let text = [
        &format!("--{boundary}"),
        "Content-Type: text/plain; charset=us-ascii",
        "",
        "The mail could not be delivered.",
        &format!("--{boundary}"),
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; sandbox.example",
        "",
        &format!("Final-Recipient: rfc822; {recipient}"),
        &format!("Action: {action}"),
        &format!("Status: {status}"),
        &format!("Diagnostic-Code: smtp; 550 {status} There is no such mailbox"),
        "",
        &format!("--{boundary}"),
        "Content-Type: text/rfc822-headers",
        "",
        &format!("Message-ID: <{message_id}>"),
        "",
        &format!("--{boundary}--"),
        "",
    ]
    .join("\r\n");
    let content_type =
        format!("multipart/report; report-type=delivery-status; boundary=\"{boundary}\"");
    state.webhooks.emit(&Event {
        id: state.ids.next("dsn_", 20),
        provider: Provider::Mail,
        kind: format!("mail.{action}"),
        account: ACCOUNT.to_owned(),
        created: clock::now(),
        payload: Payload::Text { content_type, text },
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_behaves_as_told_whatever_its_case() {
        let mut mailboxes = Mailboxes::default();
        assert_eq!(mailboxes.of("a@payer.example"), Mailbox::Ok);
        assert_eq!(mailboxes.of("a@Refused.example"), Mailbox::Refused);
        mailboxes.set("A@refused.example", Mailbox::Ok);
        assert_eq!(mailboxes.of("a@refused.example"), Mailbox::Ok);
    }
}
