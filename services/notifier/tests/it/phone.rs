//! Text messages and WhatsApp.

use domain::Channel;
use serde_json::json;

use crate::harness::{PHONE, Stage};

#[tokio::test]
async fn a_text_message_arrives_once_with_its_link_in_one_part() {
    let stage = Stage::new().await;
    let running = stage.start().await;
    let asked = stage.ask(Channel::Sms).await;
    let sms = stage.received("sms").await;
    stage.becomes(&asked, "sent").await;
    stage.all_settled().await;
    assert_eq!(sms["to"], PHONE);
    assert_eq!(sms["links"], json!([asked.pay]));
    assert_eq!(sms["details"]["num_segments"], 1, "{sms}");
    let sid = stage.column(&asked, "provider_message_id").await;
    assert_eq!(sms["provider_id"], json!(sid));
    assert_eq!(stage.inbox("sms").await.len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_text_message_whose_answer_is_lost_is_found_and_not_sent_again() {
    let stage = Stage::new().await;
    stage
        .fault(json!({ "target": "twilio", "mode": "timeout_after_acting", "ms": 50 }))
        .await;
    let running = stage.start().await;
    let asked = stage.ask(Channel::Sms).await;
    stage.becomes(&asked, "sent").await;
    stage.all_settled().await;
    let inbox = stage.inbox("sms").await;
    assert_eq!(inbox.len(), 1);
    let sid = stage.column(&asked, "provider_message_id").await;
    assert_eq!(inbox[0]["provider_id"], json!(sid));
    running.stop().await;
}

#[tokio::test]
async fn a_look_up_that_fails_is_made_again() {
    let stage = Stage::new().await;
    let path = "/Messages.json";
    stage.fault(json!({ "target": "twilio", "path_contains": path, "mode": "timeout_after_acting", "ms": 50 })).await;
    stage
        .fault(json!({ "target": "twilio", "path_contains": path, "mode": "fail", "status": 500 }))
        .await;
    let running = stage.start().await;
    let asked = stage.ask(Channel::Sms).await;
    stage.becomes(&asked, "sent").await;
    stage.all_settled().await;
    assert_eq!(stage.inbox("sms").await.len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_text_message_that_twilio_never_got_is_unconfirmed() {
    let stage = Stage::new().await;
    stage
        .fault(json!({ "target": "twilio", "mode": "drop_before_acting" }))
        .await;
    let running = stage.start().await;
    let asked = stage.ask(Channel::Sms).await;
    stage.becomes(&asked, "unconfirmed").await;
    stage.all_settled().await;
    assert_eq!(stage.inbox("sms").await.len(), 0);
    running.stop().await;
}

#[tokio::test]
async fn a_number_that_answered_stop_is_not_written_to_again() {
    let stage = Stage::new().await;
    let number = json!({ "to": PHONE, "behaviour": "unsubscribed" });
    stage.control("twilio/numbers", number).await;
    let running = stage.start().await;
    let asked = stage.ask(Channel::Sms).await;
    stage.becomes(&asked, "failed").await;
    assert_eq!(
        stage.suppressions().await,
        [(PHONE.to_owned(), "opted_out".to_owned())]
    );
    running.stop().await;
}

#[tokio::test]
async fn a_rate_limit_delays_and_loses_nothing() {
    let stage = Stage::new().await;
    stage
        .fault(json!({ "target": "twilio", "mode": "rate_limited", "times": 2 }))
        .await;
    stage
        .fault(json!({ "target": "whatsapp", "mode": "rate_limited", "times": 2 }))
        .await;
    let running = stage.start().await;
    for (channel, inbox) in [(Channel::Sms, "sms"), (Channel::WhatsApp, "whatsapp")] {
        let asked = stage.ask(channel).await;
        stage.becomes(&asked, "sent").await;
        stage.all_settled().await;
        assert_eq!(stage.inbox(inbox).await.len(), 1);
        assert_eq!(
            stage.kinds(&asked).await,
            ["message.delayed", "message.sent"]
        );
    }
    running.stop().await;
}

#[tokio::test]
async fn a_whatsapp_message_arrives_with_its_parameters_filled_in() {
    let stage = Stage::new().await;
    let template = json!({
        "phone_number_id": "100000000000000", "name": "payment_recovery", "language": "en",
        "body": "Hi {{1}}, your payment to {{2}} of {{3}} failed. Pay here: {{4}}",
    });
    stage.control("whatsapp/templates", template).await;
    let running = stage.start().await;
    let asked = stage.ask(Channel::WhatsApp).await;
    let message = stage.received("whatsapp").await;
    stage.becomes(&asked, "sent").await;
    stage.all_settled().await;
    let text = format!(
        "Hi Asha, your payment to Anna's Yoga & Tea of ₹1,299.50 failed. Pay here: {}",
        asked.pay
    );
    assert_eq!(message["text"], text);
    running.stop().await;
}

#[tokio::test]
async fn a_whatsapp_message_whose_answer_is_lost_is_unconfirmed_and_not_sent_again() {
    let stage = Stage::new().await;
    stage
        .fault(json!({ "target": "whatsapp", "mode": "timeout_after_acting", "ms": 50 }))
        .await;
    let running = stage.start().await;
    let asked = stage.ask(Channel::WhatsApp).await;
    stage.becomes(&asked, "unconfirmed").await;
    stage.repeat(&asked).await;
    stage.all_settled().await;
    assert_eq!(stage.inbox("whatsapp").await.len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_channel_that_is_not_set_up_fails_and_says_so() {
    let mut stage = Stage::new().await;
    for name in ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"] {
        stage.set(name, "");
    }
    let running = stage.start().await;
    let asked = stage.ask(Channel::Sms).await;
    stage.becomes(&asked, "failed").await;
    let error = stage.column(&asked, "error").await.unwrap();
    assert_eq!(error, "SMS is not set up: TWILIO_ACCOUNT_SID is not set");
    running.stop().await;
}

#[tokio::test]
async fn a_slow_channel_holds_back_itself_alone() {
    let mut stage = Stage::new().await;
    stage.set("TINKO__SMS_CONCURRENCY", "1");
    stage.set("TINKO__HAND_OVER_TIMEOUT_MS", "10000");
    stage.set("TINKO__HAND_OVER_LEASE_MS", "20000");
    stage
        .fault(json!({ "target": "twilio", "mode": "slow", "ms": 3000, "times": null }))
        .await;
    let running = stage.start().await;
    let slow = stage.ask(Channel::Sms).await;
    stage.becomes(&slow, "handing_over").await;
    let quick = stage.ask(Channel::WhatsApp).await;
    stage.becomes(&quick, "sent").await;
    assert_eq!(stage.state(&slow).await, "handing_over");
    running.stop().await;
}

#[tokio::test]
async fn twilio_is_told_where_receipts_go_and_which_message_they_are_about() {
    let stage = Stage::new().await;
    let running = stage.start().await;
    let asked = stage.ask(Channel::Sms).await;
    stage.becomes(&asked, "sent").await;
    let deliveries = stage.events("twilio").await;
    let url = deliveries[0]["deliveries"][0]["url"].as_str().unwrap();
    let wanted = format!(
        "https://pay.example.com/v1/webhooks/twilio/status?notification={}",
        asked.notification
    );
    assert_eq!(url, wanted);
    running.stop().await;
}
