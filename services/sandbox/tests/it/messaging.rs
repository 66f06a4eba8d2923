//! Twilio, WhatsApp, and the inbox they fill.

use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha1::Sha1;

use crate::harness::{Answer, Stage, stage};
use crate::receiver::{hmac_hex, receiver};

const SID: &str = "AC00000000000000000000000000000001";
const MESSAGES: &str = "/twilio/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages";

impl Stage {
    async fn send_sms(&self, form: &[(&str, &str)]) -> Answer {
        let url = self.url(&format!("{MESSAGES}.json"));
        let request = self
            .client
            .post(url)
            .basic_auth(SID, Some("token"))
            .form(form);
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn sms(&self) -> Answer {
        let form = [
            ("To", "+14155550100"),
            ("From", "+14155550199"),
            ("Body", "Pay: https://t.example/p/1"),
        ];
        self.send_sms(&form).await
    }

    async fn twilio_get(&self, path: &str) -> Answer {
        let url = self.url(&format!("{MESSAGES}{path}"));
        let request = self.client.get(url).basic_auth(SID, Some("token"));
        Answer::of(request.send().await.unwrap()).await
    }

    async fn send_whatsapp(&self, body: &Value) -> Answer {
        let url = self.url("/whatsapp/v21.0/1055/messages");
        let request = self.client.post(url).bearer_auth("token").json(body);
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn whatsapp(&self) -> Answer {
        self.send_whatsapp(&template("https://t.example/p/1")).await
    }
}

fn template(link: &str) -> Value {
    json!({
        "messaging_product": "whatsapp", "to": "919000090000", "type": "template",
        "template": {
            "name": "payment_failed", "language": { "code": "en" },
            "components": [
                { "type": "body", "parameters": [
                    { "type": "text", "text": "May plan" }, { "type": "text", "text": link },
                ]},
            ],
        },
        "biz_opaque_callback_data": "notification-1",
    })
}

#[tokio::test]
async fn an_sms_is_accepted_received_and_looked_up() {
    let stage = stage().await;
    let sent = stage.sms().await;
    assert_eq!(sent.status, 201);
    assert_eq!(sent.json()["status"], "queued");
    let sid = sent.json()["sid"].as_str().unwrap().to_owned();
    assert_eq!(sid.len(), 34);
    let inbox = stage
        .get("/inbox/messages?channel=sms&to=%2B14155550100")
        .await
        .json();
    assert_eq!(inbox[0]["links"], json!(["https://t.example/p/1"]));
    assert_eq!(inbox[0]["provider_id"], sid.as_str());
    assert_eq!(
        stage.twilio_get(&format!("/{sid}.json")).await.json()["status"],
        "delivered"
    );
    let listed = stage
        .twilio_get(".json?To=%2B14155550100&DateSent>=2020-01-01")
        .await
        .json();
    assert_eq!(listed["messages"][0]["sid"], sid.as_str());
    let none = stage
        .twilio_get(".json?To=%2B14155550100&DateSent<=2020-01-01")
        .await
        .json();
    assert_eq!(none["messages"], json!([]));
}

#[tokio::test]
async fn an_sms_that_twilio_refuses_is_refused_by_its_number() {
    let stage = stage().await;
    let stopped = json!({ "to": "+14155550111", "behaviour": "unsubscribed" });
    stage.control("twilio/numbers", &stopped).await;
    for (to, code) in [("5550100", 21211), ("+14155550111", 21610), ("", 21604)] {
        let refused = stage
            .send_sms(&[("To", to), ("From", "+14155550199"), ("Body", "x")])
            .await;
        assert_eq!(refused.status, 400);
        assert_eq!(refused.json()["code"], code);
    }
    let senderless = stage
        .send_sms(&[("To", "+14155550100"), ("Body", "x")])
        .await;
    assert_eq!(senderless.json()["code"], 21603);
    stage
        .control(
            "twilio/accounts",
            &json!({ "account_sid": SID, "auth_token": "other" }),
        )
        .await;
    assert_eq!(stage.sms().await.status, 401);
    assert_eq!(stage.get("/inbox/messages").await.json(), json!([]));
}

#[tokio::test]
async fn status_callbacks_are_signed_and_end_in_the_message_s_fate() {
    let stage = stage().await;
    let unreachable =
        json!({ "to": "+14155550100", "behaviour": "undelivered", "error_code": 30005 });
    stage.control("twilio/numbers", &unreachable).await;
    let hook = receiver(0);
    let form = [
        ("To", "+14155550100"),
        ("From", "+14155550199"),
        ("Body", "x"),
        ("StatusCallback", hook.url.as_str()),
    ];
    assert_eq!(stage.send_sms(&form).await.status, 201);
    let posted = &hook.wait(2).await[1];
    let mut fields: Vec<(String, String)> = url::form_urlencoded::parse(posted.body.as_bytes())
        .into_owned()
        .collect();
    fields.sort();
    assert!(fields.contains(&("MessageStatus".to_owned(), "undelivered".to_owned())));
    assert!(fields.contains(&("ErrorCode".to_owned(), "30005".to_owned())));
    let mut mac = Hmac::<Sha1>::new_from_slice(b"token").unwrap();
    mac.update(hook.url.as_bytes());
    for (name, value) in &fields {
        mac.update(format!("{name}{value}").as_bytes());
    }
    let expected = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    assert_eq!(posted.header("x-twilio-signature"), expected);
}

#[tokio::test]
async fn a_whatsapp_template_is_received_and_its_fate_is_told() {
    let stage = stage().await;
    let hook = receiver(0);
    let endpoint =
        json!({ "phone_number_id": "1055", "url": hook.url, "app_secret": "app_secret" });
    stage.control("whatsapp/webhooks", &endpoint).await;
    let sent = stage.whatsapp().await;
    assert_eq!(sent.status, 200);
    assert_eq!(sent.json()["contacts"][0]["wa_id"], "919000090000");
    let id = sent.json()["messages"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(id.starts_with("wamid."));
    let inbox = stage
        .get("/inbox/messages?channel=whatsapp&to=919000090000")
        .await
        .json();
    assert_eq!(inbox[0]["links"], json!(["https://t.example/p/1"]));
    assert_eq!(
        inbox[0]["details"]["biz_opaque_callback_data"],
        "notification-1"
    );
    for post in hook.wait(2).await {
        let expected = format!("sha256={}", hmac_hex("app_secret", &post.body));
        assert_eq!(post.header("x-hub-signature-256"), expected);
        let status = &post.json()["entry"][0]["changes"][0]["value"]["statuses"][0];
        assert_eq!(status["id"], id.as_str());
        assert_eq!(status["biz_opaque_callback_data"], "notification-1");
    }
}

#[tokio::test]
async fn an_approved_template_renders_and_others_are_refused() {
    let stage = stage().await;
    let approved = json!({
        "phone_number_id": "1055", "name": "payment_failed", "language": "en",
        "body": "Your payment for {{1}} failed: {{2}}",
    });
    stage.control("whatsapp/templates", &approved).await;
    assert_eq!(stage.whatsapp().await.status, 200);
    let inbox = stage.get("/inbox/messages").await.json();
    assert_eq!(
        inbox[0]["text"],
        "Your payment for May plan failed: https://t.example/p/1"
    );
    let mut other = template("x");
    other["template"]["language"]["code"] = "de".into();
    let refused = stage.send_whatsapp(&other).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["error"]["code"]),
        (404, &json!(132_001))
    );
    let mut short = template("x");
    short["template"]["components"] = json!([]);
    assert_eq!(
        stage.send_whatsapp(&short).await.json()["error"]["code"],
        132_000
    );
}

#[tokio::test]
async fn a_wait_ends_when_enough_messages_match_or_its_time_is_over() {
    let stage = stage().await;
    let wait = stage.url("/inbox/wait?channel=sms&to=%2B14155550100&count=2&timeout_ms=20000");
    let waiting = tokio::spawn(stage.client.get(wait).send());
    stage.sms().await;
    stage.whatsapp().await;
    stage.sms().await;
    let answer = Answer::of(waiting.await.unwrap().unwrap()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json().as_array().unwrap().len(), 2);
    let late = stage
        .get("/inbox/wait?channel=email&count=1&timeout_ms=30")
        .await;
    assert_eq!((late.status.as_u16(), late.json()), (408, json!([])));
}

#[tokio::test]
async fn the_inbox_is_a_page_whose_links_can_be_followed() {
    let stage = stage().await;
    stage.sms().await;
    let list = stage.get("/inbox").await.text;
    assert!(list.contains("/inbox/msg_1"), "{list}");
    let message = stage.get("/inbox/msg_1").await.text;
    assert!(
        message.contains(r#"<a href="https:&#x2f;&#x2f;t.example"#),
        "{message}"
    );
    assert_eq!(stage.get("/inbox/msg_2").await.status, 404);
    let cleared = stage
        .client
        .delete(stage.url("/inbox/messages"))
        .send()
        .await
        .unwrap();
    assert!(cleared.status().is_success());
    assert_eq!(stage.get("/inbox/messages").await.json(), json!([]));
}

#[tokio::test]
async fn a_payer_answers_stop_from_the_inbox_and_twilio_takes_no_more() {
    let stage = stage().await;
    let hook = receiver(0);
    let endpoint = json!({ "account_sid": SID, "auth_token": "token", "url": hook.url });
    stage.control("twilio/webhooks", &endpoint).await;
    let sent = stage.sms().await;
    assert_eq!(sent.status, 201);
    let page = stage.get("/inbox/msg_1").await.text;
    assert!(page.contains("action=\"/inbox/msg_1/reply\""), "{page}");
    let answer = async |text: &str| {
        let request = stage.client.post(stage.url("/inbox/msg_1/reply"));
        Answer::of(request.form(&[("text", text)]).send().await.unwrap()).await
    };
    assert_eq!(answer("STOP").await.status, 303);
    let posted = hook.wait(1).await.remove(0);
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(posted.body.as_bytes())
        .into_owned()
        .collect();
    for (name, value) in [
        ("From", "+14155550100"),
        ("To", "+14155550199"),
        ("Body", "STOP"),
    ] {
        assert!(
            fields.contains(&(name.to_owned(), value.to_owned())),
            "{fields:?}"
        );
    }
    assert!(!posted.header("x-twilio-signature").is_empty());
    assert_eq!(stage.sms().await.json()["code"], 21_610);
    answer("START").await;
    assert_eq!(stage.sms().await.status, 201);
}

#[tokio::test]
async fn a_payer_answers_on_whatsapp_or_cannot_be_reached_there() {
    let stage = stage().await;
    let hook = receiver(0);
    let endpoint =
        json!({ "phone_number_id": "1055", "url": hook.url, "app_secret": "app_secret" });
    stage.control("whatsapp/webhooks", &endpoint).await;
    let gone = json!({ "to": "+919000090000", "error_code": 131_026 });
    stage.control("whatsapp/numbers", &gone).await;
    assert_eq!(stage.whatsapp().await.status, 200);
    assert_eq!(stage.get("/inbox/messages").await.json(), json!([]));
    let told = json!({ "phone_number_id": "1055", "from": "+919000090000", "body": "STOP" });
    stage.control("whatsapp/inbound", &told).await;
    let posts = hook.wait(2).await;
    let value = |kind: &str| {
        let values = posts
            .iter()
            .map(|post| post.json()["entry"][0]["changes"][0]["value"].clone());
        values.clone().find(|value| value[kind].is_array()).unwrap()
    };
    let status = &value("statuses")["statuses"][0];
    assert_eq!(
        (&status["status"], &status["errors"][0]["code"]),
        (&json!("failed"), &json!(131_026))
    );
    let message = &value("messages")["messages"][0];
    assert_eq!(
        (&message["from"], &message["text"]["body"]),
        (&json!("919000090000"), &json!("STOP"))
    );
}
