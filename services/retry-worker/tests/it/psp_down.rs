//! A PSP that is down is left alone: what is due waits as it is, and is charged once
//! when the PSP is back.

use std::time::{Duration, Instant};

use domain::id::RecoveryId;
use domain::{AttemptState, RecoveryState};
use retry_worker::settings::Settings;
use serde_json::json;

use crate::failed_payment::{Payment, Shop, charges};
use crate::running::Running;
use crate::stage::{PATIENCE, Stage};

const MANY: usize = 60;
/// The breakers' first pause, and the longest.
const PAUSES: [u32; 2] = [500, 1_000];

/// A breaker that is tried often, and a PSP that takes many requests a second.
fn impatient(stage: &Stage) -> Settings {
    let mut settings = stage.settings();
    let [first, longest] = PAUSES;
    settings.circuit.circuit_first_pause_ms = first;
    settings.circuit.circuit_longest_pause_ms = longest;
    settings.connections.psp_requests_per_second = 1_000;
    settings
}

async fn many_failed(stage: &Stage, shop: &Shop) -> Vec<(Payment, RecoveryId)> {
    let mut failed = Vec::new();
    for _ in 0..MANY {
        failed.push(stage.failed(shop, "insufficient_funds", &["ok"]).await);
    }
    failed
}

/// What was under way when the breaker opened, and two probes after each pause, of up
/// to three tries each. Sixty charges that were let through would make more.
fn most_asked(stage: &Stage, within: Duration) -> u64 {
    let pauses = within.as_millis() / u128::from(PAUSES[1]) + 2;
    let under_way = stage.settings().attempt_concurrency as u64;
    3 * (under_way + 2 * u64::try_from(pauses).unwrap())
}

/// Each attempt is the first one still, settled so, and no other was made.
async fn only_first_attempts(stage: &Stage, settled: AttemptState) {
    let settled = settled.as_str();
    let others = format!("attempts WHERE number <> 1 OR state <> '{settled}'");
    assert_eq!(stage.count(&others).await, 0);
    assert_eq!(stage.count("attempts").await, i64::try_from(MANY).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_psp_that_is_down_costs_no_charge_an_attempt_and_each_is_charged_once_when_it_is_back() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let down = json!({ "target": "stripe", "mode": "drop_before_acting" });
    let url = stage.url("/_control/faults");
    stage.http.put(url).json(&down).send().await.unwrap();
    let failed = many_failed(&stage, &shop).await;
    let began = Instant::now();
    let worker = Running::start(impatient(&stage));
    let all = i64::try_from(MANY).unwrap();
    let tried = "attempts WHERE claims > 0";
    testkit::eventually(PATIENCE, async || stage.count(tried).await == all).await;
    // Down for some pauses more.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let told = "timeline WHERE kind = 'attempt.put_off'";
    assert!(stage.count(told).await >= all / 2, "the wait is told");
    let asked = stage.fired().await;
    let most = most_asked(&stage, began.elapsed());
    assert!(asked <= most, "{asked} requests were made in vain");

    stage.mend().await;
    for (payment, recovery) in &failed {
        let recovered = RecoveryState::Recovered;
        stage.until(shop.tenant, *recovery, recovered).await;
        assert_eq!(stage.successes(&payment.intent).await, 1);
        assert_eq!(stage.charges_by_us(&payment.intent).await.len(), 1);
    }
    worker.stop().await;
    // The outage has used up none.
    assert_eq!(stage.count("card_tries WHERE tried_by = 'us'").await, all);
    only_first_attempts(&stage, AttemptState::Succeeded).await;
    let twice = "timeline WHERE kind = 'attempt.put_off' GROUP BY recovery_id HAVING count(*) > 1";
    let again = stage
        .count(&format!("(SELECT 1 FROM {twice}) AS told"))
        .await;
    assert!(
        again < all / 4,
        "{again} were told of the same wait again and again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_refused_for_a_while_costs_its_merchant_no_charge() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    stage
        .fault("/v1/", 1, json!({ "mode": "fail", "status": 401 }))
        .await;
    let (payment, recovery) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    let worker = Running::start(impatient(&stage));
    let recovered = RecoveryState::Recovered;
    stage.until(shop.tenant, recovery, recovered).await;
    worker.stop().await;
    assert_eq!(stage.fired().await, 1);
    let shown = "psp_connections WHERE check_outcome = 'refused' AND checked_at IS NOT NULL";
    assert_eq!(stage.count(shown).await, 1, "the merchant sees it");
    assert_eq!(stage.successes(&payment.intent).await, 1);
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Succeeded]);
    let told = stage.timeline(shop.tenant, recovery).await;
    assert!(told.contains(&"attempt.put_off".to_owned()), "{told:?}");
}
