//! What partners of the older system call, under its names.

use serde_json::{Value, json};

use crate::stage::{Answer, Stage, steady};

const PATH: &str = "/v1/customer/transactions";

fn refs(answer: &Answer) -> Vec<String> {
    let rows = answer.json().as_array().unwrap().clone();
    rows.iter()
        .map(|row| row["transaction_ref"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_transaction_is_made_once_and_found_by_its_reference_and_by_offset() {
    let stage = Stage::new().await;
    let (anna, bert) = (stage.shop("anna").await, stage.shop("bert").await);
    let new = |reference: &str| {
        json!({
            "transaction_ref": reference, "amount": 129_950, "currency": "inr",
            "customer_email": "asha@example.com", "customer_phone": "+919812341234",
        })
    };
    let made = stage.post(&anna, PATH, &new("order-1")).await;
    assert_eq!(made.status, 200, "{}", made.text);
    insta::assert_json_snapshot!("a_transaction_in_the_older_words", steady(&made.json()));
    let twice = stage.post(&anna, PATH, &new("order-1")).await;
    assert_eq!(
        (twice.status, twice.slug()),
        (400, "already-exists".to_owned())
    );
    assert_eq!(twice.faults(), ["transaction_ref: is taken already"]);
    stage.post(&anna, PATH, &new("order-2")).await;
    stage.failed(&anna, "order-3").await;
    let list = stage.get(&anna, PATH).await;
    assert_eq!(refs(&list), ["order-3", "order-2", "order-1"]);
    assert_eq!(list.json()[0]["status"], "open");
    let page = stage.get(&anna, &format!("{PATH}?limit=1&offset=1")).await;
    assert_eq!(refs(&page), ["order-2"]);
    let one = stage.get(&anna, &format!("{PATH}/order-1")).await;
    assert_eq!(one.json(), made.json());
    assert_eq!(
        stage.get(&bert, &format!("{PATH}/order-1")).await.status,
        404
    );
    assert_eq!(stage.get(&bert, PATH).await.json(), json!([]));
    let wrong = stage
        .get(&anna, &format!("{PATH}?limit=0&offset=10001"))
        .await;
    assert_eq!(
        (wrong.status, wrong.faults().len()),
        (422, 2),
        "{}",
        wrong.text
    );
    let wrong = json!({
        "transaction_ref": "", "amount": 0, "currency": "INR",
        "customer_email": "x", "customer_phone": "x",
    });
    let wrong = stage.post(&anna, PATH, &wrong).await;
    assert_eq!(
        (wrong.status, wrong.faults().len()),
        (422, 4),
        "{}",
        wrong.text
    );
    let no_currency = json!({ "transaction_ref": "order-4", "amount": 100 });
    let no_currency = stage.post(&anna, PATH, &no_currency).await;
    assert_eq!(no_currency.faults(), ["currency: is missing"]);
}

#[tokio::test]
async fn a_key_reads_whose_it_is_how_it_was_used_and_what_came_of_the_year() {
    let stage = Stage::new().await;
    let anna = stage.shop("anna").await;
    for (path, name) in [
        ("profile", "a_profile"),
        ("api-key/usage", "usage_of_a_key"),
        ("organization/stats", "an_organizations_counts"),
    ] {
        let answer = stage.get(&anna, &format!("/v1/customer/{path}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let mut shown = steady(&answer.json());
        if let Some(prefix) = shown.get_mut("prefix") {
            *prefix = json!("[prefix]");
        }
        if let Some(used) = shown.get_mut("last_used_at") {
            assert!(used.is_string() || *used == Value::Null);
        }
        insta::assert_json_snapshot!(name, shown);
    }
    let asha = stage.register("asha@example.com", "Chai").await;
    let person = stage.get_as(&asha, "/v1/customer/profile").await.json();
    assert_eq!(person["api_key_name"], Value::Null);
    let usage = stage.get_as(&asha, "/v1/customer/api-key/usage").await;
    assert_eq!(usage.status, 404, "{}", usage.text);
}
