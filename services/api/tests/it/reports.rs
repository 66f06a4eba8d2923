//! Reports over REST, and what is read of them.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Answer, Shop, Stage, steady};

const PATH: &str = "/v1/events/payment_failed";

fn report(reference: &str) -> Value {
    json!({
        "transaction_ref": reference,
        "amount": 129_950,
        "currency": "inr",
        "gateway": "payu",
        "failure_reason": "The bank says: insufficient balance",
        "occurred_at": "2026-11-25T10:00:00+05:30",
        "metadata": { "cart": 7 },
        "customer": { "email": "asha@example.com" },
    })
}

async fn keyed(stage: &Stage, shop: &Shop, key: &str, body: &Value) -> Answer {
    let request = stage.request(Method::POST, PATH).bearer_auth(&shop.key);
    Answer::of(request.header("Idempotency-Key", key).json(body)).await
}

#[tokio::test]
async fn a_report_opens_a_recovery() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let answer = stage.post(&shop, PATH, &report("A-1")).await;
    assert_eq!(answer.status, 201);
    insta::assert_json_snapshot!("answer_to_a_report", steady(&answer.json()));
    let events = stage.get(&shop, "/v1/events/by_ref/A-1").await;
    insta::assert_json_snapshot!("events_of_a_report", steady(&events.json()));
    let recovery = answer.json()["recovery_id"].as_str().unwrap().to_owned();
    insta::assert_json_snapshot!(
        "recovery_of_a_report",
        steady(&stage.recovery(&shop, &recovery).await)
    );
    assert_eq!(
        stage.get(&shop, "/v1/events/by_ref/unknown").await.json(),
        json!([])
    );
}

#[tokio::test]
async fn reports_of_one_reference_that_come_at_once_open_one_recovery() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let body = report("A-1");
    let posts = (0..8).map(|_| stage.post(&shop, PATH, &body));
    let answers = join_all(posts).await;
    assert!(answers.iter().all(|answer| answer.status == 201));
    let first = &answers[0].json()["recovery_id"];
    assert!(
        answers
            .iter()
            .all(|answer| answer.json()["recovery_id"] == *first)
    );
    let counts = stage.counts().await;
    assert_eq!((counts["recoveries"], counts["failure_events"]), (1, 8));
}

#[tokio::test]
async fn an_idempotency_key_gives_the_first_answer_again() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let first = keyed(&stage, &shop, "order-1", &report("A-1")).await;
    let counts = stage.counts().await;
    let again = keyed(&stage, &shop, "order-1", &report("A-1")).await;
    assert_eq!((again.status, again.json()), (201, first.json()));
    assert_eq!(first.header("idempotency-replayed"), "");
    assert_eq!(again.header("idempotency-replayed"), "true");

    let other = keyed(&stage, &shop, "order-1", &report("A-2")).await;
    assert_eq!(
        (other.status, other.slug().as_str()),
        (422, "idempotency-key-reused")
    );
    assert_eq!(stage.counts().await, counts);

    // Keys are each organization's own.
    let neighbour = stage.shop("neighbour").await;
    let theirs = keyed(&stage, &neighbour, "order-1", &report("A-2")).await;
    assert_eq!(
        (theirs.status, theirs.header("idempotency-replayed")),
        (201, "")
    );
}

#[tokio::test]
async fn requests_with_one_key_that_come_at_once_have_one_effect() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let body = report("A-1");
    let posts = (0..8).map(|_| keyed(&stage, &shop, "order-1", &body));
    for answer in join_all(posts).await {
        assert!(matches!(answer.status, 201 | 409), "{}", answer.text);
        if answer.status == 409 {
            assert_eq!(answer.slug(), "idempotency-key-in-flight");
            assert_eq!(answer.header("retry-after"), "1");
        }
    }
    assert_eq!(stage.counts().await["failure_events"], 1);
}

#[tokio::test]
async fn a_refused_request_does_not_use_its_key_up() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    stage.post(&shop, PATH, &report("A-1")).await;
    let mut body = report("A-1");
    body["amount"] = json!(1);
    let refused = keyed(&stage, &shop, "order-1", &body).await;
    assert_eq!(refused.status, 409);
    assert_eq!(
        refused.faults(),
        ["amount: differs: this transaction_ref owes 1299.50 INR"]
    );
    let mended = keyed(&stage, &shop, "order-1", &report("A-1")).await;
    assert_eq!(mended.status, 201);
    let endless = "k".repeat(256);
    let endless = keyed(&stage, &shop, &endless, &report("A-1")).await;
    assert_eq!(endless.status, 422);
}

#[tokio::test]
async fn an_amount_may_be_left_out_of_a_reference_that_is_known() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let short = json!({ "transaction_ref": "A-1", "failure_reason": "do_not_honor" });
    let unknown = stage.post(&shop, PATH, &short).await;
    assert_eq!(unknown.status, 422);
    assert!(
        unknown.faults()[0].starts_with("amount: is needed"),
        "{}",
        unknown.text
    );
    stage.post(&shop, PATH, &report("A-1")).await;
    assert_eq!(stage.post(&shop, PATH, &short).await.status, 201);
}

#[tokio::test]
async fn recoveries_are_listed_page_by_page_and_by_state() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    for number in 0..5 {
        stage.failed(&shop, &format!("A-{number}")).await;
        stage.later(chrono::TimeDelta::milliseconds(5));
    }
    let mut path = "/v1/recoveries?limit=2&state=open".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = stage.get(&shop, &path).await;
        let body = page.json();
        let refs = body["data"].as_array().unwrap().iter();
        seen.extend(refs.map(|it| it["transaction_ref"].as_str().unwrap().to_owned()));
        let Some(cursor) = body["next_cursor"].as_str() else {
            assert_eq!(page.header("link"), "");
            break;
        };
        path = format!("/v1/recoveries?state=open&cursor={cursor}&limit=2");
        let link = format!("<https://pay.example.com{path}>; rel=\"next\"");
        assert_eq!(page.header("link"), link);
    }
    assert_eq!(seen, ["A-4", "A-3", "A-2", "A-1", "A-0"]);
    let none = stage.get(&shop, "/v1/recoveries?state=recovered").await;
    assert_eq!(none.json()["data"], json!([]));
    let bad = stage
        .get(&shop, "/v1/recoveries?state=lost&limit=0&cursor=x")
        .await;
    assert_eq!(bad.status, 422);
    let fields: Vec<_> = bad
        .faults()
        .iter()
        .map(|it| it.split(':').next().unwrap().to_owned())
        .collect();
    assert_eq!(fields, ["state", "cursor", "limit"]);
}

#[tokio::test]
async fn a_link_is_shown_to_those_who_may_make_one() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    stage.failed(&shop, "A-1").await;
    let made = stage
        .post(&shop, "/v1/recoveries/by_ref/A-1/link", &json!({}))
        .await;
    assert_eq!(made.status, 201);
    let token = made.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(
        made.json()["url"],
        format!("https://pay.example.com/pay/{token}")
    );
    let links = stage.get(&shop, "/v1/recoveries/by_ref/A-1").await.json();
    assert_eq!(links[0]["token"], json!(token));
    assert_eq!(links[0]["attempt_id"], made.json()["attempt_id"]);

    let wanted = json!({ "name": "reader", "scopes": ["read"] });
    let reader = stage.post(&shop, "/v1/auth/api-keys", &wanted).await.json();
    let request = stage.request(Method::GET, "/v1/recoveries/by_ref/A-1");
    let seen = Answer::of(request.header("x-api-key", reader["key"].as_str().unwrap())).await;
    assert_eq!(seen.json()[0]["token"], Value::Null);
    assert_eq!(seen.json()[0]["status"], "created");
}

#[tokio::test]
async fn a_payers_frontend_reads_and_opens_a_link_by_its_token() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let id = stage.failed(&shop, "A-1").await;
    let token = stage.link(&shop, "A-1").await;
    let path = format!("/v1/recoveries/by_token/{token}");
    let read = || async { stage.browse(&path).await.json() };
    insta::assert_json_snapshot!("a_link_by_its_token", steady(&read().await));
    let open = Answer::of(stage.request(Method::POST, &format!("{path}/open"))).await;
    insta::assert_json_snapshot!("a_link_opened_by_its_token", steady(&open.json()));
    assert_eq!(read().await["data"]["status"], "opened");
    assert_eq!(
        stage.timeline(&shop, &id).await.last().unwrap(),
        "link.opened"
    );

    let unknown = stage.browse("/v1/recoveries/by_token/unknown").await;
    assert_eq!(
        (unknown.status, &unknown.json()["error"]["code"]),
        (200, &json!("NOT_FOUND"))
    );
    stage
        .post(&shop, &format!("/v1/recoveries/{id}/cancel"), &Value::Null)
        .await;
    assert_eq!(read().await["error"]["code"], "USED");
    stage.later(chrono::TimeDelta::hours(25));
    assert_eq!(read().await["error"]["code"], "EXPIRED");
}
