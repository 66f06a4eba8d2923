//! The mail server alone: the same messages, handed over by a plain client.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::PoolConfig;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use serde_json::Value;
use tokio::task::JoinSet;

use super::Stage;
use super::backlog::Backlog;
use crate::ground::Ground;

/// Connections to it, each with one message under way. So many, since the client writes a mail and
/// the dot that ends it apart, on sockets that keep Nagle's algorithm: each mail waits up to 40 ms
/// for the server's delayed acknowledgement, which a few connections would measure instead of it.
const CONNECTIONS: u32 = 128;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Hands over as many messages as the backlog has, each with the text of one of those that the
/// notifier sent.
pub(super) async fn sink_alone(ground: &Ground, backlog: &Backlog) -> anyhow::Result<Stage> {
    let path = format!("/inbox/messages?to={}", backlog.first_payer());
    let messages = ground.stack.sandbox.get(&path).await?;
    let sample = messages
        .get(0)
        .context("the inbox has no message to take the text from")?;
    let message = message(sample)?;
    let (envelope, body) = (message.envelope().clone(), message.formatted());
    let pool = PoolConfig::new().max_size(CONNECTIONS);
    let transport: Transport = Transport::from_url(&ground.stack.smtp_url)?
        .pool_config(pool)
        .build();
    let events = backlog.size();
    let begun = Instant::now();
    let mut senders = JoinSet::new();
    for sender in 0..u64::from(CONNECTIONS) {
        let (transport, envelope, body) = (transport.clone(), envelope.clone(), body.clone());
        let share =
            events / u64::from(CONNECTIONS) + u64::from(sender < events % u64::from(CONNECTIONS));
        senders.spawn(async move {
            for _ in 0..share {
                transport.send_raw(&envelope, &body).await?;
            }
            Ok::<_, lettre::transport::smtp::Error>(())
        });
    }
    while let Some(sender) = senders.join_next().await {
        sender?.context("the sandbox did not take a mail")?;
    }
    Ok(Stage {
        name: "mail server alone",
        key: "mail_server_per_s",
        events,
        time: begun.elapsed(),
        processor: None,
    })
}

fn message(sample: &Value) -> anyhow::Result<Message> {
    let part = |name: &str| sample[name].as_str().unwrap_or_default().to_owned();
    let (text, html) = (part("text"), part("html"));
    ensure!(!text.is_empty(), "the message in the inbox has no text");
    let from: Mailbox = "Tinko <recovery@tinko.example>".parse()?;
    let to: Mailbox = "payer@example.com".parse()?;
    let builder = Message::builder()
        .from(from)
        .to(to)
        .subject(part("subject"));
    Ok(builder.multipart(MultiPart::alternative_plain_html(text, html))?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_has_the_text_of_its_sample() {
        let sample = json!({ "subject": "Your payment", "text": "Pay here", "html": "<p>Pay</p>" });
        let written = String::from_utf8(message(&sample).unwrap().formatted()).unwrap();
        assert!(written.contains("Subject: Your payment"));
        assert!(written.contains("Pay here") && written.contains("<p>Pay</p>"));
        assert!(message(&json!({})).is_err());
    }
}
