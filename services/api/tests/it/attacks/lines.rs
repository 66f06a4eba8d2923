//! Line breaks, names of hosts and methods where a header, an address or a mail is made of them.

use reqwest::Method;
use serde_json::json;

use crate::people::PASSWORD;
use crate::stage::{Answer, Stage};

/// What becomes a header of its own wherever a line break is let through.
const BROKEN: &str = "Shop\r\nBcc: eve@evil.example\r\n\r\nhello";

#[tokio::test]
async fn a_line_break_in_a_name_is_refused_wherever_a_name_is_given() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let person = stage.register("asha@example.com", "Chai").await;
    let before = stage.counts().await;
    for field in ["org_name", "full_name", "api_key_name"] {
        let mut body = json!({
            "email": "eve@example.com", "password": PASSWORD, "org_name": "Eve",
        });
        body[field] = json!(BROKEN);
        let answer = stage.send("/v1/auth/register", &body).await;
        assert_eq!(answer.faults(), [format!("{field}: must be one line")]);
    }
    let key = json!({ "name": BROKEN, "scopes": ["read"] });
    let answer = stage.post(&shop, "/v1/auth/api-keys", &key).await;
    assert_eq!(answer.faults(), ["name: must be one line"]);
    for (path, body) in [
        ("/v1/users/me", json!({ "full_name": BROKEN })),
        ("/v1/organization", json!({ "name": BROKEN })),
        ("/v1/organization", json!({ "support_contact": BROKEN })),
    ] {
        let request = stage
            .request(Method::PATCH, path)
            .bearer_auth(&person.access);
        let answer = Answer::of(request.json(&body)).await;
        assert_eq!(answer.status, 422, "{body}: {}", answer.text);
    }
    let mut after = stage.counts().await;
    // Tries to register are counted.
    after.insert(
        "login_tries".to_owned(),
        before.get("login_tries").copied().unwrap_or_default(),
    );
    let changed: Vec<_> = after
        .iter()
        .filter(|(table, count)| before.get(*table) != Some(count))
        .collect();
    assert!(
        changed
            .iter()
            .all(|(table, _)| table.contains("tries") || table.contains("login")),
        "{changed:?}"
    );
}

#[tokio::test]
async fn nothing_in_a_path_or_a_query_becomes_a_header() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    stage.failed(&shop, "A-1").await;
    let evil = "%0d%0aSet-Cookie:%20a=b%0d%0aLocation:%20https://evil.example";
    for path in [
        format!("/pay/x{evil}"),
        format!("/pay/x{evil}/done"),
        format!("/pay/x/done?try={evil}"),
        format!("/unsubscribe/x{evil}"),
        format!("/v1/recoveries/by_ref/A-1{evil}"),
        format!("/v1/recoveries?state={evil}"),
        format!("/v1/exports/recoveries.csv?tz={evil}"),
        format!("/v1/webhooks/whatsapp?hub.challenge={evil}"),
        format!("/{evil}"),
        format!("/docs{evil}"),
    ] {
        let answer = stage.get(&shop, &path).await;
        assert!(answer.status >= 400, "{path}: {}", answer.status);
        for name in ["set-cookie", "location"] {
            assert_eq!(answer.header(name), "", "{path}");
        }
    }
}

#[tokio::test]
async fn a_made_up_host_is_in_no_address_that_we_give() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    stage.failed(&shop, "A-1").await;
    let spoofed = |method: Method, path: &str| {
        let request = stage.request(method, path).bearer_auth(&shop.key);
        let request = request
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example");
        let request = request.header("forwarded", "host=evil.example;proto=http");
        request
            .header("x-forwarded-proto", "http")
            .header("x-original-url", "/v1/evil.example")
    };
    let link = spoofed(Method::POST, "/v1/recoveries/by_ref/A-1/link").json(&json!({}));
    let link = Answer::of(link).await;
    assert_eq!(link.status, 201, "{}", link.text);
    assert!(
        link.text.contains("https://pay.example.com/pay/"),
        "{}",
        link.text
    );
    let token = link.json()["token"].as_str().unwrap().to_owned();
    for path in [
        "/",
        "/docs",
        "/openapi.json",
        "/v1/psp-connections",
        "/v1/links",
        &format!("/pay/{token}"),
        &format!("/unsubscribe/{token}"),
    ] {
        let answer = Answer::of(spoofed(Method::GET, path)).await;
        assert!(answer.status < 400, "{path}: {}", answer.text);
        assert!(!answer.text.contains("evil.example"), "{path}");
        assert!(
            !answer.header("location").contains("evil.example"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_method_is_the_one_of_the_request_line() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let id = stage.failed(&shop, "A-1").await;
    for name in [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
    ] {
        for path in [
            "/v1/recoveries".to_owned(),
            format!("/v1/recoveries/{id}?_method=DELETE"),
        ] {
            let request = stage
                .request(Method::GET, &path)
                .bearer_auth(&shop.key)
                .header(name, "DELETE");
            assert_eq!(Answer::of(request).await.status, 200, "{name} {path}");
        }
        let request = stage
            .request(Method::POST, &format!("/v1/recoveries/{id}"))
            .bearer_auth(&shop.key);
        assert_eq!(
            Answer::of(request.header(name, "GET")).await.status,
            405,
            "{name}"
        );
    }
    let traced = stage
        .request(Method::TRACE, "/v1/recoveries")
        .header("authorization", "Bearer x");
    let traced = Answer::of(traced).await;
    assert!(
        traced.status >= 400 && !traced.text.contains("Bearer x"),
        "{}",
        traced.text
    );
}

#[tokio::test]
async fn the_payers_pages_are_framed_by_nobody_and_hold_no_script_of_anybodys() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let script = "<script>alert(1)</script>";
    let body = json!({
        "transaction_ref": "A-1", "amount": 129_950, "currency": "INR", "failure_reason": script,
        "customer": { "email": "asha@example.com", "name": format!("{script}\"'{{{{ 7*7 }}}}") },
        "metadata": { "description": script },
    });
    assert_eq!(
        stage
            .post(&shop, "/v1/events/payment_failed", &body)
            .await
            .status,
        201
    );
    let token = stage.link(&shop, "A-1").await;
    for path in [
        format!("/pay/{token}"),
        format!("/unsubscribe/{token}"),
        format!("/pay/{script}"),
        format!("/pay/{token}/done?try=1\"><script>"),
    ] {
        let page = stage.browse(&path).await;
        assert_eq!(page.header("x-frame-options"), "DENY", "{path}");
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"),
            "{policy}"
        );
        assert!(
            !policy.contains("script-src") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert!(!page.text.contains("<script"), "{path}: {}", page.text);
    }
}
