//! Codes that no table knows are noted apart, and grouped when somebody asks.

use chrono::TimeDelta;
use db::Tenant;
use db::unknown_codes::{met, note};
use domain::classification::{FailureSource, Signal, Signals, classify};

use crate::stage::{Stage, now};

async fn heard(stage: &Stage, tenant: Tenant, said: &Signals<'_>) {
    let mut tx = stage.tx().await;
    note(&mut tx, tenant, said, &classify(said).heard)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

fn stripe<'a>(code: &'a str, message: Option<&'a str>) -> Signals<'a> {
    Signals {
        code: Some(code),
        message,
        ..Signals::new(FailureSource::Stripe)
    }
}

#[tokio::test]
async fn a_code_is_counted_in_either_case_with_its_newest_message() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    heard(&stage, tenant, &stripe("brand_new", Some("first"))).await;
    heard(
        &stage,
        tenant,
        &stripe("Brand_New", Some("of jane@example.com")),
    )
    .await;
    heard(&stage, tenant, &stripe("brand_new", None)).await;
    heard(&stage, tenant, &stripe("insufficient_funds", None)).await;
    let two = Signals {
        network_decline_code: Some("ZZ"),
        ..stripe("another", None)
    };
    heard(&stage, tenant, &two).await;

    let mut conn = stage.db.read().await.unwrap();
    let found = met(&mut conn, tenant, 30, now()).await.unwrap();
    let told: Vec<_> = found
        .iter()
        .map(|it| (it.signal, it.code.as_str(), it.count, it.message.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (Signal::Code, "brand_new", 3, Some("of ***")),
            (Signal::Code, "another", 1, None),
            (Signal::NetworkDeclineCode, "zz", 1, None),
        ]
    );
    assert!(found.iter().all(|it| it.source == FailureSource::Stripe));
    assert!(found[0].first_seen <= found[0].last_seen);
}

#[tokio::test]
async fn what_a_code_says_of_a_payer_is_not_kept_and_digits_of_a_code_are() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    for code in ["009101", "rahul@okaxis", "call 98765 43210"] {
        heard(&stage, tenant, &stripe(code, None)).await;
    }
    let long = "x".repeat(200);
    heard(&stage, tenant, &stripe(&long, Some(&long.repeat(3)))).await;
    let mut conn = stage.db.read().await.unwrap();
    let found = met(&mut conn, tenant, 1, now()).await.unwrap();
    let mut codes: Vec<_> = found.iter().map(|it| it.code.as_str()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["***", "009101", "call ***", &long[..64]]);
    let longest = found.iter().filter_map(|it| it.message.as_deref()).max();
    assert_eq!(longest.map(str::len), Some(200));
}

#[tokio::test]
async fn an_organization_sees_its_own_codes_of_the_days_it_asks_for() {
    let stage = Stage::new().await;
    let (shop, other) = (stage.tenant("shop").await, stage.tenant("other").await);
    heard(&stage, shop, &stripe("brand_new", None)).await;
    let mut conn = stage.db.read().await.unwrap();
    let none = met(&mut conn, other, 30, now()).await.unwrap();
    assert!(none.is_empty());
    let within = now() + TimeDelta::hours(47);
    assert_eq!(met(&mut conn, shop, 2, within).await.unwrap().len(), 1);
    let past = now() + TimeDelta::hours(49);
    assert!(met(&mut conn, shop, 2, past).await.unwrap().is_empty());
}
