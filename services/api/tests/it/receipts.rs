//! Receipts of messages, bounces and payers' replies, signed as the real ones.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::Sha256;

use crate::stage::{Answer, Shop, Stage, steady};

const NUMBER: &str = "+919812341234";
const EMAIL: &str = "asha@example.com";
const STATUS: &str = "/v1/webhooks/twilio/status";
const INBOUND: &str = "/v1/webhooks/twilio/inbound";
const WHATSAPP: &str = "/v1/webhooks/whatsapp";
const BOUNCES: &str = "/v1/webhooks/email/bounces";

async fn stage() -> Stage {
    Stage::with(&[
        ("TWILIO_AUTH_TOKEN", "twilio-token"),
        ("WHATSAPP_APP_SECRET", "app-secret"),
        ("WHATSAPP_VERIFY_TOKEN", "verify-token"),
        ("TINKO__BOUNCE_SECRET", "bounce-secret"),
    ])
    .await
}

/// A message that was asked for, of a recovery that is open.
struct Sent {
    id: String,
    recovery: String,
}

impl Stage {
    /// A message in that state, which the provider knows as `message_id`.
    async fn message(
        &self,
        shop: &Shop,
        channel: &str,
        state: &str,
        message_id: Option<&str>,
    ) -> Sent {
        let count: i64 = self
            .database
            .query_one("SELECT count(*) FROM recoveries", &[])
            .await
            .unwrap()
            .get(0);
        let recovery = self.failed(shop, &format!("order-{count}")).await;
        let provider = match channel {
            "sms" => "twilio",
            "whatsapp" => "whatsapp",
            _ => "smtp",
        };
        let address = if channel == "email" { EMAIL } else { NUMBER };
        let sql = "INSERT INTO notifications (id, organization_id, recovery_id, attempt_id, link_id,
                 channel, address, state, claimed_by, lease_until, provider, provider_message_id,
                 sent_at, created_at, updated_at)
             SELECT (left(uuid7_floor(now())::text, 14) || '7' || right(gen_random_uuid()::text, 21))::uuid,
                    organization_id, id, gen_random_uuid(), gen_random_uuid(), $2, $3, $4,
                    gen_random_uuid(), now(), $5, $6, CASE WHEN $4 = 'sent' THEN now() END,
                    now(), now()
             FROM recoveries WHERE id = $1::text::uuid RETURNING replace(id::text, '-', '')";
        let uuid = uuid_of(&recovery);
        let row = self
            .database
            .query_one(
                sql,
                &[&uuid, &channel, &address, &state, &provider, &message_id],
            )
            .await
            .unwrap();
        let id: String = row.get(0);
        Sent {
            id: format!("ntf_{id}"),
            recovery,
        }
    }

    async fn state(&self, sent: &Sent) -> String {
        let sql = "SELECT state FROM notifications WHERE id = $1::text::uuid";
        let row = self.database.query_one(sql, &[&uuid_of(&sent.id)]).await;
        row.unwrap().get(0)
    }

    /// As Twilio posts, signed with `token` for our public address.
    pub(crate) async fn twilio(&self, path: &str, fields: &[(&str, &str)], token: &str) -> Answer {
        let mut sorted = fields.to_vec();
        sorted.sort_unstable();
        let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
        mac.update(format!("https://pay.example.com{path}").as_bytes());
        for (name, value) in sorted {
            mac.update(format!("{name}{value}").as_bytes());
        }
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let request = self
            .request(Method::POST, path)
            .header("x-twilio-signature", signature)
            .header("x-forwarded-host", "elsewhere.example");
        Answer::of(request.form(fields)).await
    }

    async fn status(&self, sid: &str, status: &str) -> Answer {
        let fields = [("MessageSid", sid), ("MessageStatus", status)];
        self.twilio(STATUS, &fields, "twilio-token").await
    }

    async fn reply(&self, sid: &str, words: &str) -> Answer {
        let fields = [
            ("MessageSid", sid),
            ("From", NUMBER),
            ("To", "+15005550006"),
            ("Body", words),
        ];
        self.twilio(INBOUND, &fields, "twilio-token").await
    }

    async fn whatsapp(&self, value: &Value) -> Answer {
        let body = json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": "0", "changes": [{ "field": "messages", "value": value }] }],
        });
        let body = body.to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(b"app-secret").unwrap();
        mac.update(body.as_bytes());
        let tag = hex::encode(mac.finalize().into_bytes());
        let request = self
            .request(Method::POST, WHATSAPP)
            .header("x-hub-signature-256", format!("sha256={tag}"));
        Answer::of(
            request
                .header("content-type", "application/json")
                .body(body),
        )
        .await
    }

    async fn bounce(&self, id: &str, status: &str, secret: &str) -> Answer {
        let body = format!(
            "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n\
             Final-Recipient: rfc822; x@y.example\r\nAction: failed\r\nStatus: {status}\r\n\r\n\
             --b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{id}@tinko.example>\r\n\r\n\
             text\r\n--b--\r\n"
        );
        let request = self
            .request(Method::POST, BOUNCES)
            .bearer_auth(secret)
            .header("content-type", "multipart/report; boundary=b");
        Answer::of(request.body(body)).await
    }

    /// Channel and reason of each suppression of the shop.
    async fn suppressed(&self, shop: &Shop) -> Vec<(String, String)> {
        let page = self.get(shop, "/v1/suppressions").await.json();
        let rows = page["data"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        rows.map(|row| (text(&row["channel"]), text(&row["reason"])))
            .collect()
    }

    async fn last(&self, shop: &Shop, sent: &Sent) -> Value {
        let path = format!("/v1/recoveries/{}/timeline", sent.recovery);
        let page = self.get(shop, &path).await.json();
        page["data"].as_array().unwrap().last().unwrap().clone()
    }
}

fn uuid_of(id: &str) -> String {
    id.rsplit('_').next().unwrap().to_owned()
}

#[tokio::test]
async fn twilios_receipts_move_a_message_once_and_never_back() {
    let stage = stage().await;
    let shop = stage.shop("anna").await;
    let sent = stage.message(&shop, "sms", "sent", Some("SM1")).await;
    // Out of order, and each of them twice.
    for (status, then) in [
        ("sending", "sent"),
        ("delivered", "delivered"),
        ("sent", "delivered"),
        ("delivered", "delivered"),
        ("undelivered", "delivered"),
        ("failed", "delivered"),
        ("somersault", "delivered"),
    ] {
        let answer = stage.status("SM1", status).await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""), "{status}");
        assert_eq!(stage.state(&sent).await, then, "{status}");
    }
    let kinds = stage.timeline(&shop, &sent.recovery).await;
    let told: Vec<_> = kinds
        .iter()
        .filter(|kind| kind.starts_with("message."))
        .collect();
    assert_eq!(told, ["message.delivered"]);
    assert_eq!(stage.suppressed(&shop).await, []);
    insta::assert_json_snapshot!(
        "a_delivered_message",
        steady(&stage.last(&shop, &sent).await)
    );
}

#[tokio::test]
async fn a_receipt_with_our_own_id_settles_a_message_whose_sending_nobody_heard_of() {
    let stage = stage().await;
    let shop = stage.shop("anna").await;
    for (status, then, kinds) in [
        ("sent", "sent", vec!["message.sent"]),
        (
            "delivered",
            "delivered",
            vec!["message.sent", "message.delivered"],
        ),
        ("failed", "failed", vec!["message.failed"]),
    ] {
        let sent = stage.message(&shop, "sms", "unconfirmed", None).await;
        let path = format!("{STATUS}?notification={}", sent.id);
        let sid = format!("SM-{status}");
        let fields = [("MessageSid", sid.as_str()), ("MessageStatus", status)];
        assert_eq!(
            stage.twilio(&path, &fields, "twilio-token").await.status,
            204
        );
        assert_eq!(stage.state(&sent).await, then);
        let told = stage.timeline(&shop, &sent.recovery).await;
        let told: Vec<_> = told
            .iter()
            .filter(|kind| kind.starts_with("message."))
            .collect();
        assert_eq!(told, kinds);
        // From now on it is known by Twilio's id too; another id is another try's.
        let other = [("MessageSid", "SM-other"), ("MessageStatus", "delivered")];
        stage.twilio(&path, &other, "twilio-token").await;
        assert_eq!(stage.state(&sent).await, then);
    }
}

#[tokio::test]
async fn only_an_error_about_the_number_suppresses_it() {
    let stage = stage().await;
    let shop = stage.shop("anna").await;
    for (code, suppressed) in [("30003", false), ("30007", false), ("30006", true)] {
        let sent = stage.message(&shop, "sms", "sent", Some(code)).await;
        let fields = [
            ("MessageSid", code),
            ("MessageStatus", "undelivered"),
            ("ErrorCode", code),
        ];
        for _ in 0..2 {
            stage.twilio(STATUS, &fields, "twilio-token").await;
        }
        assert_eq!(stage.state(&sent).await, "bounced");
        assert_eq!(
            !stage.suppressed(&shop).await.is_empty(),
            suppressed,
            "{code}"
        );
        if suppressed {
            let last = stage.last(&shop, &sent).await;
            insta::assert_json_snapshot!("a_bounced_message", steady(&last));
        }
    }
    // Lifted by the merchant, it stays so: a replayed callback is no news.
    let page = stage.get(&shop, "/v1/suppressions").await.json();
    let path = format!(
        "/v1/suppressions/{}",
        page["data"][0]["id"].as_str().unwrap()
    );
    Answer::of(stage.request(Method::DELETE, &path).bearer_auth(&shop.key)).await;
    let fields = [
        ("MessageSid", "30006"),
        ("MessageStatus", "undelivered"),
        ("ErrorCode", "30006"),
    ];
    stage.twilio(STATUS, &fields, "twilio-token").await;
    assert_eq!(stage.suppressed(&shop).await, []);
}

#[tokio::test]
async fn what_is_not_signed_by_the_provider_changes_nothing() {
    let stage = stage().await;
    let shop = stage.shop("anna").await;
    let sent = stage.message(&shop, "sms", "sent", Some("SM1")).await;
    let before = stage.counts().await;
    let fields = [("MessageSid", "SM1"), ("MessageStatus", "delivered")];
    let wrong = stage.twilio(STATUS, &fields, "another-token").await;
    insta::assert_json_snapshot!("a_wrong_signature", steady(&without_instance(&wrong)));
    let missing = Answer::of(stage.request(Method::POST, STATUS).form(&fields)).await;
    assert_eq!(
        (missing.status, missing.faults()),
        (400, vec!["signature: missing".to_owned()])
    );
    // A signature of one address does not hold at another.
    let elsewhere = stage.twilio(INBOUND, &fields, "twilio-token").await;
    assert_eq!(elsewhere.status, 200);
    let body = json!({ "entry": [] }).to_string();
    for (header, fault) in [
        (None, "signature: missing"),
        (Some("sha256=00"), "signature: wrong"),
        (Some("sha256=xx"), "signature: malformed"),
        (Some("sha1=00"), "signature: malformed"),
    ] {
        let mut request = stage.request(Method::POST, WHATSAPP).body(body.clone());
        if let Some(header) = header {
            request = request.header("x-hub-signature-256", header);
        }
        let answer = Answer::of(request).await;
        assert_eq!(
            (answer.status, answer.faults()),
            (400, vec![fault.to_owned()])
        );
    }
    for secret in ["", "bounce-secret2", "bounce"] {
        assert_eq!(stage.bounce(&sent.id, "5.1.1", secret).await.status, 401);
    }
    assert_eq!(stage.counts().await, before);
    assert_eq!(stage.state(&sent).await, "sent");
}

fn without_instance(answer: &Answer) -> Value {
    let mut problem = answer.json();
    problem.as_object_mut().unwrap().remove("instance");
    problem
}

#[tokio::test]
async fn a_route_whose_secret_is_not_set_is_not_there() {
    let stage = Stage::new().await;
    for (method, path) in [
        (Method::POST, STATUS),
        (Method::POST, INBOUND),
        (Method::POST, WHATSAPP),
        (Method::GET, WHATSAPP),
        (Method::POST, BOUNCES),
    ] {
        let answer = Answer::of(stage.request(method, path)).await;
        assert_eq!(
            (answer.status, answer.slug()),
            (404, "not-found".to_owned()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn unknown_messages_are_answered_as_known_ones_are() {
    let stage = stage().await;
    let shop = stage.shop("anna").await;
    let sent = stage.message(&shop, "sms", "sent", Some("SM1")).await;
    let mail = stage.message(&shop, "email", "sent", None).await;
    let unknown = "ntf_0193a5b0000070008000000000000000";
    let known = stage.status("SM1", "delivered").await;
    let nobodys = stage.status("SM2", "delivered").await;
    assert_eq!((known.status, &known.text), (nobodys.status, &nobodys.text));
    // Another channel's message is none of Twilio's.
    let path = format!("{STATUS}?notification={}", mail.id);
    let fields = [("MessageSid", "SM3"), ("MessageStatus", "delivered")];
    stage.twilio(&path, &fields, "twilio-token").await;
    assert_eq!(stage.state(&mail).await, "sent");
    let known = stage.bounce(&mail.id, "5.1.1", "bounce-secret").await;
    for id in [unknown, "ntf_x", "letter-7", &sent.id] {
        let nobodys = stage.bounce(id, "5.1.1", "bounce-secret").await;
        assert_eq!(
            (known.status, &known.text),
            (nobodys.status, &nobodys.text),
            "{id}"
        );
    }
    let statuses = |id: &str| json!({ "statuses": [{ "id": id, "status": "delivered" }] });
    let known = stage.whatsapp(&statuses("wamid.1")).await;
    assert_eq!(
        (known.status, known.json()),
        (200, json!({ "status": "accepted" }))
    );
}

#[tokio::test]
async fn whatsapps_statuses_find_a_message_by_either_id() {
    let stage = stage().await;
    let shop = stage.shop("anna").await;
    let known = stage
        .message(&shop, "whatsapp", "sent", Some("wamid.1"))
        .await;
    let unclear = stage.message(&shop, "whatsapp", "unconfirmed", None).await;
    let gone = stage
        .message(&shop, "whatsapp", "sent", Some("wamid.3"))
        .await;
    let posted = json!({ "statuses": [
        { "id": "wamid.1", "status": "read" },
        { "id": "wamid.2", "status": "delivered", "biz_opaque_callback_data": unclear.id },
        { "id": "wamid.3", "status": "failed", "errors": [{ "code": 131_026, "title": "x" }] },
        { "id": "wamid.3", "status": "sent" },
    ]});
    for _ in 0..2 {
        assert_eq!(stage.whatsapp(&posted).await.status, 200);
        assert_eq!(stage.state(&known).await, "delivered");
        assert_eq!(stage.state(&unclear).await, "delivered");
        assert_eq!(stage.state(&gone).await, "failed");
    }
    let suppressed = ("whatsapp".to_owned(), "not_on_whatsapp".to_owned());
    assert_eq!(stage.suppressed(&shop).await, [suppressed]);
}

#[tokio::test]
async fn meta_is_answered_its_challenge_only_with_the_token() {
    let stage = stage().await;
    let ask = async |query: &str| stage.browse(&format!("{WHATSAPP}?{query}")).await;
    let right = "hub.mode=subscribe&hub.verify_token=verify-token&hub.challenge=1158201444";
    let answer = ask(right).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "1158201444"));
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    for wrong in [
        "",
        "hub.mode=subscribe&hub.verify_token=verify&hub.challenge=1",
        "hub.mode=unsubscribe&hub.verify_token=verify-token&hub.challenge=1",
        "hub.mode=subscribe&hub.challenge=1",
    ] {
        let answer = ask(wrong).await;
        assert_eq!(answer.status, 403, "{wrong}");
        assert_eq!(answer.slug(), "refused");
    }
}

#[tokio::test]
async fn a_bounce_suppresses_a_mailbox_that_is_gone_and_no_other() {
    let stage = stage().await;
    let shop = stage.shop("anna").await;
    for (status, suppressed) in [
        ("4.4.7", false),
        ("5.2.2", false),
        ("5.7.1", false),
        ("5.1.1", true),
    ] {
        let sent = stage.message(&shop, "email", "sent", None).await;
        for _ in 0..2 {
            let answer = stage.bounce(&sent.id, status, "bounce-secret").await;
            assert_eq!(
                (answer.status, answer.json()),
                (200, json!({ "status": "accepted" }))
            );
        }
        assert_eq!(stage.state(&sent).await, "bounced", "{status}");
        assert_eq!(
            !stage.suppressed(&shop).await.is_empty(),
            suppressed,
            "{status}"
        );
    }
    // What is suppressed is our own row's address, whatever the bounce says.
    let page = stage.get(&shop, "/v1/suppressions").await.json();
    assert_eq!(page["data"][0]["address"], EMAIL);
    let letter = stage
        .request(Method::POST, BOUNCES)
        .bearer_auth("bounce-secret")
        .header("content-type", "message/rfc822")
        .body("From: a@b.example\r\nSubject: away\r\n\r\nback on Monday\r\n");
    assert_eq!(
        Answer::of(letter).await.json(),
        json!({ "status": "ignored" })
    );
}

#[tokio::test]
async fn stop_holds_for_all_that_wrote_to_the_number_and_start_lifts_that_alone() {
    let stage = stage().await;
    let (anna, bert) = (stage.shop("anna").await, stage.shop("bert").await);
    let carl = stage.shop("carl").await;
    let sent = stage.message(&anna, "sms", "sent", Some("SM1")).await;
    stage.message(&bert, "sms", "delivered", Some("SM2")).await;
    // Carl's was never sent, and his email is another channel.
    stage.message(&carl, "sms", "withdrawn", None).await;
    stage.message(&carl, "email", "sent", None).await;
    let manual = json!({ "channel": "sms", "address": NUMBER });
    stage.post(&bert, "/v1/suppressions", &manual).await;

    let chat = stage.reply("IN0", "please don't stop").await;
    assert_eq!(stage.suppressed(&anna).await, []);
    let answer = stage.reply("IN1", "Stop.").await;
    assert_eq!((answer.status, &answer.text), (200, &chat.text));
    assert!(answer.text.ends_with("<Response/>"), "{}", answer.text);
    let stopped = ("sms".to_owned(), "opted_out".to_owned());
    let own = ("sms".to_owned(), "manual".to_owned());
    assert_eq!(
        stage.suppressed(&bert).await,
        [stopped.clone(), own.clone()]
    );
    assert_eq!(stage.suppressed(&anna).await, [stopped]);
    assert_eq!(stage.suppressed(&carl).await, []);
    insta::assert_json_snapshot!(
        "a_stop_in_the_timeline",
        steady(&stage.last(&anna, &sent).await)
    );

    stage.reply("IN2", "START").await;
    assert_eq!(stage.suppressed(&anna).await, []);
    assert_eq!(stage.suppressed(&bert).await, [own]);
    // The STOP delivered once more is the one that was obeyed.
    stage.reply("IN1", "Stop.").await;
    assert_eq!(stage.suppressed(&anna).await, []);
    stage.reply("IN3", "HELP").await;
    let kinds = stage.timeline(&anna, &sent.recovery).await;
    let told: Vec<_> = kinds
        .iter()
        .filter(|kind| kind.starts_with("payer."))
        .collect();
    assert_eq!(told, ["payer.unsubscribed", "payer.resubscribed"]);
    let book = stage.get(&anna, "/v1/consents/changes").await.json();
    insta::assert_json_snapshot!("changes_by_replies", steady(&book));
}

#[tokio::test]
async fn a_stop_that_nobody_can_be_named_for_holds_for_everyone_until_start() {
    let stage = stage().await;
    let shop = stage.shop("anna").await;
    let barred = async || -> Option<String> {
        let sql = "SELECT why_unreachable(id, 'sms', $1) FROM organizations WHERE slug = 'anna'";
        stage
            .database
            .query_one(sql, &[&NUMBER])
            .await
            .unwrap()
            .get(0)
    };
    assert_eq!(barred().await, None);
    stage.reply("IN1", "STOPALL").await;
    assert_eq!(barred().await.as_deref(), Some("suppressed:opted_out"));
    assert_eq!(stage.suppressed(&shop).await, []);
    stage.reply("IN2", "unstop").await;
    assert_eq!(barred().await, None);
}

#[tokio::test]
async fn a_stop_on_whatsapp_is_one_for_whatsapp() {
    let stage = stage().await;
    let shop = stage.shop("anna").await;
    stage
        .message(&shop, "whatsapp", "sent", Some("wamid.1"))
        .await;
    stage.message(&shop, "sms", "sent", Some("SM1")).await;
    let reply = |id: &str, words: &str| {
        json!({ "messages": [
            { "id": id, "from": "919812341234", "type": "text", "text": { "body": words } },
        ]})
    };
    stage.whatsapp(&reply("wamid.in1", "बंद करो")).await;
    let stopped = ("whatsapp".to_owned(), "opted_out".to_owned());
    assert_eq!(stage.suppressed(&shop).await, [stopped]);
    stage.whatsapp(&reply("wamid.in2", "yes")).await;
    assert_eq!(stage.suppressed(&shop).await, []);
    assert_eq!(
        stage
            .whatsapp(&json!({ "messages": [{ "odd": 1 }] }))
            .await
            .status,
        200
    );
}
