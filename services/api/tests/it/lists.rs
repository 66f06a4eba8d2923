//! Lists of recoveries: filters, search, sorts, cursors.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::stage::{Shop, Stage};

/// Reports a failure of so much, and answers the id of its recovery.
async fn failed(
    stage: &Stage,
    shop: &Shop,
    reference: &str,
    amount: i64,
    currency: &str,
) -> String {
    let body = json!({
        "transaction_ref": reference,
        "amount": amount,
        "currency": currency,
        "failure_reason": "insufficient_funds",
        "customer": { "email": format!("{}@Example.com", reference.replace('%', "")) },
    });
    let answer = stage.post(shop, "/v1/events/payment_failed", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    stage.later(TimeDelta::milliseconds(5));
    answer.json()["recovery_id"].as_str().unwrap().to_owned()
}

fn refs(page: &Value) -> Vec<String> {
    let rows = page["data"].as_array().unwrap().iter();
    rows.map(|row| row["transaction_ref"].as_str().unwrap().to_owned())
        .collect()
}

async fn found(stage: &Stage, shop: &Shop, query: &str) -> Vec<String> {
    let answer = stage.get(shop, &format!("/v1/recoveries?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    refs(&answer.json())
}

/// The whole list, read in pages of two by its links; `between` runs after each.
async fn walk(
    stage: &Stage,
    shop: &Shop,
    query: &str,
    between: impl AsyncFn(usize),
) -> Vec<String> {
    let mut path = format!("/v1/recoveries?{query}&limit=2");
    let mut seen = Vec::new();
    for page in 0.. {
        let answer = stage.get(shop, &path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        seen.extend(refs(&answer.json()));
        let link = answer.header("link").to_owned();
        assert_eq!(link.is_empty(), answer.json()["next_cursor"].is_null());
        if link.is_empty() {
            break;
        }
        let url = link.split(['<', '>']).nth(1).unwrap();
        path = url
            .strip_prefix("https://pay.example.com")
            .unwrap()
            .to_owned();
        between(page).await;
    }
    seen
}

/// Plans a step of a recovery, as the worker does.
async fn planned(stage: &Stage, recovery: &str, minutes: i32) {
    let id: uuid::Uuid = recovery.split_once('_').unwrap().1.parse().unwrap();
    let text = "INSERT INTO attempts (id, organization_id, recovery_id, number, kind, state, why,
                                      due_at, created_at, updated_at)
         SELECT gen_random_uuid(), organization_id, id, 1, 'charge', 'scheduled', 'why',
                now() + make_interval(mins => $2), now(), now()
         FROM recoveries WHERE id::text = $1";
    let made = stage
        .database
        .execute(text, &[&id.to_string(), &minutes])
        .await;
    assert_eq!(made.unwrap(), 1);
}

#[tokio::test]
async fn every_sort_is_read_to_its_end_in_pages_and_holds_while_recoveries_come_in() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    for (number, amount) in [300, 100, 300, 200, 400].into_iter().enumerate() {
        let reference = format!("A-{number}");
        let id = failed(&stage, &shop, &reference, amount, "INR").await;
        // The first is due last; of two that are due at once the older comes first.
        planned(&stage, &id, 60 - 10 * i32::try_from(number).unwrap().min(3)).await;
    }
    failed(&stage, &shop, "E-0", 5_000, "EUR").await;
    let came = std::sync::atomic::AtomicU32::new(0);
    let newcomer = async |_| {
        let number = came.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        failed(&stage, &shop, &format!("new-{number}"), 1_000_000, "INR").await;
    };
    let newest = walk(&stage, &shop, "sort=newest", newcomer).await;
    assert_eq!(newest, ["E-0", "A-4", "A-3", "A-2", "A-1", "A-0"]);
    let named = walk(&stage, &shop, "q=A-", newcomer).await;
    assert_eq!(named, ["A-0", "A-1", "A-2", "A-3", "A-4"]);
    let by_name = walk(&stage, &shop, "sort=reference&currency=EUR", async |_| ()).await;
    assert_eq!(by_name, ["E-0"]);
    let newest = walk(&stage, &shop, "q=A-&sort=newest", async |_| ()).await;
    assert_eq!(newest, ["A-4", "A-3", "A-2", "A-1", "A-0"]);
    let newcomer = async |_| {
        let number = came.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        failed(&stage, &shop, &format!("later-{number}"), 1, "USD").await;
    };
    let oldest = walk(&stage, &shop, "sort=oldest&currency=INR&q=A-", newcomer).await;
    assert_eq!(oldest, ["A-0", "A-1", "A-2", "A-3", "A-4"]);
    let amount = "sort=amount&currency=inr&amount_to=400";
    let amounts = walk(&stage, &shop, amount, newcomer).await;
    assert_eq!(amounts, ["A-4", "A-2", "A-0", "A-3", "A-1"]);
    let next = walk(&stage, &shop, "sort=next_action", newcomer).await;
    assert_eq!(next, ["A-3", "A-4", "A-2", "A-1", "A-0"]);
}

#[tokio::test]
async fn recoveries_are_found_by_whatever_is_known_of_them() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let first = failed(&stage, &shop, "A-1", 100, "INR").await;
    failed(&stage, &shop, "A-12", 200, "INR").await;
    let middle = stage.now();
    stage.later(TimeDelta::milliseconds(5));
    let last = failed(&stage, &shop, "A_2%", 300, "EUR").await;
    planned(&stage, &last, 30).await;
    let cancel = format!("/v1/recoveries/{first}/cancel");
    stage.post(&shop, &cancel, &Value::Null).await;
    let transaction = stage.recovery(&shop, &first).await["transaction_id"].clone();
    let transaction = transaction.as_str().unwrap();
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339().replace('+', "%2B");
    let soon = time(stage.now() + TimeDelta::hours(1));
    let middle = time(middle);
    let cases: Vec<(String, &[&str])> = vec![
        ("state=cancelled".into(), &["A-1"]),
        ("state=open&currency=INR".into(), &["A-12"]),
        (
            "category=insufficient_funds&hardness=soft".into(),
            &["A_2%", "A-12", "A-1"],
        ),
        ("hardness=hard".into(), &[]),
        ("currency=INR&amount_from=150".into(), &["A-12"]),
        ("currency=INR&amount_to=150".into(), &["A-1"]),
        ("psp=stripe".into(), &[]),
        ("ref=A-1".into(), &["A-1"]),
        ("customer_email=a-12@EXAMPLE.com".into(), &["A-12"]),
        (format!("from={middle}"), &["A_2%"]),
        (format!("to={middle}"), &["A-12", "A-1"]),
        (
            "from=1960-01-01T00:00:00Z&to=1970-01-01T00:00:00Z".into(),
            &[],
        ),
        (format!("next_action_before={soon}"), &["A_2%"]),
        ("q=A-1".into(), &["A-1", "A-12"]),
        ("q=A-1&sort=newest".into(), &["A-12", "A-1"]),
        ("q=A_".into(), &["A_2%"]),
        ("q=%25".into(), &[]),
        ("q=A-1@example.com".into(), &["A-1"]),
        (format!("q={first}"), &["A-1"]),
        (format!("q={transaction}"), &["A-1"]),
    ];
    for (query, wanted) in cases {
        assert_eq!(found(&stage, &shop, &query).await, wanted, "{query}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_sort_or_organization_is_a_fault_of_the_cursor() {
    let stage = Stage::new().await;
    let (shop, other) = (stage.shop("shop").await, stage.shop("other").await);
    for number in 0..2 {
        failed(&stage, &shop, &format!("A-{number}"), 100, "INR").await;
        failed(&stage, &other, &format!("B-{number}"), 100, "INR").await;
    }
    let page = stage.get(&shop, "/v1/recoveries?limit=1").await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let oldest = format!("/v1/recoveries?sort=oldest&cursor={cursor}");
    let faults = stage.get(&shop, &oldest).await.faults();
    assert_eq!(faults, ["cursor: is of a list that is sorted otherwise"]);
    let theirs = format!("/v1/recoveries?cursor={cursor}");
    let faults = stage.get(&other, &theirs).await.faults();
    assert_eq!(faults, ["cursor: is not one that was answered before"]);
    let own = stage.get(&shop, &theirs).await.json();
    assert_eq!(refs(&own), ["A-0"]);
}

#[tokio::test]
async fn every_fault_of_a_question_is_told_at_once() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let asked = "/v1/recoveries?state=lost&category=sad&hardness=firm&currency=XXY&amount_from=0\
                 &amount_to=x&psp=paypal&ref=&customer_email=x&from=today&to=2026&q=&sort=best\
                 &next_action_before=soon&limit=201";
    let answer = stage.get(&shop, asked).await;
    assert_eq!(answer.status, 422);
    let faults = answer.faults();
    let fields: Vec<_> = faults
        .iter()
        .map(|it| it.split(':').next().unwrap())
        .collect();
    let wanted = [
        "state",
        "category",
        "hardness",
        "psp",
        "currency",
        "amount_from",
        "amount_to",
        "ref",
        "customer_email",
        "from",
        "to",
        "next_action_before",
        "q",
        "sort",
        "limit",
    ];
    assert_eq!(fields, wanted);
    for asked in ["sort=amount", "amount_from=1"] {
        let answer = stage.get(&shop, &format!("/v1/recoveries?{asked}")).await;
        assert!(
            answer.faults()[0].starts_with("currency: is needed"),
            "{}",
            answer.text
        );
    }
}
