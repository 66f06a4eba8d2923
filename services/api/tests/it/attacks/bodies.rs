//! Bodies that grow, nest and count without end.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::stage::{Answer, Shop, Stage};

const REPORT: &str = "/v1/events/payment_failed";
/// Of a body of a megabyte on a busy machine; without bounds these would take minutes, or all memory.
const SOON: Duration = Duration::from_secs(20);

/// As an installation is set up, with its own limit of a megabyte.
async fn stage() -> Stage {
    Stage::with(&[("TINKO__BODY_LIMIT_BYTES", "1048576")]).await
}

async fn send(stage: &Stage, shop: &Shop, path: &str, body: String) -> Answer {
    let request = stage.request(Method::POST, path).bearer_auth(&shop.key);
    Answer::of(
        request
            .header("content-type", "application/json")
            .body(body),
    )
    .await
}

fn report_with(field: &str) -> String {
    format!(
        r#"{{"transaction_ref":"A-1","amount":100,"currency":"INR","failure_reason":"x",{field}}}"#
    )
}

fn endless_bodies() -> [(&'static str, String); 10] {
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let keys: Vec<String> = (0..70_000).map(|n| format!("\"k{n}\":1,")).collect();
    let keys = keys.concat();
    [
        ("nested lists", deep("[", "]")),
        (
            "nested objects",
            "{\"a\":".repeat(100_000) + "1" + &"}".repeat(100_000),
        ),
        (
            "lists nested in metadata",
            report_with(&format!("\"metadata\":{{\"a\":{}}}", deep("[", "]"))),
        ),
        (
            "an amount beyond every number",
            report_with("\"customer\":{\"email\":1e999999}"),
        ),
        (
            "seventy thousand keys",
            report_with(&format!("\"metadata\":{{{keys}\"end\":1}}")),
        ),
        ("the same field twice", report_with("\"amount\":1")),
        (
            "a text of a megabyte",
            report_with(&format!("\"code\":\"{}\"", "x".repeat(1_000_000))),
        ),
        (
            "an unfinished text",
            format!("{{\"transaction_ref\":\"{}", "x".repeat(1_000_000)),
        ),
        ("half a surrogate", report_with("\"code\":\"\\ud800\"")),
        ("bytes that are no UTF-8", "\u{feff}{}".to_owned()),
    ]
}

#[tokio::test]
async fn json_that_nests_counts_or_grows_without_end_is_refused_and_costs_little() {
    let stage = stage().await;
    let shop = stage.shop("shop").await;
    let before = stage.counts().await;
    let begun = Instant::now();
    for (what, body) in endless_bodies() {
        let answer = send(&stage, &shop, REPORT, body).await;
        assert!(
            [400, 413, 422].contains(&answer.status),
            "{what}: {} {}",
            answer.status,
            answer.text
        );
        assert!(
            answer.text.len() < 4_096,
            "{what}: the answer is {} bytes",
            answer.text.len()
        );
    }
    for number in [
        "1e999999",
        "-1e999999",
        "1e18",
        "9223372036854775808",
        "0.1e1",
        "1E400",
    ] {
        let body = report_with("\"gateway\":\"x\"").replace("100", number);
        let answer = send(&stage, &shop, REPORT, body).await;
        assert!(
            [400, 422].contains(&answer.status),
            "{number}: {} {}",
            answer.status,
            answer.text
        );
    }
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert_eq!(stage.counts().await, before);
}

#[tokio::test]
async fn json_of_a_genuine_webhook_is_bounded_as_any_other() {
    let stage = stage().await;
    let shop = stage.shop("shop").await;
    let before = stage.counts().await;
    for body in [
        "[".repeat(100_000),
        format!(
            "{{\"id\":\"evt\",\"type\":\"x\",\"data\":{}1{}}}",
            "{\"a\":".repeat(100_000),
            "}".repeat(100_000)
        ),
        "{\"id\":1e999999}".to_owned(),
    ] {
        let body = body.into_bytes();
        let signed = crate::psps::stripe_signature("whsec_shop", &body, stage.now());
        let path = format!("/v1/webhooks/stripe/{}", shop.stripe);
        let answer = stage
            .deliver(&path, &[("stripe-signature", &signed)], body)
            .await;
        assert_eq!(answer.status, 422, "{}", answer.text);
    }
    assert_eq!(stage.counts().await, before);
}

#[tokio::test]
async fn limits_offsets_and_amounts_at_the_ends_of_numbers_are_faults_and_never_ours() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    for number in [
        "-1",
        "0",
        "2147483648",
        "9223372036854775807",
        "9223372036854775808",
        "1e3",
        "0x10",
        "",
        " 5",
        "٣",
    ] {
        for path in [
            "/v1/recoveries?limit=",
            "/v1/customer/transactions?offset=",
            "/v1/transactions?limit=",
            "/v1/audit?limit=",
        ] {
            let answer = stage.get(&shop, &format!("{path}{number}")).await;
            assert!(answer.status < 500, "{path}{number}: {}", answer.text);
        }
    }
    let link = |hours: Value| json!({ "ttl_hours": hours });
    stage.failed(&shop, "A-1").await;
    for hours in [
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e300),
    ] {
        let answer = stage
            .post(
                &shop,
                "/v1/recoveries/by_ref/A-1/link",
                &link(hours.clone()),
            )
            .await;
        assert_eq!(answer.status, 422, "{hours}: {}", answer.text);
    }
}

#[tokio::test]
async fn what_is_sent_where_it_does_not_belong_is_not_said_again() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    for body in [
        json!("whsec_misplaced"),
        json!({ "email": ["a@b.example"], "password": "whsec_misplaced", "amount": "whsec_misplaced" }),
        json!({ "email": "whsec_misplaced", "password": "whsec_misplaced" }),
        json!({ "amount": "whsec_misplaced\", expected ", "metadata": "whsec_misplaced" }),
        json!({ "provider": "stripe", "account_id": "x", "credentials": "whsec_misplaced" }),
        json!({ "months": "whsec_misplaced", "scopes": "whsec_misplaced", "name": "x" }),
    ] {
        for path in [
            "/v1/auth/login",
            REPORT,
            "/v1/psp-connections",
            "/v1/auth/api-keys",
            "/v1/auth/refresh",
        ] {
            let answer = stage.post(&shop, path, &body).await;
            assert!(
                (400..500).contains(&answer.status),
                "{path} {body}: {}",
                answer.status
            );
            assert!(
                !answer.text.contains("whsec_misplaced"),
                "{path} {body}: {}",
                answer.text
            );
        }
    }
}
