//! What holds for every request.

use reqwest::Method;
use serde_json::json;

use crate::stage::{Answer, Stage};

#[tokio::test]
async fn paths_and_methods_that_are_not_there_are_problems() {
    let stage = Stage::new().await;
    let nowhere = Answer::of(stage.request(Method::GET, "/v1/nowhere")).await;
    assert_eq!(
        (nowhere.status, nowhere.slug().as_str()),
        (404, "not-found")
    );
    let method = Answer::of(stage.request(Method::DELETE, "/v1/recoveries")).await;
    assert_eq!(
        (method.status, method.slug().as_str()),
        (405, "method-not-allowed")
    );
    insta::assert_json_snapshot!("a_method_that_is_not_there", {
        ".instance" => "[request]",
    }, method.json());
}

#[tokio::test]
async fn a_request_keeps_its_id_and_a_made_up_one_is_replaced() {
    let stage = Stage::new().await;
    let ask = |id: &'static str| {
        Answer::of(
            stage
                .request(Method::GET, "/v1/nowhere")
                .header("x-request-id", id),
        )
    };
    let kept = ask("req-7:abc").await;
    assert_eq!(kept.header("x-request-id"), "req-7:abc");
    assert_eq!(kept.json()["instance"], "req-7:abc");
    for bad in ["", "a b", "<script>"] {
        let own = ask(bad).await;
        assert_ne!(own.header("x-request-id"), bad);
        assert_eq!(own.json()["instance"], own.header("x-request-id"));
    }
}

#[tokio::test]
async fn every_answer_tells_browsers_to_be_careful() {
    let stage = Stage::new().await;
    for path in ["/healthz", "/v1/nowhere", "/pay/unknown"] {
        let answer = stage.browse(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
    }
}

#[tokio::test]
async fn the_probes_of_the_public_port_answer() {
    let stage = Stage::new().await;
    assert_eq!(stage.browse("/healthz").await.json(), json!({ "ok": true }));
    assert_eq!(
        stage.browse("/readyz").await.json(),
        json!({ "ready": true })
    );
}

#[tokio::test]
async fn without_postgres_requests_are_told_to_come_back() {
    let more = [
        ("DATABASE_URL", "postgres://nobody@127.0.0.1:9/none"),
        ("TINKO__DATABASE_ACQUIRE_TIMEOUT_MS", "200"),
    ];
    let stage = Stage::with(&more).await;
    let request = stage
        .request(Method::GET, "/v1/recoveries")
        .bearer_auth("sk_test_any");
    let answer = Answer::of(request).await;
    assert_eq!(
        (answer.status, answer.slug().as_str()),
        (503, "unavailable")
    );
    assert_eq!(answer.header("retry-after"), "2");
    let page = stage.browse("/pay/zZ9rxknmw7uyb0LTsydcTWLArNpW-4UE").await;
    assert_eq!(page.status, 503);
    assert!(
        page.text.contains("Please try again in a minute"),
        "{}",
        page.text
    );
}

/// A pool that is used up sheds what comes, at once and with the time to come back;
/// what is under way goes on.
#[tokio::test]
async fn when_all_connections_are_taken_requests_are_told_to_come_back() {
    let more = [
        ("TINKO__DATABASE_MAX_CONNECTIONS", "1"),
        ("TINKO__DATABASE_ACQUIRE_TIMEOUT_MS", "200"),
    ];
    let stage = Stage::with(&more).await;
    let shop = stage.shop("shop").await;
    let holding = "BEGIN; SELECT id FROM organizations FOR UPDATE";
    stage.database.batch_execute(holding).await.unwrap();
    let policy = stage.request(Method::POST, "/v1/retry/policies");
    let policy = policy.bearer_auth(&shop.key).json(&json!({ "name": "a" }));
    let under_way = tokio::spawn(Answer::of(policy));
    stage.one_waits("").await;
    let shed = stage.get(&shop, "/v1/me").await;
    assert_eq!((shed.status, shed.slug().as_str()), (503, "unavailable"));
    assert_eq!(shed.header("retry-after"), "2");
    assert_eq!(stage.browse("/healthz").await.status, 200);
    stage.database.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(under_way.await.unwrap().status, 200);
    assert_eq!(stage.get(&shop, "/v1/me").await.status, 200);
}

#[tokio::test]
async fn a_request_under_way_is_finished_at_the_end() {
    let mut stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let request = stage
        .request(Method::POST, "/v1/events/payment_failed")
        .bearer_auth(&shop.key)
        .json(&json!({ "transaction_ref": "A", "amount": 1, "currency": "EUR", "failure_reason": "x" }));
    // Held up by the reference's own row, so that it is under way when the end comes.
    stage.failed(&shop, "B").await;
    let insert = "INSERT INTO transactions (id, organization_id, transaction_ref, amount_minor,
             currency, created_at, updated_at)
         SELECT gen_random_uuid(), organization_id, 'A', 1, 'EUR', now(), now() FROM transactions";
    stage.database.batch_execute("BEGIN").await.unwrap();
    stage.database.execute(insert, &[]).await.unwrap();
    let answer = tokio::spawn(Answer::of(request));
    stage.one_waits("").await;
    let another = stage.another().await;
    let database = std::mem::replace(&mut stage.database, another);
    let release = async move { database.batch_execute("ROLLBACK").await.unwrap() };
    tokio::join!(stage.finish(), release);
    assert_eq!(answer.await.unwrap().status, 201);
}

/// As browsers ask before they send another site's request.
async fn preflight(stage: &Stage, path: &str, origin: &str) -> Answer {
    let request = stage
        .request(Method::OPTIONS, path)
        .header("origin", origin);
    let request = request.header("access-control-request-method", "PUT");
    Answer::of(request.header("access-control-request-headers", "authorization,if-match")).await
}

#[tokio::test]
async fn the_sites_that_are_listed_may_call_and_no_others() {
    let ours = "https://app.example.com";
    let stage = Stage::with(&[("TINKO__CORS_ORIGINS", ours)]).await;
    let allowed = "access-control-allow-origin";
    let may = preflight(&stage, "/v1/recoveries", ours).await;
    assert_eq!((may.status, may.header(allowed)), (200, ours));
    assert_eq!(may.header("access-control-max-age"), "600");
    assert!(may.header("vary").to_ascii_lowercase().contains("origin"));
    for (path, origin) in [
        ("/v1/recoveries", "https://evil.example.com"),
        ("/pay/abc", ours),
        ("/v1/webhooks/stripe", ours),
        ("/v1/recoveries/by_token/abc", ours),
    ] {
        let refused = preflight(&stage, path, origin).await;
        assert_eq!(refused.header(allowed), "", "{path} from {origin}");
    }
    let get = |path: &'static str, origin: &'static str| {
        Answer::of(stage.request(Method::GET, path).header("origin", origin))
    };
    let seen = get("/v1/me", ours).await;
    assert_eq!((seen.status, seen.header(allowed)), (401, ours));
    let exposed = seen
        .header("access-control-expose-headers")
        .to_ascii_lowercase();
    for name in [
        "etag",
        "link",
        "ratelimit",
        "ratelimit-policy",
        "retry-after",
        "x-request-id",
    ] {
        assert!(
            exposed.split(", ").any(|it| it == name),
            "{name}: {exposed}"
        );
    }
    assert_eq!(seen.header("access-control-allow-credentials"), "");
    let page = get("/pay/unknown", ours).await;
    assert_eq!(page.header(allowed), "");
    assert_eq!(page.header("access-control-expose-headers"), "");
    let nobody = Stage::new().await;
    assert_eq!(
        preflight(&nobody, "/v1/recoveries", ours)
            .await
            .header(allowed),
        ""
    );
}

#[tokio::test]
async fn browsers_come_by_https_alone_where_that_is_our_address() {
    let stage = Stage::new().await;
    let answer = stage.browse("/healthz").await;
    assert_eq!(
        answer.header("strict-transport-security"),
        "max-age=31536000"
    );
    assert!(
        answer
            .header("permissions-policy")
            .contains("geolocation=()")
    );
    assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
    let plain = [("TINKO__PUBLIC_BASE_URL", "http://localhost:8080")];
    let plain = Stage::with(&plain).await.browse("/healthz").await;
    assert_eq!(plain.header("strict-transport-security"), "");
}

#[tokio::test]
async fn long_reads_are_compressed_and_what_holds_secrets_never_is() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    for number in 0..12 {
        stage.failed(&shop, &format!("A-{number}")).await;
    }
    let ask = |path: &'static str, coding: &'static str| {
        let request = stage.request(Method::GET, path).bearer_auth(&shop.key);
        request.header("accept-encoding", coding).send()
    };
    let plain = stage.get(&shop, "/v1/recoveries").await;
    assert_eq!(plain.header("content-encoding"), "");
    assert_eq!(plain.header("vary"), "Accept-Encoding");
    for coding in ["gzip", "br"] {
        let answer = ask("/v1/recoveries", coding).await.unwrap();
        let headers = answer.headers().clone();
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-encoding"), coding);
        assert_eq!(header("vary"), "Accept-Encoding");
        let tag = format!("{}-{coding}\"", plain.header("etag").trim_end_matches('"'));
        assert_eq!(header("etag"), tag, "other bytes, another tag");
        assert!(answer.bytes().await.unwrap().len() < plain.text.len() / 2);
        let again = stage
            .request(Method::GET, "/v1/recoveries")
            .bearer_auth(&shop.key);
        let again = again
            .header("accept-encoding", coding)
            .header("if-none-match", &tag);
        assert_eq!(Answer::of(again).await.status, 304);
    }
    for small_or_secret in ["/v1/me", "/v1/auth/api-keys", "/v1/recoveries/by_ref/A-1"] {
        let answer = ask(small_or_secret, "gzip, br").await.unwrap();
        assert_eq!(answer.status(), 200, "{small_or_secret}");
        assert!(
            !answer.headers().contains_key("content-encoding"),
            "{small_or_secret}"
        );
    }
    let refused = Answer::of(
        stage
            .request(Method::GET, "/v1/me")
            .bearer_auth(&shop.key)
            .header("accept-encoding", "identity;q=0, zstd"),
    )
    .await;
    assert_eq!(
        (refused.status, refused.slug().as_str()),
        (406, "not-acceptable")
    );
}

#[tokio::test]
async fn a_compressed_body_is_refused_whatever_is_in_it() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let request = stage
        .request(Method::POST, "/v1/suppressions")
        .bearer_auth(&shop.key);
    let request = request.header("content-encoding", "gzip").json(&json!({}));
    let refused = Answer::of(request).await;
    let seen = (refused.status, refused.slug());
    assert_eq!(seen, (415, "unsupported-content-coding".to_owned()));
    assert_eq!(refused.header("accept-encoding"), "identity");
}

#[tokio::test]
async fn head_and_options_are_answered_and_a_refused_method_is_told_the_others() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let ask = |method: Method, path: &'static str| {
        Answer::of(stage.request(method, path).bearer_auth(&shop.key))
    };
    let get = ask(Method::GET, "/v1/me").await;
    let head = ask(Method::HEAD, "/v1/me").await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    for name in ["etag", "content-type", "content-length", "cache-control"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    let asked = ask(Method::OPTIONS, "/v1/retry/policies/active").await;
    assert_eq!(
        (asked.status, asked.header("allow")),
        (204, "GET, HEAD, OPTIONS")
    );
    let refused = ask(Method::PATCH, "/v1/suppressions").await;
    assert_eq!(
        (refused.status, refused.header("allow")),
        (405, "GET, POST, HEAD, OPTIONS")
    );
    assert_eq!(ask(Method::HEAD, "/v1/stream").await.status, 405);
}

#[tokio::test]
async fn a_head_that_goes_on_for_ever_is_not_waited_for() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let stage = Stage::new().await;
    let address = stage.base.strip_prefix("http://").unwrap();
    let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let read = slow.read_to_end(&mut answer);
    let read = tokio::time::timeout(std::time::Duration::from_secs(30), read).await;
    read.expect("the connection ends").unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let mut huge = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Huge: {}\r\n\r\n",
        "x".repeat(200_000)
    );
    // It may be cut off before all is written.
    let _cut = huge.write_all(head.as_bytes()).await;
    let mut answer = Vec::new();
    let _cut = huge.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
        "{answer}"
    );
    assert_eq!(stage.browse("/healthz").await.status, 200);
}
