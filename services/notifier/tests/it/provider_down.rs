//! A provider that is not well is left alone: its messages wait, and none is lost,
//! doubled or given up.

use std::net::SocketAddr;
use std::time::Duration;

use domain::Channel;
use serde_json::json;
use testkit::eventually;
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{Asked, SOON, Stage};

const MANY: usize = 40;

/// A few failures open the breaker, and it is tried often.
fn impatient(stage: &mut Stage) {
    stage.set("TINKO__CIRCUIT_FAILURES", "3");
    stage.set("TINKO__CIRCUIT_FIRST_PAUSE_MS", "200");
    stage.set("TINKO__CIRCUIT_LONGEST_PAUSE_MS", "400");
}

async fn ask_many(stage: &Stage, channel: Channel) -> Vec<Asked> {
    let mut asked = Vec::new();
    for _ in 0..MANY {
        asked.push(stage.ask(channel).await);
    }
    asked
}

/// All are sent, each once, and nothing was given up.
async fn all_arrive_once(stage: &Stage, asked: &[Asked], channel: &str) {
    for asked in asked {
        stage.becomes(asked, "sent").await;
    }
    stage.all_settled().await;
    assert_eq!(stage.inbox(channel).await.len(), asked.len());
}

/// How many of the messages were tried at all so far.
async fn tried(stage: &Stage, asked: &[Asked]) -> usize {
    let mut tried = 0;
    for asked in asked {
        tried += usize::from(!stage.kinds(asked).await.is_empty());
    }
    tried
}

/// Lets the mail server come back at `address`.
async fn mail_server_at(address: SocketAddr, behind: SocketAddr) {
    let listener = TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut to = TcpStream::connect(behind).await.unwrap();
                let _ended = tokio::io::copy_bidirectional(&mut from, &mut to).await;
            });
        }
    });
}

#[tokio::test]
async fn a_mail_server_that_is_away_for_a_while_costs_no_mail_a_try_and_none_is_sent_twice() {
    let mut stage = Stage::new().await;
    impatient(&mut stage);
    // More than the tries that a message has: were they counted, it would be dead.
    stage.set("TINKO__MESSAGE_PATIENCE_SECONDS", "600");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    stage.set("SMTP_URL", &format!("smtp://{address}"));
    let running = stage.start().await;
    let asked = ask_many(&stage, Channel::Email).await;
    eventually(SOON, async || tried(&stage, &asked).await >= 3).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let tried = tried(&stage, &asked).await;
    assert!(tried < MANY / 2, "{tried} of {MANY} were tried in vain");

    mail_server_at(address, stage.sandbox.smtp()).await;
    all_arrive_once(&stage, &asked, "email").await;
    running.stop().await;
}

#[tokio::test]
async fn a_provider_that_limits_us_is_left_alone_and_the_messages_arrive_later() {
    for (channel, target) in [(Channel::Sms, "twilio"), (Channel::WhatsApp, "whatsapp")] {
        let mut stage = Stage::new().await;
        impatient(&mut stage);
        stage
            .fault(json!({ "target": target, "mode": "rate_limited", "times": null }))
            .await;
        let began = std::time::Instant::now();
        let running = stage.start().await;
        let asked = ask_many(&stage, channel).await;
        eventually(SOON, async || stage.fired().await >= 3).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let calls = u128::from(stage.fired().await);
        // What was under way when it opened, and two probes after each pause.
        let most = MANY as u128 + 2 * (began.elapsed().as_millis() / 200 + 1);
        assert!(calls < most, "{target} was called {calls} times");
        stage.mend().await;
        all_arrive_once(&stage, &asked, channel.as_str()).await;
        running.stop().await;
    }
}

#[tokio::test]
async fn credentials_that_are_refused_stop_the_channel_after_one_call_and_lose_nothing() {
    let mut stage = Stage::new().await;
    stage.set("TINKO__CIRCUIT_FIRST_PAUSE_MS", "1000");
    stage
        .fault(json!({ "target": "twilio", "mode": "fail", "status": 401, "times": 1 }))
        .await;
    let running = stage.start().await;
    let first = stage.ask(Channel::Sms).await;
    eventually(SOON, async || stage.fired().await == 1).await;
    let second = stage.ask(Channel::Sms).await;
    all_arrive_once(&stage, &[first, second], "sms").await;
    running.stop().await;
}
