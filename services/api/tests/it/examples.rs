//! The document's examples: each request is sent to the real service, and each value fits
//! its schema.

use api::auth::permissions::{Needs, PERMISSIONS, Permission};
use chrono::TimeDelta;
use reqwest::{Method, RequestBuilder};
use sandbox::Sandbox;
use serde_json::{Value, json};

use crate::documented::{DOCUMENT, escaped, fault};
use crate::openapi::operations;
use crate::people::PASSWORD;
use crate::psps::{razorpay_signature, stripe_signature};
use crate::stage::{Answer, Shop, Stage};
use crate::walk::{Other, other};

const OPERATOR: &str = "an operator's token, long enough to hold";

/// POST routes that make something and take no key, and why they need none.
const WITHOUT_KEY: &[(&str, &str)] = &[(
    "/v1/auth/invitations/accept",
    "the link is used up by it, and whoever lost the answer logs in",
)];

/// Who sends the examples, and to what.
struct Sender {
    stage: Stage,
    sandbox: Sandbox,
    /// An organization that has one of each.
    own: Other,
    /// One that PSPs send webhooks to.
    shop: Shop,
}

impl Sender {
    async fn new() -> Self {
        let settings = [
            ("TINKO__RECON_WAIT_MS", "1"),
            ("TINKO__OPERATOR_TOKEN", OPERATOR),
            ("TWILIO_AUTH_TOKEN", "twilio-token"),
            ("WHATSAPP_APP_SECRET", "app-secret"),
            ("WHATSAPP_VERIFY_TOKEN", "verify-token"),
            ("TINKO__BOUNCE_SECRET", "bounce-secret"),
        ];
        let (stage, sandbox) = crate::connections::with_psps(&settings).await;
        let own = other(&stage).await;
        let shop = stage.shop("shop").await;
        stage.register("asha@shop.example", "Chai").await;
        Self {
            stage,
            sandbox,
            own,
            shop,
        }
    }

    fn path(&self, row: &Permission) -> String {
        let connection = if row.path.contains("stripe") {
            &self.shop.stripe
        } else {
            &self.shop.razorpay
        };
        if row.path.contains("{connection_id}") {
            row.path.replace("{connection_id}", connection)
        } else {
            self.own.path(row)
        }
    }

    /// The example with what is the sender's own in the place of what it only shows.
    async fn own(&self, path: &str, mut body: Value) -> Value {
        let stage = &self.stage;
        let replaced = match path {
            "/v1/auth/login/verify-otp" => {
                let asked = json!({ "email": "asha@shop.example" });
                stage.send("/v1/auth/login/request-otp", &asked).await;
                ("code", stage.mailed_code().await)
            }
            "/v1/auth/password/reset" => {
                let asked = json!({ "email": "asha@shop.example" });
                stage.send("/v1/auth/password/request-reset", &asked).await;
                ("token", stage.mailed_token("password_reset").await)
            }
            "/v1/auth/invitations/accept" => ("token", stage.mailed_token("invitation").await),
            "/v1/auth/refresh" | "/v1/auth/logout" => {
                let person = stage.register("lena@shop.example", "Lena's").await;
                ("refresh_token", person.refresh)
            }
            "/v1/auth/roles/assign" => {
                let email = "colleague@shop.example";
                let colleague = crate::audit::colleague(stage, &self.own.person, email).await;
                ("user_id", colleague.id)
            }
            "/v1/recoveries/{id}/next_retry_at" => {
                let tomorrow = stage.now() + TimeDelta::days(1);
                ("next_retry_at", tomorrow.to_rfc3339())
            }
            "/v1/webhook-endpoints" => ("url", "http://127.0.0.1:9/".to_owned()),
            "/v1/webhooks/stripe" | "/v1/webhooks/stripe/{connection_id}" => {
                ("account", "acct_shop".to_owned())
            }
            "/v1/webhooks/razorpay" | "/v1/webhooks/razorpay/{connection_id}" => {
                ("account_id", "acc_shop".to_owned())
            }
            "/v1/psp-connections" => {
                let account = json!({
                    "key": body["credentials"]["secret_key"],
                    "account_id": body["account_id"],
                });
                crate::connections::open(stage, &self.sandbox, "stripe", &account).await;
                return body;
            }
            _ => return body,
        };
        assert!(body.get(replaced.0).is_some(), "{path}: {}", replaced.0);
        body[replaced.0] = json!(replaced.1);
        body
    }

    /// Signed in or signed, as the route wants it.
    async fn request(&self, row: &Permission, path: &str, body: &Value) -> RequestBuilder {
        let request = self.stage.request(row.method.parse().unwrap(), path);
        match row.needs {
            Needs::Scope(_) => request.bearer_auth(&self.own.key).json(body),
            Needs::Person => {
                let email = format!("{}@shop.example", row.path.replace('/', "-"));
                let person = self.stage.register(&email, "Persons").await;
                request.bearer_auth(&person.access).json(body)
            }
            Needs::NoCaller if row.path.starts_with("/v1/maintenance/") => {
                request.bearer_auth(OPERATOR).json(body)
            }
            Needs::NoCaller if row.path.starts_with("/v1/webhooks/") => {
                self.signed(request, row.path, body)
            }
            Needs::NoCaller => request.json(body),
        }
    }

    fn signed(&self, request: RequestBuilder, path: &str, body: &Value) -> RequestBuilder {
        let text = body.to_string();
        let (name, signature) = if path.contains("stripe") {
            let signed = stripe_signature("whsec_shop", text.as_bytes(), self.stage.now());
            ("stripe-signature", signed)
        } else if path.contains("razorpay") {
            let signed = razorpay_signature("rzpsec_shop", text.as_bytes());
            ("x-razorpay-signature", signed)
        } else if path.contains("whatsapp") {
            let signed = razorpay_signature("app-secret", text.as_bytes());
            ("x-hub-signature-256", format!("sha256={signed}"))
        } else {
            let request = request.bearer_auth("bounce-secret");
            let request = request.header("content-type", "message/rfc822");
            return request.body(body.as_str().unwrap().to_owned());
        };
        let request = request.header(name, signature);
        let request = request.header("x-razorpay-event-id", path);
        request
            .header("content-type", "application/json")
            .body(text)
    }

    async fn send(&self, row: &Permission, body: &Value, takes_key: bool) {
        let body = self.own(row.path, body.clone()).await;
        let mut path = self.path(row);
        let shop = Shop {
            key: self.own.key.clone(),
            ..Shop::default()
        };
        if row.path == "/v1/recoveries/{id}/next_retry_at" {
            let recovery = self.stage.failed(&shop, "WAITS-1").await;
            path = format!("/v1/recoveries/{recovery}/next_retry_at");
        }
        if row.path.starts_with("/v1/maintenance/dead-letters/{id}") {
            let text =
                "INSERT INTO outbox (id, organization_id, stream, envelope, created_at, dead_at)
                 VALUES ($1::text::uuid, gen_random_uuid(), 'failures', '', now(), now())
                 ON CONFLICT (id) DO UPDATE SET dead_at = now()";
            let id = path.split('/').nth(4).unwrap();
            self.stage.database.execute(text, &[&id]).await.unwrap();
        }
        if row.path == "/v1/templates/{id}" {
            let new = json!({ "language": "de", "email": body["email"] });
            let made = self.stage.post(&shop, "/v1/templates", &new).await;
            path = format!("/v1/templates/{}", made.json()["id"].as_str().unwrap());
        }
        if row.path.starts_with("/v1/webhooks/twilio/") {
            let fields = body.as_object().unwrap().iter();
            let fields: Vec<_> = fields
                .map(|(name, it)| (name.as_str(), it.as_str().unwrap()))
                .collect();
            let answer = self.stage.twilio(&path, &fields, "twilio-token").await;
            assert!(answer.status < 300, "{path}: {}", answer.text);
            return;
        }
        let request = self.request(row, &path, &body).await;
        let request = request.header("idempotency-key", row.path);
        let again = request.try_clone().unwrap();
        let answer = Answer::of(request).await;
        let asked = format!("{} {path} with {body:#}", row.method);
        assert!(answer.status < 300, "{asked}: {}", answer.text);
        if takes_key {
            let again = Answer::of(again).await;
            assert_eq!(again.header("idempotency-replayed"), "true", "{asked}");
            assert_eq!((again.status, again.text), (answer.status, answer.text));
        }
    }
}

#[tokio::test]
async fn every_example_is_taken_and_once_where_it_may_be_sent_again() {
    let sender = Box::pin(Sender::new()).await;
    let mut sent = 0;
    for ((method, path), operation) in operations(&DOCUMENT) {
        let Some(body) = operation.get("requestBody") else {
            continue;
        };
        let of_route = |row: &&Permission| row.method == method && row.path == path;
        let row = PERMISSIONS.iter().find(of_route).unwrap();
        let parameters = operation["parameters"].as_array();
        let mut parameters = parameters.into_iter().flatten();
        let takes_key = parameters.any(|it| it["name"] == "Idempotency-Key");
        for content in body["content"].as_object().unwrap().values() {
            let example = content.get("example");
            let example = example.unwrap_or_else(|| panic!("{method} {path} has no example"));
            Box::pin(sender.send(row, example, takes_key)).await;
            sent += 1;
        }
    }
    assert!(sent > 40, "{sent}");
}

#[test]
fn what_makes_something_may_be_sent_again_under_a_key() {
    for ((method, path), operation) in operations(&DOCUMENT) {
        let makes = operation["responses"].get("201").is_some();
        if method != "POST" || !makes || WITHOUT_KEY.iter().any(|(known, _)| *known == path) {
            continue;
        }
        let mut parameters = operation["parameters"].as_array().into_iter().flatten();
        let takes_key = parameters.any(|it| it["name"] == "Idempotency-Key");
        assert!(takes_key, "{method} {path} takes no Idempotency-Key");
    }
}

/// Each place of a schema in the document with an example of it.
fn examples(part: &Value, place: &str, found: &mut Vec<(String, Value)>) {
    match part {
        Value::Object(fields) => {
            let names_fields = place.ends_with("/properties") || place.ends_with("/examples");
            if !names_fields && let Some(example) = fields.get("example") {
                let schema = if fields.contains_key("schema") {
                    format!("{place}/schema")
                } else {
                    place.to_owned()
                };
                found.push((schema, example.clone()));
            }
            if let Some(Value::Array(several)) = fields.get("examples") {
                let each = several.iter().cloned();
                found.extend(each.map(|example| (place.to_owned(), example)));
            }
            for (name, value) in fields {
                let is_data = matches!(name.as_str(), "example" | "examples" | "default");
                if names_fields || !is_data {
                    examples(value, &format!("{place}/{}", escaped(name)), found);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                examples(item, &format!("{place}/{index}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_example_fits_its_schema() {
    let mut found = Vec::new();
    examples(&DOCUMENT, "", &mut found);
    assert!(found.len() > 150, "{}", found.len());
    let mut wrong = Vec::new();
    for (place, example) in found {
        if let Some(fault) = fault(&place, &example) {
            wrong.push(format!("{place}: {fault}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A webhook for every type that partners can hear of, with headers of Standard Webhooks.
#[test]
fn every_webhook_that_partners_are_sent_is_described() {
    let webhooks = DOCUMENT["webhooks"].as_object().unwrap();
    let known: Vec<_> = partners::payload::all();
    assert_eq!(webhooks.len(), known.len());
    for described in known {
        let name = described.event.as_str();
        let operation = &webhooks[name]["post"];
        let headers = operation["parameters"].as_array().unwrap().iter();
        let headers: Vec<_> = headers.map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(
            headers,
            ["webhook-id", "webhook-timestamp", "webhook-signature"]
        );
        let place = format!("/webhooks/{name}/post/requestBody/content/application~1json");
        let mut example = DOCUMENT
            .pointer(&format!("{place}/example"))
            .unwrap()
            .clone();
        let schema = format!("{place}/schema");
        assert_eq!(fault(&schema, &example), None, "{name}");
        example["type"] = json!("another.type");
        assert!(fault(&schema, &example).is_some(), "{name}");
    }
}

/// Methods are told apart, so that nobody sends a body where none is read.
#[test]
fn what_has_no_body_has_no_example() {
    for ((method, path), operation) in operations(&DOCUMENT) {
        if method == Method::GET.as_str() {
            assert!(operation.get("requestBody").is_none(), "{path}");
        }
    }
    assert_eq!(PASSWORD, "correct horse battery", "as the examples have it");
}
