//! A reply's one effect: STOP suppresses, START lifts what STOP suppressed, HELP
//! is left to the provider, which answers it by itself.

use db::replies::{self, Writer};
use db::{DbError, Tx, timeline};
use domain::Channel;
use domain::consent::{PayerAddress, Reply};
use serde_json::json;

use crate::app::Api;

/// A message from a payer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inbound {
    /// Who brings it.
    pub(crate) provider: &'static str,
    /// Its id there.
    pub(crate) message_id: String,
    /// From whom.
    pub(crate) from: PayerAddress,
    /// What it asks for.
    pub(crate) reply: Reply,
}

/// Does what the payer asks for, once.
pub(crate) async fn obey(api: &Api, inbound: &Inbound) -> Result<(), DbError> {
    let word = match inbound.reply {
        Reply::Stop => "stop",
        Reply::Start => "start",
        Reply::Help => "help",
    };
    metrics::counter!("replies_total", "provider" => inbound.provider, "word" => word).increment(1);
    if inbound.reply == Reply::Help {
        return Ok(());
    }
    let mut tx = api
        .backbone
        .db
        .begin(api.backbone.cause_by("payer"))
        .await?;
    if !replies::obey_once(&mut tx, inbound.provider, &inbound.message_id).await? {
        return tx.roll_back().await;
    }
    let from = &inbound.from;
    if inbound.reply == Reply::Stop {
        let news = replies::stop(&mut tx, from, "replied STOP").await?;
        let messages = match from.channel() {
            Channel::Email => "emails",
            Channel::Sms => "text messages",
            Channel::WhatsApp => "WhatsApp messages",
        };
        let why = format!("The payer answered STOP: no more {messages}");
        announce(&mut tx, from, &news, "payer.unsubscribed", &why);
    } else {
        let news = replies::start(&mut tx, from, "replied START").await?;
        let why = "The payer answered START: messages may be sent again";
        announce(&mut tx, from, &news, "payer.resubscribed", why);
    }
    tx.commit().await
}

fn announce(tx: &mut Tx, from: &PayerAddress, news: &[Writer], kind: &str, why: &str) {
    for writer in news {
        let detail = json!({ "channel": from.channel() });
        timeline::announce(tx, writer.tenant, writer.recovery, kind, why, detail);
    }
}
