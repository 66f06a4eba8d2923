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
    let waiting = "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    testkit::eventually(std::time::Duration::from_secs(10), async || {
        let row = stage.database.query_one(waiting, &[]).await.unwrap();
        row.get::<_, i64>(0) == 1
    })
    .await;
    let another = stage.another().await;
    let database = std::mem::replace(&mut stage.database, another);
    let release = async move { database.batch_execute("ROLLBACK").await.unwrap() };
    tokio::join!(stage.finish(), release);
    assert_eq!(answer.await.unwrap().status, 201);
}
