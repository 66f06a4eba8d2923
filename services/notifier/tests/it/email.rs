//! Emails: once, or honestly unconfirmed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Channel;
use serde_json::json;
use testkit::eventually;

use crate::harness::{EMAIL, SOON, Stage};

#[tokio::test]
async fn an_email_arrives_once_with_its_link_and_headers() {
    let stage = Stage::new().await;
    let running = stage.start().await;
    let asked = stage.ask(Channel::Email).await;
    let mail = stage.received("email").await;
    stage.becomes(&asked, "sent").await;
    stage.all_settled().await;

    assert_eq!(mail["to"], EMAIL);
    assert!(
        mail["links"]
            .as_array()
            .unwrap()
            .contains(&json!(asked.pay)),
        "{mail}"
    );
    let headers = &mail["headers"];
    let message_id = format!("<{}@tinko.example>", asked.notification);
    assert_eq!(headers["Message-ID"], message_id);
    assert_eq!(
        headers["List-Unsubscribe"],
        format!("<{}>", asked.unsubscribe)
    );
    assert_eq!(
        headers["List-Unsubscribe-Post"],
        "List-Unsubscribe=One-Click"
    );
    assert_eq!(headers["Auto-Submitted"], "auto-generated");
    let name = STANDARD.encode("Anna's Yoga & Tea");
    assert_eq!(
        headers["From"],
        format!("=?utf-8?b?{name}?= <recovery@tinko.example>")
    );
    assert!(
        mail["text"].as_str().unwrap().contains("₹1,299.50"),
        "{mail}"
    );
    assert!(
        mail["html"]
            .as_str()
            .unwrap()
            .contains("Anna&#x27;s Yoga &amp; Tea"),
        "{mail}"
    );
    assert_eq!(
        stage.column(&asked, "provider_message_id").await,
        Some(message_id)
    );
    let told = stage.timeline(&asked).await;
    let sent = "Email handed over to the mail server (a***@example.com)";
    assert_eq!(told, [("message.sent".to_owned(), sent.to_owned())]);
    running.stop().await;
}

#[tokio::test]
async fn a_second_copy_of_the_request_sends_nothing() {
    let stage = Stage::new().await;
    let running = stage.start().await;
    let asked = stage.ask(Channel::Email).await;
    stage.becomes(&asked, "sent").await;
    stage.repeat(&asked).await;
    stage.all_settled().await;
    assert_eq!(stage.inbox("email").await.len(), 1);
    assert_eq!(stage.kinds(&asked).await, ["message.sent"]);
    running.stop().await;
}

#[tokio::test]
async fn two_copies_at_two_notifiers_at_once_send_one_email() {
    let stage = Stage::new().await;
    let first = stage.start().await;
    let second = stage.start().await;
    stage
        .fault(json!({ "target": "smtp", "mode": "slow", "ms": 300 }))
        .await;
    let asked = stage.ask(Channel::Email).await;
    stage.repeat(&asked).await;
    stage.becomes(&asked, "sent").await;
    stage.all_settled().await;
    assert_eq!(stage.inbox("email").await.len(), 1);
    assert_eq!(stage.kinds(&asked).await, ["message.sent"]);
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn an_email_refused_for_now_is_sent_once_it_is_taken() {
    let stage = Stage::new().await;
    let fault = json!({ "target": "smtp", "mode": "fail", "status": 451, "times": 2 });
    stage.fault(fault).await;
    let running = stage.start().await;
    let asked = stage.ask(Channel::Email).await;
    stage.becomes(&asked, "sent").await;
    stage.all_settled().await;
    assert_eq!(stage.inbox("email").await.len(), 1);
    assert_eq!(
        stage.kinds(&asked).await,
        ["message.delayed", "message.sent"]
    );
    assert_eq!(stage.column(&asked, "tries").await.as_deref(), Some("3"));
    assert_eq!(stage.column(&asked, "error").await, None);
    running.stop().await;
}

#[tokio::test]
async fn an_email_refused_for_too_long_fails_and_says_why() {
    let mut stage = Stage::new().await;
    stage.set("TINKO__MESSAGE_PATIENCE_SECONDS", "1");
    let fault = json!({ "target": "smtp", "mode": "rate_limited", "times": null });
    stage.fault(fault).await;
    let running = stage.start().await;
    let asked = stage.ask(Channel::Email).await;
    stage.becomes(&asked, "failed").await;
    stage.all_settled().await;
    let (kind, why) = stage.timeline(&asked).await.pop().unwrap();
    assert_eq!(kind, "message.failed");
    assert!(why.contains("451 4.7.1 Too many mails"), "{why}");
    assert_eq!(stage.suppressions().await, []);
    running.stop().await;
}

#[tokio::test]
async fn a_mailbox_that_does_not_exist_fails_and_is_not_written_to_again() {
    let stage = Stage::new().await;
    stage
        .fault(json!({ "target": "smtp", "mode": "fail", "status": 550 }))
        .await;
    let running = stage.start().await;
    let asked = stage.ask(Channel::Email).await;
    stage.becomes(&asked, "failed").await;
    assert_eq!(
        stage.suppressions().await,
        [(EMAIL.to_owned(), "hard_bounce".to_owned())]
    );
    let next = stage.ask(Channel::Email).await;
    stage.becomes(&next, "withdrawn").await;
    stage.all_settled().await;
    assert_eq!(stage.inbox("email").await.len(), 0);
    running.stop().await;
}

#[tokio::test]
async fn an_email_whose_answer_is_lost_is_unconfirmed_and_not_sent_again() {
    let stage = Stage::new().await;
    stage
        .fault(json!({ "target": "smtp", "mode": "timeout_after_acting", "ms": 20 }))
        .await;
    let running = stage.start().await;
    let asked = stage.ask(Channel::Email).await;
    stage.becomes(&asked, "unconfirmed").await;
    stage.repeat(&asked).await;
    stage.all_settled().await;
    assert_eq!(stage.inbox("email").await.len(), 1);
    assert_eq!(stage.kinds(&asked).await, ["message.unconfirmed"]);
    running.stop().await;
}

#[tokio::test]
async fn a_notifier_killed_in_a_hand_over_leaves_it_unconfirmed_and_not_sent_again() {
    let stage = Stage::new().await;
    stage
        .fault(json!({ "target": "smtp", "mode": "slow", "ms": 600 }))
        .await;
    let first = stage.start().await;
    let asked = stage.ask(Channel::Email).await;
    stage.becomes(&asked, "handing_over").await;
    first.kill().await;
    let second = stage.start().await;
    stage.becomes(&asked, "unconfirmed").await;
    stage.all_settled().await;
    // The mail server had it all along.
    stage.received("email").await;
    assert_eq!(stage.inbox("email").await.len(), 1);
    second.stop().await;
}

#[tokio::test]
async fn a_hand_over_under_way_ends_before_the_process_does() {
    let mut stage = Stage::new().await;
    stage.set("TINKO__HAND_OVER_TIMEOUT_MS", "10000");
    stage.set("TINKO__HAND_OVER_LEASE_MS", "20000");
    stage
        .fault(json!({ "target": "smtp", "mode": "slow", "ms": 1500 }))
        .await;
    let running = stage.start().await;
    let asked = stage.ask(Channel::Email).await;
    stage.becomes(&asked, "handing_over").await;
    running.stop().await;
    assert_eq!(stage.state(&asked).await, "sent");
}

#[tokio::test]
async fn a_mail_server_that_is_away_delays_the_email() {
    let mut stage = Stage::new().await;
    let here = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = here.local_addr().unwrap();
    drop(here);
    stage.set("SMTP_URL", &format!("smtp://{address}"));
    let running = stage.start().await;
    let asked = stage.ask(Channel::Email).await;
    eventually(SOON, async || {
        stage.kinds(&asked).await == ["message.delayed"]
    })
    .await;
    // Nobody was reached: no hand-over was begun.
    assert_eq!(stage.state(&asked).await, "queued");
    assert_eq!(stage.column(&asked, "tries").await.as_deref(), Some("0"));
    running.stop().await;
}
