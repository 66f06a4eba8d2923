//! What is slow of one organization leaves places to all others.

use std::time::{Duration, Instant};

use domain::RecoveryState;
use serde_json::json;

use crate::failed_payment::charges;
use crate::running::Running;
use crate::stage::{PATIENCE, Stage};

const FLOOD: usize = 200;
const FEW: usize = 5;
/// Half of the places that the stage's settings give.
const SHARE: i64 = 8;
/// What a request over the one organization's payments takes at the PSP.
const SLOW_MS: u32 = 3_000;

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_slow_charges_of_one_organization_leave_anothers_five_places_at_once() {
    let stage = Stage::new().await;
    let busy = stage.shop_named("busy", &charges(1)).await;
    let quiet = stage.shop_named("quiet", &charges(1)).await;
    for _ in 0..FLOOD {
        let payment = stage.fail_payment("insufficient_funds", &["ok"]).await;
        let slow = json!({
            "target": "stripe", "path_contains": payment.intent, "mode": "slow", "ms": SLOW_MS,
        });
        let rule = stage.http.put(stage.url("/_control/faults")).json(&slow);
        assert!(rule.send().await.unwrap().status().is_success());
        stage.record(&busy, &payment).await;
    }
    let mut settings = stage.settings();
    settings.connections.psp_requests_per_second = 1_000;
    let worker = Running::start(settings);
    let organization = busy.tenant.organization().uuid();
    let under_way =
        format!("attempts WHERE state = 'claimed' AND organization_id = '{organization}'");
    testkit::eventually(PATIENCE, async || stage.count(&under_way).await == SHARE).await;

    // What Postgres had no time for rests, its place free again, for two seconds.
    let given_back = format!("{under_way} AND lease_until < now() + interval '3 seconds'");
    let under_way = format!("{under_way} AND lease_until >= now() + interval '3 seconds'");

    let began = Instant::now();
    let mut few = Vec::new();
    for _ in 0..FEW {
        few.push(stage.failed(&quiet, "insufficient_funds", &["ok"]).await);
    }
    for (payment, recovery) in &few {
        let recovered = RecoveryState::Recovered;
        stage.until(quiet.tenant, *recovery, recovered).await;
        assert_eq!(stage.successes(&payment.intent).await, 1);
        let busy = stage.count(&under_way).await;
        let given_back = stage.count(&given_back).await;
        assert!(
            busy <= SHARE,
            "{busy} at once; {given_back} were given back"
        );
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(10), "they took {took:?}");

    // What exceeds the share was left as it is, and goes on as places become free.
    let left = format!(
        "attempts WHERE state = 'scheduled' AND claims = 0 AND organization_id = '{organization}'"
    );
    let waits = stage.count(&left).await;
    testkit::eventually(PATIENCE, async || stage.count(&left).await < waits).await;
    assert!(stage.count(&under_way).await <= SHARE);
    let put_back = "timeline WHERE kind IN ('attempt.put_off', 'attempt.handed_back')";
    assert_eq!(stage.count(put_back).await, 0);
    worker.stop().await;
}
