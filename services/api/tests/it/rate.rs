//! How much a caller may do.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::psps::stripe_event;
use crate::stage::{Answer, Shop, Stage};

/// So slow that nothing comes back while a test runs.
const NARROW: &[(&str, &str)] = &[
    ("TINKO__RATE_READ", "1/min burst 4"),
    ("TINKO__RATE_WRITE", "1/min burst 2"),
    ("TINKO__RATE_CALLER_PERCENT", "100"),
    ("TINKO__RATE_PAYER", "1/min burst 1000"),
];

/// Waits until an api counts in Redis, which it begins to right after its start: what was counted
/// before is in its own memory, and is not counted there again. Asks what the test does not narrow.
async fn counts_in_redis(stage: &Stage, ask: impl AsyncFn() -> Answer) {
    let mut redis = stage.redis.connect().await;
    testkit::eventually(Duration::from_secs(30), async || {
        assert_eq!(ask().await.status, 200);
        let mut all = redis::cmd("KEYS");
        let buckets = all.arg("tinko:rate:*").query_async(&mut redis).await;
        let buckets: Vec<String> = buckets.unwrap();
        for bucket in &buckets {
            let deleted = redis::cmd("DEL").arg(bucket).query_async(&mut redis).await;
            let () = deleted.unwrap();
        }
        !buckets.is_empty()
    })
    .await;
}

/// As a payer's page does.
async fn look_up(stage: &Stage, base: &str) -> Answer {
    let url = format!("{base}/v1/recoveries/by_token/unknown");
    Answer::of(stage.client.get(url)).await
}

async fn reads(stage: &Stage, shop: &Shop, count: usize) -> Vec<u16> {
    let mut seen = Vec::new();
    for _ in 0..count {
        seen.push(stage.get(shop, "/v1/me").await.status);
    }
    seen
}

#[tokio::test]
async fn what_is_too_much_is_refused_with_the_time_to_wait_and_nothing_is_done() {
    let stage = Stage::with(NARROW).await;
    let shop = stage.shop("shop").await;
    counts_in_redis(&stage, async || look_up(&stage, &stage.base).await).await;
    let policy = json!({ "name": "a" });
    let make = || stage.post(&shop, "/v1/retry/policies", &policy);
    let first = make().await;
    assert_eq!(
        first.header("ratelimit-policy"),
        r#""write-caller";q=2;w=120, "write-organization";q=2;w=120"#
    );
    assert_eq!(
        first.header("ratelimit"),
        r#""write-caller";r=1;t=60, "write-organization";r=1;t=60"#
    );
    assert_eq!(make().await.status, 200);
    let counts = stage.counts().await;
    let refused = make().await;
    let seen = (refused.status, refused.slug());
    assert_eq!(seen, (429, "rate-limited".to_owned()));
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert!(refused.header("ratelimit").contains("r=0"));
    assert_eq!(stage.counts().await, counts);
    insta::assert_json_snapshot!("a_request_too_many", {
        ".instance" => "[request]",
    }, refused.json());
    // Reading is counted apart.
    assert_eq!(reads(&stage, &shop, 5).await, [200, 200, 200, 200, 429]);
}

#[tokio::test]
async fn one_merchant_does_not_use_up_anothers_nor_one_key_all_of_its_merchants() {
    let more = [
        ("TINKO__RATE_READ", "1/min burst 4"),
        ("TINKO__RATE_CALLER_PERCENT", "50"),
    ];
    let stage = Stage::with(&more).await;
    let shop = stage.shop("shop").await;
    let neighbour = stage.shop("neighbour").await;
    counts_in_redis(&stage, async || look_up(&stage, &stage.base).await).await;
    let body = json!({ "name": "second", "scopes": ["read"] });
    let made = stage.post(&shop, "/v1/auth/api-keys", &body).await.json();
    let second = Shop {
        key: made["key"].as_str().unwrap().to_owned(),
        stripe: String::new(),
        razorpay: String::new(),
    };
    assert_eq!(reads(&stage, &shop, 3).await, [200, 200, 429]);
    assert_eq!(reads(&stage, &second, 3).await, [200, 200, 429]);
    assert_eq!(reads(&stage, &neighbour, 3).await, [200, 200, 429]);
}

#[tokio::test]
async fn two_replicas_share_a_limit_and_a_flushed_redis_only_fills_it() {
    let stage = Stage::with(NARROW).await;
    let replica = stage.replica().await;
    let shop = stage.shop("shop").await;
    let base = format!("http://{}", replica.address);
    counts_in_redis(&stage, async || look_up(&stage, &stage.base).await).await;
    counts_in_redis(&stage, async || look_up(&stage, &base).await).await;
    let there = async |count: usize| {
        let mut admitted = 0;
        for _ in 0..count {
            let request = stage.client.get(format!("{base}/v1/me"));
            let answer = Answer::of(request.bearer_auth(&shop.key)).await;
            admitted += usize::from(answer.status == 200);
        }
        admitted
    };
    let here = async |count: usize| {
        let seen = reads(&stage, &shop, count).await;
        seen.iter().filter(|status| **status == 200).count()
    };
    let (one, two) = tokio::join!(here(4), there(4));
    assert_eq!(one + two, 4);
    stage.redis.flush().await;
    assert_eq!(here(2).await + there(4).await, 4);
    replica.finish().await;
}

#[tokio::test]
async fn without_redis_each_process_counts_for_itself_at_once() {
    let mut more = NARROW.to_vec();
    more.push(("REDIS_URL", "redis://127.0.0.1:9"));
    let stage = Stage::with(&more).await;
    let shop = stage.shop("shop").await;
    let begun = std::time::Instant::now();
    assert_eq!(reads(&stage, &shop, 5).await, [200, 200, 200, 200, 429]);
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn who_shows_nothing_is_counted_by_address_and_probes_are_not() {
    let more = [
        ("TINKO__RATE_AUTH", "1/min burst 2"),
        ("TINKO__RATE_PAYER", "1/min burst 2"),
    ];
    let stage = Stage::with(&more).await;
    let shop = stage.shop("shop").await;
    counts_in_redis(&stage, async || stage.get(&shop, "/v1/me").await).await;
    for expected in [401, 401, 429] {
        let answer = stage
            .log_in("nobody@example.com", "wrong wrong wrong")
            .await;
        assert_eq!(answer.status, expected, "{}", answer.text);
    }
    for expected in [404, 404, 429] {
        let page = stage.browse("/pay/zZ9rxknmw7uyb0LTsydcTWLArNpW-4UE").await;
        assert_eq!(page.status, expected, "{}", page.text);
        assert!(page.header("content-type").starts_with("text/html"));
    }
    let page = stage.browse("/pay/zZ9rxknmw7uyb0LTsydcTWLArNpW-4UE").await;
    assert!(page.text.contains("Please wait a moment"), "{}", page.text);
    assert_eq!(page.header("retry-after"), "60");
    let token = stage.browse("/v1/recoveries/by_token/abc").await;
    assert_eq!(
        (token.status, token.slug()),
        (429, "rate-limited".to_owned())
    );
    for _ in 0..5 {
        assert_eq!(stage.browse("/healthz").await.status, 200);
    }
}

#[tokio::test]
async fn a_connections_webhooks_are_counted_once_they_are_genuine() {
    let stage = Stage::with(&[("TINKO__RATE_WEBHOOK", "1/min burst 1")]).await;
    let shop = stage.shop("shop").await;
    counts_in_redis(&stage, async || stage.get(&shop, "/v1/me").await).await;
    let path = format!("/v1/webhooks/stripe/{}", shop.stripe);
    let forged = || {
        let request = stage.request(Method::POST, &path);
        Answer::of(request.header("stripe-signature", "t=1,v1=00").body("{}"))
    };
    for _ in 0..3 {
        assert_eq!(forged().await.status, 400, "nobody uses up a merchant's");
    }
    let genuine = async |id: &str| {
        let event = stripe_event(id, "customer.created", &json!({}));
        stage.stripe("shop", &shop, &event).await.status
    };
    assert_eq!(genuine("evt_1").await, 200);
    assert_eq!(genuine("evt_2").await, 429);
}
