//! An organization's own words for messages, over REST.

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Answer, Shop, Stage, steady};

const PATH: &str = "/v1/templates";

fn email(text: &str) -> Value {
    json!({ "language": "de", "email": { "subject": "Offen: {{ amount }}", "text": text } })
}

async fn made(stage: &Stage, shop: &Shop, body: &Value) -> Value {
    let answer = stage.post(shop, PATH, body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()
}

async fn put(stage: &Stage, shop: &Shop, path: &str, body: &Value) -> Answer {
    let request = stage.request(Method::PUT, path).bearer_auth(&shop.key);
    Answer::of(request.json(body)).await
}

fn path_of(template: &Value) -> String {
    format!("{PATH}/{}", template["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_template_is_kept_in_versions_and_seen_by_its_organization_alone() {
    let stage = Stage::new().await;
    let (shop, other) = (stage.shop("shop").await, stage.shop("other").await);
    let first = made(&stage, &shop, &email("Bitte: {{ link }}")).await;
    insta::assert_json_snapshot!("a_template", steady(&first));
    let path = path_of(&first);
    let change = json!({ "version": 1, "email": { "subject": "Neu", "text": "{{ link }}" } });
    let second = put(&stage, &shop, &path, &change).await;
    assert_eq!(
        (second.status, &second.json()["version"]),
        (200, &json!(2)),
        "{}",
        second.text
    );
    let late = put(&stage, &shop, &path, &change).await;
    assert_eq!((late.status, late.slug()), (409, "conflict".to_owned()));
    assert_eq!(stage.get(&shop, &path).await.json(), second.json());
    let old = stage.get(&shop, &format!("{path}?version=1")).await.json();
    assert_eq!(old["email"], first["email"]);
    let listed = stage.get(&shop, PATH).await.json();
    assert_eq!(listed["data"], json!([second.json()]));
    assert_eq!(
        stage.get(&shop, "/v1/templates?channel=sms").await.json()["data"],
        json!([])
    );

    assert_eq!(stage.get(&other, &path).await.status, 404);
    assert_eq!(put(&stage, &other, &path, &change).await.status, 404);
    assert_eq!(stage.get(&other, PATH).await.json()["data"], json!([]));
    let delete = |key: &str| stage.request(Method::DELETE, &path).bearer_auth(key);
    assert_eq!(Answer::of(delete(&other.key)).await.status, 404);
    assert_eq!(Answer::of(delete(&shop.key)).await.status, 204);
    assert_eq!(Answer::of(delete(&shop.key)).await.status, 404);
    assert_eq!(put(&stage, &shop, &path, &change).await.status, 404);
    assert_ne!(
        stage.get(&shop, &path).await.json()["retired_at"],
        Value::Null
    );
    made(&stage, &shop, &email("{{ link }}")).await;
}

#[tokio::test]
async fn the_same_template_twice_is_one() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let make = async |text: &str| {
        let request = stage.request(Method::POST, PATH).bearer_auth(&shop.key);
        let request = request.header("Idempotency-Key", "k-1").json(&email(text));
        Answer::of(request).await
    };
    let (first, again) = (make("{{ link }}").await, make("{{ link }}").await);
    assert_eq!((first.status, again.status), (201, 201), "{}", again.text);
    assert_eq!(first.json(), again.json());
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(make("other {{ link }}").await.status, 422);
    let taken = stage.post(&shop, PATH, &email("{{ link }}")).await;
    assert_eq!(taken.status, 409);
    assert!(
        taken.text.contains(first.json()["id"].as_str().unwrap()),
        "{}",
        taken.text
    );
}

#[tokio::test]
async fn a_template_that_makes_no_message_is_refused_with_field_and_line() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let before = stage.counts().await;
    let sms = |text: &str| json!({ "language": "en", "sms": { "text": text } });
    for (body, wanted) in [
        (email("Hallo\n{{ link }"), "email.text: does not read"),
        (email("no link"), "email.text: must hold {{ link }}"),
        (
            sms("{{ link }}{{ card_number }}"),
            "sms.text: there is no variable card_number",
        ),
        (
            sms("{% for i in range(999999999) %}{{ link }}{% endfor %}"),
            "sms.text: does not take for",
        ),
        (
            sms(&format!(
                "{{% set x = 'aaaaaaaa' %}}{}{{{{ link }}}}",
                "{% set x = x ~ x %}".repeat(40)
            )),
            "sms.text: takes too much work",
        ),
        (
            json!({ "language": "deutsch", "sms": { "text": "{{ link }}" } }),
            "language: expected a language",
        ),
        (
            json!({ "language": "de", "kind": "rude", "sms": { "text": "{{ link }}" } }),
            "kind: expected default",
        ),
        (json!({ "language": "de" }), "email: is missing"),
        (
            json!({ "language": "de", "sms": { "text": "{{ link }}", "from": "x" } }),
            "sms.from: unknown field",
        ),
        (
            json!({ "language": "de", "email": { "subject": "a", "text": "{{ link }}" }, "sms": { "text": "{{ link }}" } }),
            "sms: is one channel too many",
        ),
        (
            json!({ "language": "en", "email": { "subject": "a", "text": "{{ link }}", "html": "<script>{{ link }}</script>" } }),
            "email.html: must not hold <script>",
        ),
    ] {
        let answer = stage.post(&shop, PATH, &body).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert!(
            answer.faults()[0].starts_with(wanted),
            "{wanted}: {}",
            answer.text
        );
    }
    let answer = stage.post(&shop, PATH, &email("Hallo\n{{ link }")).await;
    assert_eq!(answer.json()["errors"][0]["line"], 2, "{}", answer.text);
    assert_eq!(stage.counts().await, before);
}

#[tokio::test]
async fn a_preview_shows_a_draft_a_stored_template_and_what_a_recovery_would_get() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let preview = async |body: Value| {
        let answer = stage.post(&shop, "/v1/templates/preview", &body).await;
        (answer.status, answer.json())
    };
    let draft = json!({
        "language": "it", "payer_name": "Ada", "amount": 129_950, "currency": "EUR",
        "sms": { "text": "{{ payer }}, {{ amount }} → {{ link }}" },
    });
    insta::assert_json_snapshot!("preview_of_a_draft", preview(draft).await.1);
    let broken = json!({ "sms": { "text": "{{ link }}\n{{ nothing }}" } });
    let (status, body) = preview(broken).await;
    assert_eq!(
        (status, &body["errors"][0]["line"]),
        (422, &json!(2)),
        "{body}"
    );

    let recovery = stage.failed(&shop, "A-1").await;
    let (status, ours) = preview(json!({ "recovery_id": recovery, "channel": "email" })).await;
    assert_eq!(
        (status, &ours["source"]),
        (200, &json!("built_in")),
        "{ours}"
    );
    assert!(
        ours["text"].as_str().unwrap().contains("₹1,299.50"),
        "{ours}"
    );
    let template = json!({ "language": "en", "kind": "insufficient_funds", "email": {
        "subject": "{{ reference }}", "text": "{{ reason | capitalize }}. {{ link }} {{ unsubscribe }}" } });
    let stored = made(&stage, &shop, &template).await;
    let (_, own) = preview(json!({ "recovery_id": recovery })).await;
    assert_eq!(
        (&own["source"], &own["template_id"]),
        (&json!("stored"), &stored["id"]),
        "{own}"
    );
    assert_eq!(own["subject"], "A-1");
    let neutral = json!({ "recovery_id": recovery, "contact": "neutral" });
    assert_eq!(preview(neutral).await.1["source"], "built_in");
    let (_, named) =
        preview(json!({ "template_id": stored["id"], "category": "expired_card" })).await;
    assert!(
        named["text"]
            .as_str()
            .unwrap()
            .starts_with("The card has expired. "),
        "{named}"
    );
    assert_eq!(
        preview(json!({ "template_id": stored["id"], "version": 9 }))
            .await
            .0,
        404
    );
    assert_eq!(preview(json!({ "currency": "XXQ" })).await.0, 422);
}

#[tokio::test]
async fn the_default_language_and_the_support_contact_are_set_for_all_messages() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let path = "/v1/templates/settings";
    let nothing = json!({ "default_language": null, "support_contact": null });
    assert_eq!(stage.get(&shop, path).await.json(), nothing);
    let wanted = json!({ "default_language": "fr", "support_contact": "aide@shop.example" });
    assert_eq!(put(&stage, &shop, path, &wanted).await.status, 200);
    assert_eq!(stage.get(&shop, path).await.json(), wanted);
    for (body, field) in [
        (
            json!({ "default_language": "français" }),
            "default_language",
        ),
        (
            json!({ "support_contact": "a\r\nBcc: b" }),
            "support_contact",
        ),
    ] {
        let answer = put(&stage, &shop, path, &body).await;
        assert_eq!(answer.status, 422);
        assert!(answer.faults()[0].starts_with(field), "{}", answer.text);
    }
    assert_eq!(stage.get(&shop, path).await.json(), wanted);
    let known = stage.get(&shop, "/v1/templates/variables").await.json();
    insta::assert_json_snapshot!("variables", known);
}
