//! Transactions: made to be watched, listed, read with what happened to them.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Answer, Shop, Stage, steady};

const PATH: &str = "/v1/transactions";

fn new(reference: &str) -> Value {
    json!({
        "transaction_ref": reference,
        "amount": 129_950,
        "currency": "inr",
        "customer": {
            "email": "asha@example.com", "phone": "+919812341234", "name": "Asha",
            "consent": ["email"],
        },
        "payment": { "rail": "card", "card_country": "IN" },
        "metadata": { "cart": 7 },
    })
}

async fn refs(stage: &Stage, shop: &Shop, query: &str) -> Vec<String> {
    let answer = stage.get(shop, &format!("{PATH}?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    let data = answer.json()["data"].as_array().unwrap().clone();
    let name = |row: &Value| row["transaction_ref"].as_str().unwrap().to_owned();
    data.iter().map(name).collect()
}

#[tokio::test]
async fn a_transaction_is_watched_until_its_failure_is_reported() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let made = stage.post(&shop, PATH, &new("A-1")).await;
    assert_eq!(made.status, 201, "{}", made.text);
    insta::assert_json_snapshot!("a_transaction_that_is_watched", steady(&made.json()));
    let failed = json!({ "transaction_ref": "A-1", "failure_reason": "insufficient_funds" });
    let failed = stage
        .post(&shop, "/v1/events/payment_failed", &failed)
        .await;
    assert_eq!(failed.json()["transaction_id"], made.json()["id"]);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let whole = stage.get(&shop, &format!("{PATH}/{id}")).await;
    insta::assert_json_snapshot!("a_transaction_with_its_failures", steady(&whole.json()));
    let by_ref = stage.get(&shop, &format!("{PATH}/by_ref/A-1")).await;
    assert_eq!(by_ref.json(), whole.json());
    for unknown in ["by_ref/A-2", "txn_01920000000070008000000000000000"] {
        assert_eq!(
            stage.get(&shop, &format!("{PATH}/{unknown}")).await.status,
            404
        );
    }
}

#[tokio::test]
async fn a_reference_is_given_once_and_a_repeated_request_has_one_effect() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let keyed = async || {
        let request = stage.request(Method::POST, PATH).bearer_auth(&shop.key);
        Answer::of(request.header("Idempotency-Key", "k").json(&new("A-1"))).await
    };
    let (first, again) = (keyed().await, keyed().await);
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.text, again.text);
    let taken = stage.post(&shop, PATH, &new("A-1")).await;
    assert_eq!(taken.status, 409);
    assert_eq!(taken.faults(), ["transaction_ref: is taken already"]);
    let neighbour = stage.shop("neighbour").await;
    assert_eq!(stage.post(&neighbour, PATH, &new("A-1")).await.status, 201);
    let bad = json!({
        "transaction_ref": "", "amount": 0, "currency": "XXY",
        "customer": { "email": "x", "consent": ["pigeon"] },
    });
    let bad = stage.post(&shop, PATH, &bad).await;
    let fields: Vec<_> = bad.faults();
    let fields: Vec<_> = fields
        .iter()
        .map(|it| it.split(':').next().unwrap())
        .collect();
    let wanted = [
        "transaction_ref",
        "currency",
        "amount",
        "customer.email",
        "customer.consent[0]",
    ];
    assert_eq!((bad.status, fields), (422, wanted.to_vec()));
}

#[tokio::test]
async fn transactions_are_found_by_what_is_known_of_them_newest_first() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    stage.post(&shop, PATH, &new("A-1")).await;
    stage.later(TimeDelta::milliseconds(5));
    let middle = stage.now().to_rfc3339().replace('+', "%2B");
    stage.later(TimeDelta::milliseconds(5));
    stage.failed(&shop, "A-2").await;
    stage.later(TimeDelta::milliseconds(5));
    let paid = stage.failed(&shop, "A-3").await;
    let id: uuid::Uuid = paid.split_once('_').unwrap().1.parse().unwrap();
    let text = "UPDATE recoveries SET state = 'recovered', closed_at = now(),
                recovered_minor = 1, recovered_by = 'link' WHERE id::text = $1";
    stage
        .database
        .execute(text, &[&id.to_string()])
        .await
        .unwrap();
    let cases: Vec<(String, &[&str])> = vec![
        (String::new(), &["A-3", "A-2", "A-1"]),
        ("ref=A-2".into(), &["A-2"]),
        ("state=watched".into(), &["A-1"]),
        ("state=open".into(), &["A-2"]),
        ("paid=true".into(), &["A-3"]),
        ("paid=false".into(), &["A-2", "A-1"]),
        ("currency=EUR".into(), &[]),
        (
            "customer_email=ASHA@example.com&state=watched".into(),
            &["A-1"],
        ),
        (
            "customer_phone=%2B919812341234".into(),
            &["A-3", "A-2", "A-1"],
        ),
        ("psp=razorpay".into(), &[]),
        (format!("from={middle}"), &["A-3", "A-2"]),
        (format!("to={middle}"), &["A-1"]),
    ];
    for (query, wanted) in cases {
        assert_eq!(refs(&stage, &shop, &query).await, wanted, "{query}");
    }
    let first = stage
        .get(&shop, &format!("{PATH}?currency=INR&limit=2"))
        .await;
    let cursor = first.json()["next_cursor"].as_str().unwrap().to_owned();
    let next = format!("{PATH}?currency=INR&cursor={cursor}&limit=2");
    let link = format!("<https://pay.example.com{next}>; rel=\"next\"");
    assert_eq!(first.header("link"), link);
    let last = stage.get(&shop, &next).await.json();
    assert_eq!(last["data"][0]["transaction_ref"], "A-1");
    let bad = "state=lost&paid=maybe&currency=1&customer_email=x&customer_phone=1&psp=x&from=x\
               &to=x&ref=&cursor=x&limit=0";
    let bad = stage.get(&shop, &format!("{PATH}?{bad}")).await;
    assert_eq!((bad.status, bad.faults().len()), (422, 11), "{}", bad.text);
}

#[tokio::test]
async fn addresses_are_shown_whole_to_administrators_alone() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    stage.post(&shop, PATH, &new("A-1")).await;
    let wanted = json!({ "name": "reader", "scopes": ["read"] });
    let reader = stage.post(&shop, "/v1/auth/api-keys", &wanted).await.json();
    let request = stage.request(Method::GET, &format!("{PATH}/by_ref/A-1"));
    let seen = Answer::of(request.bearer_auth(reader["key"].as_str().unwrap())).await;
    assert_eq!(seen.json()["customer"]["email"], "a***@example.com");
    assert!(!seen.text.contains("9812341234"), "{}", seen.text);
}
