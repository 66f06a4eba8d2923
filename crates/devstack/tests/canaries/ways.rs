//! The ways that are gone before anything is searched: good ones, and every bad one there is.

#![expect(
    clippy::too_many_lines,
    reason = "each way through an installation is one story, in the order in which it happens"
)]

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use devstack::demo::Demo;
use devstack::stack::Sandbox;
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::installation::Installation;
use crate::planted::{self, MADE_UP, PAYER_EMAIL, PERSON_EMAIL, PERSON_PASSWORD, Planted};
use crate::visitor::{Visitor, text};

const SOON: Duration = Duration::from_secs(45);

/// What was said meanwhile, and what was made that must not be said.
pub(crate) struct Told {
    pub(crate) visitor: Visitor,
    pub(crate) planted: Planted,
}

pub(crate) struct Ways {
    pub(crate) told: Told,
    sandbox: Sandbox,
    /// The demo organization's key.
    key: String,
    partner: u16,
}

impl Ways {
    pub(crate) fn new(installation: &Installation) -> Self {
        let stack = installation.stack();
        let key = stack.api_key().expose_secret().to_owned();
        let mut planted = Planted::new();
        planted.add("the demo organization's API key", &*key);
        Self {
            told: Told {
                visitor: Visitor::new(&stack.api_url),
                planted,
            },
            sandbox: stack.sandbox.clone(),
            key,
            partner: installation.partner.port,
        }
    }

    async fn post(&mut self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.told.visitor.post(Some(&self.key), path, body).await;
        (answer.status, answer.body)
    }

    async fn anonymous(&mut self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.told.visitor.post(None, path, body).await;
        (answer.status, answer.body)
    }

    async fn misbehave(&self, rule: Value) {
        self.sandbox.put("faults", &rule).await.unwrap();
    }

    /// Registering, logging in by password and by code, forgetting it: well and badly.
    pub(crate) async fn people(&mut self) {
        let person = json!({
            "email": PERSON_EMAIL, "password": PERSON_PASSWORD, "org_name": "Canaries",
        });
        let (status, session) = self.anonymous("/v1/auth/register", &person).await;
        assert_eq!(status, 201, "{session}");
        let wrong = json!({ "email": PERSON_EMAIL, "password": planted::WRONG_PASSWORD });
        assert_eq!(self.anonymous("/v1/auth/login", &wrong).await.0, 401);
        let right = json!({ "email": PERSON_EMAIL, "password": PERSON_PASSWORD });
        let (status, second) = self.anonymous("/v1/auth/login", &right).await;
        assert_eq!(status, 200, "{second}");
        for (whose, session) in [("the first", &session), ("the second", &second)] {
            for token in ["access_token", "refresh_token"] {
                self.told
                    .planted
                    .add(format!("{whose} {token}"), text(&session[token]));
            }
        }
        let asked = json!({ "email": PERSON_EMAIL });
        assert_eq!(
            self.anonymous("/v1/auth/login/request-otp", &asked).await.0,
            202
        );
        let mails = self
            .sandbox
            .wait_for_messages(PERSON_EMAIL, 1, SOON)
            .await
            .unwrap();
        let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|it| it.is_ascii_digit());
        let mail = text(&mails[0]["text"]);
        let code = mail.lines().find(is_code).unwrap();
        self.told.planted.add("the login code", code);
        let login = json!({ "email": PERSON_EMAIL, "code": code });
        assert_eq!(
            self.anonymous("/v1/auth/login/verify-otp", &login).await.0,
            200
        );
        assert_eq!(
            self.anonymous("/v1/auth/login/verify-otp", &login).await.0,
            401
        );
        assert_eq!(
            self.anonymous("/v1/auth/password/request-reset", &asked)
                .await
                .0,
            202
        );
        let mails = self
            .sandbox
            .wait_for_messages(PERSON_EMAIL, 2, SOON)
            .await
            .unwrap();
        for link in links(&mails) {
            let token = link
                .rsplit(['=', '/'])
                .next()
                .unwrap_or_default()
                .to_owned();
            let reset = json!({ "token": token, "password": "short" });
            self.told.planted.add("the token of a reset", token);
            assert_eq!(
                self.anonymous("/v1/auth/password/reset", &reset).await.0,
                422
            );
        }
        // A refresh token used twice, and a JWT that somebody has changed.
        let used = json!({ "refresh_token": second["refresh_token"] });
        let (status, third) = self.anonymous("/v1/auth/refresh", &used).await;
        assert_eq!(status, 200, "{third}");
        self.told
            .planted
            .add("the third refresh_token", text(&third["refresh_token"]));
        assert_eq!(self.anonymous("/v1/auth/refresh", &used).await.0, 401);
        let changed = format!("{}x", text(&session["access_token"]));
        assert_eq!(
            self.told.visitor.get(Some(&changed), "/v1/me").await.status,
            401
        );
        let operator = self
            .told
            .visitor
            .request(Method::POST, "/v1/maintenance/partitions/prune");
        let operator = operator
            .bearer_auth(planted::OPERATOR)
            .json(&json!({ "months": "x" }));
        self.told.visitor.send(operator).await;
    }

    /// PSP accounts, API keys and webhook endpoints: made, refused, turned.
    pub(crate) async fn merchants_secrets(&mut self) {
        let account = json!({ "key": planted::STRIPE, "account_id": "acct_canary" });
        self.sandbox
            .control("stripe/accounts", &account)
            .await
            .unwrap();
        let account = json!({
            "key_id": "rzp_test_canary", "key_secret": planted::RAZORPAY, "account_id": "acc_canary",
        });
        self.sandbox
            .control("razorpay/accounts", &account)
            .await
            .unwrap();
        let stripe = |key: &str| {
            json!({
                "provider": "stripe", "account_id": "acct_canary",
                "credentials": { "secret_key": key }, "webhook_secret": planted::STRIPE_WEBHOOKS,
            })
        };
        let razorpay = json!({
            "provider": "razorpay", "account_id": "acc_canary",
            "credentials": { "key_id": "rzp_test_canary", "key_secret": planted::RAZORPAY },
            "webhook_secret": planted::RAZORPAY_WEBHOOKS,
        });
        let path = "/v1/psp-connections";
        assert_eq!(self.post(path, &stripe(planted::STRIPE_WRONG)).await.0, 422);
        for wanted in [stripe(planted::STRIPE), razorpay] {
            let (status, made) = self.post(path, &wanted).await;
            assert_eq!(status, 201, "{made}");
            let test = format!("{path}/{}/test", text(&made["id"]));
            self.misbehave(
                json!({ "target": wanted["provider"], "mode": "fail", "status": 500, "times": 3 }),
            )
            .await;
            self.post(&test, &json!({})).await;
            self.sandbox.delete("/_control/faults").await.unwrap();
            self.post(&test, &json!({})).await;
        }
        // Secrets where they do not belong: of the wrong type, in the wrong field, at the top.
        for body in [
            json!({ "provider": "stripe", "account_id": 7, "credentials": planted::STRIPE }),
            json!({ "provider": "stripe", "account_id": "a b", "credentials": { "secret_key": MADE_UP } }),
            json!(planted::STRIPE),
        ] {
            let (status, _) = self.post(path, &body).await;
            assert!((400..500).contains(&status), "{status}: {body}");
        }
        let wanted = json!({ "name": "canary", "scopes": ["read"] });
        let (status, made) = self.post("/v1/auth/api-keys", &wanted).await;
        assert_eq!(status, 201, "{made}");
        let key = text(&made["key"]);
        self.told.planted.add("an API key", &*key);
        let refused = self
            .told
            .visitor
            .post(Some(&key), "/v1/auth/api-keys", &wanted)
            .await;
        assert_eq!(refused.status, 403);
        let url = format!("http://127.0.0.1:{}/hook?key={MADE_UP}", self.partner);
        let wanted = json!({ "url": url, "event_types": ["recovery.*"] });
        let (status, made) = self.post("/v1/webhook-endpoints", &wanted).await;
        assert_eq!(status, 201, "{made}");
        let secret = text(&made["secret"]);
        self.told
            .planted
            .add("a partner's secret", secret.trim_start_matches("whsec_"));
        let test = format!("/v1/webhook-endpoints/{}/test", text(&made["id"]));
        self.post(&test, &json!({})).await;
    }

    /// A payer whose payment fails, who is written to, who opens the page and pays.
    pub(crate) async fn payers_and_their_links(&mut self) {
        let providers = [
            (
                "twilio/accounts",
                json!({ "account_sid": "AC00000000000000000000000000000000", "auth_token": planted::TWILIO }),
            ),
            (
                "mail/mailboxes",
                json!({ "address": planted::REFUSED_EMAIL, "behaviour": "refused" }),
            ),
        ];
        for (path, body) in providers {
            self.sandbox.control(path, &body).await.unwrap();
        }
        for (reference, email) in [
            ("CANARY-1", PAYER_EMAIL),
            ("CANARY-2", planted::REFUSED_EMAIL),
        ] {
            let consent = json!({
                "channel": "whatsapp", "address": planted::PAYER_PHONE, "state": "granted",
                "source": "checkout", "evidence": "box ticked",
            });
            let request = self.told.visitor.request(Method::PUT, "/v1/consents");
            let request = request.bearer_auth(&self.key).json(&consent);
            assert_eq!(self.told.visitor.send(request).await.status, 200);
            let report = report(reference, email);
            let (status, answer) = self.post("/v1/events/payment_failed", &report).await;
            assert_eq!(status, 201, "{answer}");
        }
        let failed = json!({
            "key": "sk_test_demo", "amount": 4_900, "currency": "usd", "decline_code": "expired_card",
            "customer_email": PAYER_EMAIL, "customer_phone": planted::PAYER_PHONE,
            "customer_name": planted::PAYER_NAME,
        });
        self.sandbox
            .control("stripe/fail_payment", &failed)
            .await
            .unwrap();
        let messages = self.sandbox.wait_for_messages(PAYER_EMAIL, 1, SOON);
        let messages = messages.await.unwrap();
        let pages = links(&messages);
        let page = pages.iter().find(|link| link.contains("/pay/")).unwrap();
        let token = page
            .rsplit('/')
            .next()
            .unwrap()
            .split('?')
            .next()
            .unwrap()
            .to_owned();
        self.told.planted.add("a link's token", &*token);
        for path in [
            format!("/pay/{token}"),
            format!("/pay/{token}/done?session={MADE_UP}"),
            format!("/unsubscribe/{token}"),
            format!("/v1/recoveries/by_token/{token}"),
        ] {
            let answer = self.told.visitor.get(None, &path).await;
            assert!(answer.status < 400, "{path}: {}", answer.status);
        }
        self.misbehave(json!({ "target": "stripe", "mode": "fail", "status": 401, "times": 2 }))
            .await;
        let checkout = format!("/pay/{token}/checkout");
        self.anonymous(&checkout, &json!({})).await;
        self.sandbox.delete("/_control/faults").await.unwrap();
        self.anonymous(&checkout, &json!({})).await;
        self.anonymous(&format!("/unsubscribe/{token}"), &json!({}))
            .await;
    }

    /// Whoever has no business here: made-up tokens, signatures, paths and bodies.
    pub(crate) async fn strangers(&mut self) {
        let long = format!("{MADE_UP}{}", "x".repeat(4_000));
        for path in [
            format!("/pay/{MADE_UP}"),
            format!("/pay/{long}"),
            format!("/pay/%00{MADE_UP}%0d%0aX-Injected:%201"),
            format!("/pay/{MADE_UP}/done?token={MADE_UP}"),
            format!("/nowhere/{MADE_UP}?email={PAYER_EMAIL}"),
            format!("/v1/recoveries/{MADE_UP}"),
            format!("/v1/recoveries?cursor={MADE_UP}"),
            format!("/v1/recoveries/by_token/{MADE_UP}"),
            format!(
                "/v1/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token={MADE_UP}&hub.challenge=1"
            ),
        ] {
            for key in [None, Some(self.key.clone()), Some(MADE_UP.to_owned())] {
                self.told.visitor.get(key.as_deref(), &path).await;
            }
        }
        let body = json!({ "email": PAYER_EMAIL, "secret": MADE_UP }).to_string();
        for path in [
            "stripe",
            "razorpay",
            "twilio/status",
            "twilio/inbound",
            "whatsapp",
            "email/bounces",
        ] {
            for (name, value) in [
                ("stripe-signature", format!("t=1,v1={MADE_UP}")),
                ("x-razorpay-signature", MADE_UP.to_owned()),
                ("x-twilio-signature", MADE_UP.to_owned()),
                ("x-hub-signature-256", format!("sha256={MADE_UP}")),
                ("authorization", format!("Bearer {MADE_UP}")),
            ] {
                let request = self
                    .told
                    .visitor
                    .request(Method::POST, &format!("/v1/webhooks/{path}"));
                let request = request.header(name, value).body(body.clone());
                self.told.visitor.send(request).await;
            }
        }
        for path in [
            "/v1/auth/login",
            "/v1/auth/refresh",
            "/v1/auth/password/reset",
            "/v1/events/payment_failed",
        ] {
            for body in [
                format!("\"{MADE_UP}\""),
                format!("[\"{MADE_UP}\"]"),
                format!("{{\"password\":\"{MADE_UP}\",\"email\":\"{PAYER_EMAIL}\""),
                format!("{{\"password\":{{\"{MADE_UP}\":1}},\"email\":[\"{PAYER_EMAIL}\"]}}"),
                format!("{{\"amount\":\"{MADE_UP}\",\"customer\":\"{PAYER_EMAIL}\"}}"),
                format!("{{\"refresh_token\":\"{MADE_UP}\",\"token\":\"{MADE_UP}\"}}"),
            ] {
                let request = self.told.visitor.request(Method::POST, path).body(body);
                let request = request
                    .bearer_auth(&self.key)
                    .header("content-type", "application/json");
                self.told.visitor.send(request).await;
            }
        }
        let request = self.told.visitor.request(Method::GET, "/v1/me");
        let request = request
            .header("x-request-id", format!("{MADE_UP}\u{85}"))
            .bearer_auth(MADE_UP);
        self.told
            .visitor
            .send(request.header("cookie", format!("session={MADE_UP}")))
            .await;
    }

    /// PSPs and providers that refuse, break and stay silent, while the demo's cases are played.
    pub(crate) async fn providers_in_trouble(&mut self) {
        for rule in [
            json!({ "target": "stripe", "path_contains": "/confirm", "mode": "fail", "status": 500, "times": 2 }),
            json!({ "target": "stripe", "mode": "drop_before_acting", "times": 2 }),
            json!({ "target": "razorpay", "mode": "fail", "status": 401, "times": 1 }),
            json!({ "target": "whatsapp", "mode": "fail", "status": 400, "times": 2 }),
            json!({ "target": "twilio", "mode": "fail", "status": 401, "times": 2 }),
            json!({ "target": "smtp", "mode": "fail", "status": 451, "times": 2 }),
        ] {
            self.misbehave(rule).await;
        }
    }

    /// Entries that no consumer can read, with what they must not repeat.
    pub(crate) async fn broken_stream_entries(&mut self, installation: &Installation) {
        let url = &installation.stack().redis_url;
        let client = redis::Client::open(url.as_str()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        for stream in ["failures", "notifications:email", "mails:users", "events"] {
            let mut command = redis::cmd("XADD");
            let payload = format!("{MADE_UP} {PAYER_EMAIL} {}", planted::PAYER_PHONE);
            command
                .arg(format!("tinko:{stream}"))
                .arg(&["*", "payload", &payload, "id", MADE_UP]);
            let _: String = command.query_async(&mut connection).await.unwrap();
        }
        // The demo's own cases go through the same troubles; how they end is not looked at here.
        let played = Demo::new(installation.stack(), "canary").play();
        let _ended = tokio::time::timeout(Duration::from_mins(1), played).await;
        self.sandbox.delete("/_control/faults").await.unwrap();
    }

    /// Redis, Postgres, RabbitMQ and a mail server with a password: each away, while work comes in.
    pub(crate) async fn servers_away(&mut self, installation: &mut Installation) {
        let sink = format!("amqp://canary:{}@127.0.0.1:9/%2f", planted::AMQP);
        let mail = installation.stack().smtp_url.replace("smtp://", "");
        let mail = format!(
            "smtp://{}:{}@{mail}?tls=none",
            planted::SMTP_USER,
            planted::SMTP
        );
        let stack = installation.stack.as_mut().unwrap();
        let notifier = stack.process("notifier").unwrap();
        notifier.spec_mut().env.extend([
            ("ANALYTICS_SINK_URL".to_owned(), sink),
            ("SMTP_URL".to_owned(), mail),
        ]);
        stack.restart("notifier").await.unwrap();
        let (status, _) = self
            .anonymous(
                "/v1/auth/login/request-otp",
                &json!({ "email": PERSON_EMAIL }),
            )
            .await;
        assert_eq!(status, 202);
        self.sandbox
            .wait_for_messages(PERSON_EMAIL, 3, SOON)
            .await
            .unwrap();
        installation
            .redis_away(async || self.knock("REDIS").await)
            .await;
        installation
            .postgres_away(async || self.knock("POSTGRES").await)
            .await;
        let (status, _) = self
            .post(
                "/v1/events/payment_failed",
                &report("CANARY-9", PAYER_EMAIL),
            )
            .await;
        assert!(status == 201 || status == 503 || status == 500, "{status}");
    }

    /// Work of every kind.
    async fn knock(&mut self, reference: &str) {
        for round in 0..4 {
            let report = report(&format!("{reference}-{round}"), PAYER_EMAIL);
            self.post("/v1/events/payment_failed", &report).await;
            let right = json!({ "email": PERSON_EMAIL, "password": PERSON_PASSWORD });
            self.anonymous("/v1/auth/login", &right).await;
            self.told
                .visitor
                .get(None, &format!("/pay/{MADE_UP}"))
                .await;
            // Long enough for those who try again to say so.
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
    }
}

fn report(reference: &str, email: &str) -> Value {
    json!({
        "transaction_ref": reference, "amount": 129_950, "currency": "SGD",
        "failure_reason": "expired_card",
        "customer": { "email": email, "phone": planted::PAYER_PHONE, "name": planted::PAYER_NAME },
        "payment": { "card_fingerprint": planted::CARD, "rail": "card" },
    })
}

fn links(messages: &Value) -> Vec<String> {
    let messages = messages.as_array().into_iter().flatten();
    let links = messages.flat_map(|message| message["links"].as_array().into_iter().flatten());
    links.map(text).collect()
}

#[test]
fn a_password_in_base64_is_looked_for_as_it_is_sent() {
    let sent = STANDARD.encode(format!("\0{}\0{}", planted::SMTP_USER, planted::SMTP));
    assert_eq!(
        Planted::new()
            .found_in(&format!("AUTH PLAIN {sent}"))
            .count(),
        1
    );
}
