//! `kill -9` in the middle of the demo: still every case as expected, one charge
//! and one message each (the cases count both in the sandbox's books).

use std::time::Duration;

use devstack::StackOptions;
use devstack::demo::Demo;
use serde_json::{Value, json};
use testkit::eventually;

use crate::Whole;

/// How long a call is held up, so that the kill comes in its middle.
const HELD_UP_MS: u64 = 1_500;

/// Short leases, so that what a dead process held is taken over soon.
fn hasty(mut options: StackOptions) -> StackOptions {
    options.policy["link_ttl_seconds"] = json!(20);
    options
        .with_env("retry-worker", "TINKO__LEASE_MS", "3000")
        .with_env("retry-worker", "TINKO__TAKE_OVER_AFTER_MS", "2000")
        .with_env("notifier", "TINKO__HAND_OVER_TIMEOUT_MS", "2000")
        .with_env("notifier", "TINKO__HAND_OVER_LEASE_MS", "4000")
        .with_env("notifier", "TINKO__TAKE_OVER_AFTER_MS", "2000")
}

/// Plays the demo with a slow call, kills `service` while the call is under way,
/// starts it again, and sees that every case still ended as it must.
async fn killed_during(service: &str, slow_call: Value) {
    let mut whole = Whole::start(hasty).await;
    let sandbox = whole.stack.sandbox.clone();
    sandbox
        .put("faults", &slow_call)
        .await
        .expect("a slow call");
    let demo = tokio::spawn(Demo::new(&whole.stack, service).play());

    eventually(Duration::from_secs(20), || async {
        let faults = sandbox.get("/_control/faults").await.expect("the faults");
        faults
            .as_array()
            .is_some_and(|faults| faults.iter().any(|fault| fault["fired"].as_u64() > Some(0)))
    })
    .await;
    whole.stack.kill(service).await.expect("a running process");
    whole.stack.restart(service).await.expect("a second start");

    let report = demo.await.expect("the demo");
    assert!(report.all_as_expected(), "{report}");
    whole.stack.stop().await;
}

#[tokio::test]
#[ignore = "slow: ./scripts/test --all"]
async fn a_retry_worker_killed_during_a_charge_charges_once() {
    let slow = json!({
        "target": "stripe", "path_contains": "/confirm", "mode": "slow",
        "ms": HELD_UP_MS, "times": 1,
    });
    killed_during("retry-worker", slow).await;
}

#[tokio::test]
#[ignore = "slow: ./scripts/test --all"]
async fn a_retry_worker_killed_after_the_psp_acted_charges_once() {
    let slow = json!({
        "target": "stripe", "path_contains": "/confirm", "mode": "timeout_after_acting",
        "ms": HELD_UP_MS, "times": 1,
    });
    killed_during("retry-worker", slow).await;
}

#[tokio::test]
#[ignore = "slow: ./scripts/test --all"]
async fn a_notifier_killed_during_a_hand_over_sends_once() {
    let slow = json!({ "target": "smtp", "mode": "slow", "ms": HELD_UP_MS, "times": 1 });
    killed_during("notifier", slow).await;
}

#[tokio::test]
#[ignore = "slow: ./scripts/test --all"]
async fn redis_flushed_in_the_middle_loses_nothing() {
    let mut whole = Whole::start(hasty).await;
    let demo = tokio::spawn(Demo::new(&whole.stack, "flushed").play());
    let redis = redis::Client::open(whole.stack.redis_url.as_str()).expect("a Redis address");
    let mut conn = redis
        .get_multiplexed_async_connection()
        .await
        .expect("a running Redis");
    for _ in 0..5 {
        let () = redis::cmd("FLUSHALL")
            .query_async(&mut conn)
            .await
            .expect("an empty Redis");
        // Spread over the demo's first seconds: there is no event to wait for.
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    let report = demo.await.expect("the demo");
    assert!(report.all_as_expected(), "{report}");
    whole.stack.redis().expect("a private Redis");
    whole.stack.stop().await;
}
