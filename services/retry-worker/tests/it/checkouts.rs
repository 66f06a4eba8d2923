//! A payer's open checkout and a charge never meet.

use chrono::TimeDelta;
use db::links;
use domain::id::{CheckoutId, RecoveryId, RecoveryLink, RecoveryLinkId};
use domain::{CheckoutState, LinkState, Provider, RecoveryState};
use serde_json::Value;
use uuid::Uuid;

use crate::failed_payment::{Shop, charges};
use crate::stage::{KEY, PATIENCE, Stage};

/// A payer who has opened a link and stands at the PSP's page.
pub(crate) struct AtTheCheckout {
    checkout: CheckoutId,
    pub(crate) link: RecoveryLinkId,
    pub(crate) session: String,
}

pub(crate) async fn at_the_checkout(
    stage: &Stage,
    shop: &Shop,
    recovery: RecoveryId,
) -> AtTheCheckout {
    let session = open_session(stage).await;
    let mut tx = stage.tx().await;
    let link = tx.new_id::<RecoveryLink>();
    let expires_at = tx.now() + TimeDelta::hours(1);
    let tenant = shop.tenant;
    let hash = [3u8; 32];
    links::add(
        &mut tx, tenant, link, recovery, None, &hash, "link", expires_at,
    )
    .await
    .unwrap();
    let stripe = Provider::Stripe;
    let connection = shop.connection;
    let begun = db::checkouts::begin(
        &mut tx, tenant, recovery, link, connection, stripe, expires_at,
    )
    .await
    .unwrap();
    let now = tx.now();
    let (id, url) = (&session.0, &session.1);
    let opened =
        db::checkouts::mark_open(tx.conn(), tenant, begun.id, id, url, expires_at, now).await;
    assert!(opened.unwrap());
    tx.commit().await.unwrap();
    AtTheCheckout {
        checkout: begun.id,
        link,
        session: session.0,
    }
}

async fn open_session(stage: &Stage) -> (String, String) {
    let made = stage
        .http
        .post(stage.url("/stripe/v1/checkout/sessions"))
        .basic_auth(KEY, Some(""))
        .form(&[
            ("mode", "payment"),
            ("success_url", "https://shop.example/thanks"),
            ("line_items[0][price_data][currency]", "usd"),
            ("line_items[0][price_data][unit_amount]", "1234"),
            ("line_items[0][price_data][product_data][name]", "An order"),
            ("line_items[0][quantity]", "1"),
        ])
        .send()
        .await
        .unwrap();
    assert!(made.status().is_success(), "{made:?}");
    let session: Value = made.json().await.unwrap();
    let field = |name: &str| session[name].as_str().unwrap().to_owned();
    (field("id"), field("url"))
}

pub(crate) async fn pay(stage: &Stage, session: &str) {
    let paid = stage
        .http
        .post(stage.url(&format!("/stripe/checkout/{session}")))
        .form(&[("card_number", "4242424242424242")])
        .send()
        .await
        .unwrap();
    assert!(paid.status().is_redirection(), "{paid:?}");
}

async fn session_status(stage: &Stage, session: &str) -> String {
    let url = stage.url(&format!("/stripe/v1/checkout/sessions/{session}"));
    let request = stage.http.get(url).basic_auth(KEY, Some(""));
    let session: Value = request.send().await.unwrap().json().await.unwrap();
    session["status"].as_str().unwrap().to_owned()
}

async fn stands(stage: &Stage, checkout: CheckoutId, as_: CheckoutState) -> bool {
    let id = checkout.uuid();
    let such = format!("checkouts WHERE id = '{id}' AND state = '{as_}'");
    stage.count(&such).await == 1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_checkout_is_closed_at_the_psp_before_a_charge() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, recovery) = stage.planned(&shop).await;
    let payer = at_the_checkout(&stage, &shop, recovery).await;
    let worker = stage.worker();
    stage
        .until(shop.tenant, recovery, RecoveryState::Recovered)
        .await;
    worker.stop().await;
    assert_eq!(session_status(&stage, &payer.session).await, "expired");
    assert!(stands(&stage, payer.checkout, CheckoutState::Closed).await);
    assert_eq!(
        stage.count("checkouts WHERE gone_at_psp IS NOT NULL").await,
        1
    );
    assert_eq!(stage.successes(&payment.intent).await, 1);
    assert_eq!(stage.ledger("succeeded=true").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkout_that_was_paid_meanwhile_ends_the_recovery_without_a_charge() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, recovery) = stage.planned(&shop).await;
    let payer = at_the_checkout(&stage, &shop, recovery).await;
    pay(&stage, &payer.session).await;
    let worker = stage.worker();
    let recovered = stage
        .until(shop.tenant, recovery, RecoveryState::Recovered)
        .await;
    worker.stop().await;
    assert_eq!(recovered.recovered_by.as_deref(), Some("link"));
    assert_eq!(recovered.recovered.unwrap().minor(), 1234);
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());
    assert_eq!(stage.ledger("succeeded=true").await.len(), 1);
    assert!(stands(&stage, payer.checkout, CheckoutState::Paid).await);
    let mut conn = stage.api.db.read().await.unwrap();
    let links = links::of_recovery(&mut conn, shop.tenant, recovery).await;
    let links = links.unwrap();
    assert_eq!((links[0].id, links[0].state), (payer.link, LinkState::Used));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_taken_over_from_a_dead_worker_closes_the_checkout_too() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, recovery) = stage.planned(&shop).await;
    let payer = at_the_checkout(&stage, &shop, recovery).await;
    let dead = Uuid::from_u128(66);
    stage.claim(dead, stage.now() - TimeDelta::seconds(1)).await;
    let worker = stage.worker();
    stage
        .until(shop.tenant, recovery, RecoveryState::Recovered)
        .await;
    worker.stop().await;
    assert_eq!(session_status(&stage, &payer.session).await, "expired");
    assert_eq!(stage.successes(&payment.intent).await, 1);
    assert_eq!(stage.ledger("succeeded=true").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkout_of_a_recovery_that_has_ended_is_closed_at_the_psp() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (_, recovery) = stage.planned(&shop).await;
    let payer = at_the_checkout(&stage, &shop, recovery).await;
    let mut tx = stage.tx().await;
    let cancelled = RecoveryState::Cancelled;
    let ended = db::ending::ended(&mut tx, shop.tenant, recovery, cancelled, "not wanted");
    assert!(ended.await.unwrap());
    tx.commit().await.unwrap();
    let worker = stage.worker();
    testkit::eventually(PATIENCE, async || {
        stage.count("checkouts WHERE gone_at_psp IS NOT NULL").await == 1
    })
    .await;
    worker.stop().await;
    assert_eq!(session_status(&stage, &payer.session).await, "expired");
}

#[tokio::test]
async fn a_checkout_that_was_paid_after_the_end_is_told_once() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (_, recovery) = stage.planned(&shop).await;
    let payer = at_the_checkout(&stage, &shop, recovery).await;
    let mut tx = stage.tx().await;
    let cancelled = RecoveryState::Cancelled;
    let ended = db::ending::ended(&mut tx, shop.tenant, recovery, cancelled, "not wanted");
    assert!(ended.await.unwrap());
    tx.commit().await.unwrap();
    pay(&stage, &payer.session).await;

    let worker = stage.parts();
    let looked_at = retry_worker::checkouts::close_left_open(&worker).await;
    assert_eq!(looked_at.unwrap(), 1);
    let looked_at = retry_worker::checkouts::close_left_open(&worker).await;
    assert_eq!(looked_at.unwrap(), 0);
    let told = stage.timeline(shop.tenant, recovery).await;
    let told = told.iter().filter(|kind| *kind == "payment.after_end");
    assert_eq!(told.count(), 1);
}
