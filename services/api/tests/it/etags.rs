//! What is unchanged is not sent again, and a change is made to what its maker saw.

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Answer, Shop, Stage};

async fn with(
    stage: &Stage,
    shop: &Shop,
    (method, path): (Method, &str),
    (name, value): (&str, &str),
    body: Option<&Value>,
) -> Answer {
    let request = stage.request(method, path).bearer_auth(&shop.key);
    let request = request.header(name, value);
    Answer::of(match body {
        Some(body) => request.json(body),
        None => request,
    })
    .await
}

fn template(text: &str) -> Value {
    json!({ "sms": { "text": format!("{text} {{{{ merchant }}}} {{{{ link }}}}") } })
}

async fn a_template(stage: &Stage, shop: &Shop) -> String {
    let mut new = template("Hello");
    new["language"] = json!("en");
    let made = stage.post(shop, "/v1/templates", &new).await;
    format!("/v1/templates/{}", made.json()["id"].as_str().unwrap())
}

#[tokio::test]
async fn what_a_client_has_is_not_sent_again_until_it_changes() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let recovery = stage.failed(&shop, "A-1").await;
    let path = format!("/v1/recoveries/{recovery}");
    let first = stage.get(&shop, &path).await;
    let tag = first.header("etag");
    assert!(tag.starts_with('"') && tag.len() == 24, "{tag}");
    assert_eq!(first.header("cache-control"), "private, no-cache");
    assert_eq!(stage.get(&shop, &path).await.header("etag"), tag);
    let weak = format!("\"other\", W/{tag}");
    for known in [tag, weak.as_str(), "*"] {
        let again = with(
            &stage,
            &shop,
            (Method::GET, &path),
            ("if-none-match", known),
            None,
        );
        let again = again.await;
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{known}");
        assert_eq!(
            (again.header("etag"), again.header("content-type")),
            (tag, "")
        );
        assert_ne!(again.header("x-request-id"), "");
    }
    stage
        .post(&shop, &format!("{path}/cancel"), &json!({}))
        .await;
    let changed = with(
        &stage,
        &shop,
        (Method::GET, &path),
        ("if-none-match", tag),
        None,
    )
    .await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), tag);
    // What fails has none, and what is nobody's is not kept.
    let missing = stage
        .get(&shop, "/v1/recoveries/01920000-0000-7000-8000-000000000000")
        .await;
    assert_eq!(missing.header("etag"), "");
    assert_eq!(
        stage.browse("/v1/nowhere").await.header("cache-control"),
        "no-store"
    );
}

#[tokio::test]
async fn a_change_is_refused_where_the_thing_is_not_what_was_seen() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let template_path = a_template(&stage, &shop).await;
    let policy = stage
        .post(&shop, "/v1/retry/policies", &json!({ "name": "a" }))
        .await;
    let policy = format!(
        "/v1/retry/policies/{}",
        policy.json()["id"].as_str().unwrap()
    );
    let settings = json!({ "support_contact": "call us" });
    let changes = [
        (Method::PUT, template_path.as_str(), Some(template("Hi"))),
        (Method::PUT, "/v1/templates/settings", Some(settings)),
        (
            Method::PUT,
            "/v1/consents/required",
            Some(json!({ "channels": ["sms"] })),
        ),
        (Method::DELETE, template_path.as_str(), None),
        (Method::DELETE, policy.as_str(), None),
    ];
    for (method, path, body) in changes {
        let tag = stage.get(&shop, path).await.header("etag").to_owned();
        let change = (method.clone(), path);
        let counts = stage.counts().await;
        for other in ["\"other\"", &format!("W/{tag}")] {
            let refused = with(
                &stage,
                &shop,
                change.clone(),
                ("if-match", other),
                body.as_ref(),
            );
            let refused = refused.await;
            let seen = (refused.status, refused.slug());
            assert_eq!(
                seen,
                (412, "precondition-failed".to_owned()),
                "{method} {path}"
            );
        }
        assert_eq!(stage.counts().await, counts, "{method} {path}");
        let made = with(&stage, &shop, change, ("if-match", &tag), body.as_ref()).await;
        assert!(made.status < 300, "{method} {path}: {}", made.text);
        if method == Method::PUT {
            // Its tag is that of the next GET: a chain of changes needs no reading.
            let now = stage.get(&shop, path).await;
            assert_eq!(
                (made.header("etag"), &made.text),
                (now.header("etag"), &now.text)
            );
            assert_ne!(made.header("etag"), tag);
        }
    }
}

#[tokio::test]
async fn of_two_who_saw_the_same_one_changes_it() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let path = a_template(&stage, &shop).await;
    for round in 0..5 {
        let before = stage.get(&shop, &path).await;
        let tag = before.header("etag");
        let change = |text: String| {
            let (stage, shop, path) = (&stage, &shop, path.as_str());
            async move {
                let body = template(&text);
                let condition = ("if-match", tag);
                with(stage, shop, (Method::PUT, path), condition, Some(&body))
                    .await
                    .status
            }
        };
        let changes = (0..4).map(|writer| change(format!("{round} {writer}")));
        let mut seen = futures_util::future::join_all(changes).await;
        seen.sort_unstable();
        assert_eq!(seen, [200, 412, 412, 412]);
        let version = |answer: &Answer| answer.json()["version"].as_i64().unwrap();
        let after = stage.get(&shop, &path).await;
        assert_eq!(version(&after), version(&before) + 1);
    }
}
