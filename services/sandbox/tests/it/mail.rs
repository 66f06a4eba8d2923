//! The mail server, with a real mail client and by hand.

use lettre::message::MultiPart;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::harness::{Stage, stage};
use crate::receiver::receiver;

fn mailer(stage: &Stage) -> AsyncSmtpTransport<Tokio1Executor> {
    let address = stage.sandbox.smtp();
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.ip().to_string())
        .port(address.port())
        .credentials(Credentials::new("shop".to_owned(), "password".to_owned()))
        .build()
}

fn mail(to: &str) -> Message {
    Message::builder()
        .from("Shop <pay@shop.example>".parse().unwrap())
        .to(to.parse().unwrap())
        .message_id(Some("<n1@shop.example>".to_owned()))
        .subject("Ihre Zahlung für Mai")
        .multipart(MultiPart::alternative_plain_html(
            "Zahlen: https://t.example/p/1?a=1&b=2\n.\n..two dots\n".to_owned(),
            "<p><a href=\"https://t.example/p/1?a=1&amp;b=2\">Zahlen</a></p>".to_owned(),
        ))
        .unwrap()
}

async fn received(stage: &Stage) -> serde_json::Value {
    stage.get("/inbox/messages?channel=email").await.json()
}

#[tokio::test]
async fn a_mail_arrives_with_its_text_html_headers_and_links() {
    let stage = stage().await;
    mailer(&stage)
        .send(mail("payer@example.com"))
        .await
        .unwrap();
    let inbox = stage
        .get("/inbox/messages?channel=email&to=Payer@example.com")
        .await
        .json();
    let mail = &inbox[0];
    assert_eq!(mail["subject"], "Ihre Zahlung für Mai");
    assert_eq!(mail["from"], "pay@shop.example");
    assert_eq!(mail["headers"]["Message-ID"], "<n1@shop.example>");
    assert_eq!(mail["links"], json!(["https://t.example/p/1?a=1&b=2"]));
    let text = mail["text"].as_str().unwrap().replace("\r\n", "\n");
    assert!(text.contains("\n.\n..two dots\n"), "{text:?}");
    assert!(mail["html"].as_str().unwrap().contains("<p><a"));
    let page = stage
        .get(&format!("/inbox/{}", mail["id"].as_str().unwrap()))
        .await;
    assert!(page.text.contains("<iframe sandbox"), "{}", page.text);
}

#[tokio::test]
async fn pipelined_commands_and_stuffed_dots_by_hand() {
    let stage = stage().await;
    let mut stream = BufReader::new(TcpStream::connect(stage.sandbox.smtp()).await.unwrap());
    let session = "EHLO test\r\nRSET\r\nNOOP\r\nFROB\r\nDATA\r\n\
        MAIL FROM:<a@shop.example> SIZE=20 BODY=8BITMIME\r\nRCPT TO:<x@example.com>\r\n\
        RCPT TO:<y@example.com>\r\nDATA\r\nSubject: Hi\r\n\r\n..one dot\r\n.\r\n\
        MAIL FROM:<a@shop.example> SIZE=99999999999\r\nQUIT\r\n";
    stream.write_all(session.as_bytes()).await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    let codes: Vec<&str> = answers.lines().map(|line| &line[..4]).collect();
    assert_eq!(
        codes,
        [
            "220 ", "250-", "250-", "250-", "250-", "250-", "250-", "250 ", "250 ", "250 ", "500 ",
            "503 ", "250 ", "250 ", "250 ", "354 ", "250 ", "552 ", "221 "
        ],
        "{answers}"
    );
    let inbox = received(&stage).await;
    assert_eq!(
        (&inbox[0]["to"], &inbox[1]["to"]),
        (&json!("x@example.com"), &json!("y@example.com"))
    );
    assert_eq!(inbox[0]["text"], ".one dot\r\n");
    assert_eq!(inbox[2], serde_json::Value::Null);
}

#[tokio::test]
async fn a_transient_and_a_permanent_refusal_look_like_it_to_the_client() {
    let stage = stage().await;
    for status in [451, 550] {
        let fault = json!({
            "target": "smtp", "path_contains": "payer@", "mode": "fail", "status": status, "times": 1,
        });
        stage.put("faults", &fault).await;
    }
    let mailer = mailer(&stage);
    mailer.send(mail("other@example.com")).await.unwrap();
    let transient = mailer.send(mail("payer@example.com")).await.unwrap_err();
    assert!(transient.is_transient(), "{transient}");
    let permanent = mailer.send(mail("payer@example.com")).await.unwrap_err();
    assert!(permanent.is_permanent(), "{permanent}");
    mailer.send(mail("payer@example.com")).await.unwrap();
    assert_eq!(received(&stage).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_connection_lost_before_the_answer_may_have_delivered_or_not() {
    let stage = stage().await;
    let accepted =
        json!({ "target": "smtp", "mode": "timeout_after_acting", "ms": 20, "times": 1 });
    stage.put("faults", &accepted).await;
    let unclear = mailer(&stage)
        .send(mail("payer@example.com"))
        .await
        .unwrap_err();
    assert!(
        !unclear.is_permanent() && !unclear.is_transient(),
        "{unclear}"
    );
    assert_eq!(received(&stage).await.as_array().unwrap().len(), 1);

    let dropped = json!({ "target": "smtp", "mode": "drop_before_acting", "times": 1 });
    stage.put("faults", &dropped).await;
    mailer(&stage)
        .send(mail("payer@example.com"))
        .await
        .unwrap_err();
    assert_eq!(received(&stage).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_mail_begun_and_not_ended_is_not_received() {
    let stage = stage().await;
    let mut stream = BufReader::new(TcpStream::connect(stage.sandbox.smtp()).await.unwrap());
    let begun =
        "HELO test\r\nMAIL FROM:<a@shop.example>\r\nRCPT TO:<x@example.com>\r\nDATA\r\nhalf";
    stream.write_all(begun.as_bytes()).await.unwrap();
    for _ in 0..5 {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
    }
    drop(stream);
    mailer(&stage)
        .send(mail("payer@example.com"))
        .await
        .unwrap();
    let inbox = received(&stage).await;
    assert_eq!(inbox[0]["to"], "payer@example.com");
}

#[tokio::test]
async fn a_mailbox_that_is_not_there_is_refused_or_bounces_later() {
    let stage = stage().await;
    let hook = receiver(0);
    let endpoint = json!({ "url": hook.url, "secret": "bounce-secret" });
    stage.control("mail/webhooks", &endpoint).await;
    let refused = mailer(&stage).send(mail("x@refused.example")).await;
    assert!(refused.unwrap_err().is_permanent());
    let full = json!({ "address": "Full@example.com", "behaviour": "bounces", "status": "5.2.2" });
    stage.control("mail/mailboxes", &full).await;
    for to in ["x@bounces.example", "full@example.com"] {
        mailer(&stage).send(mail(to)).await.unwrap();
    }
    for (posted, status) in hook.wait(2).await.iter().zip(["5.1.1", "5.2.2"]) {
        assert_eq!(posted.header("authorization"), "Bearer bounce-secret");
        assert!(
            posted
                .header("content-type")
                .starts_with("multipart/report;")
        );
        let body = &posted.body;
        assert!(body.contains(&format!("Status: {status}\r\n")), "{body}");
        assert!(body.contains("Message-ID: <n1@shop.example>"), "{body}");
    }
    assert_eq!(received(&stage).await, json!([]));
}
