//! `charge`: due charges made at a PSP that takes its time, against Little's law.
//!
//! A charge that waits for its PSP costs a place and nothing else. So a worker with `places` places
//! cannot make more than `places / time` charges a second, where `time` is what the PSP takes for all
//! calls of one charge together; how near it comes says what the rest costs.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use devstack::stack::{Replicas, Sandbox};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::ground::{Ground, Settings};
use crate::rate::{Rate, Ratio};
use crate::report::{Report, Table};

const RETRY_WORKER: &str = "retry-worker";
/// What the PSP takes for each call.
const LATENCY: Duration = Duration::from_millis(200);
/// Charges under way at the same time: an organization's share, by default, of the default of
/// `TINKO__ATTEMPT_CONCURRENCY`. Twice as many are bounded by the processors instead, on two.
const PLACES: u32 = 32;
/// How much of Little's law is asked for.
const LEAST: Ratio = Ratio::wanted(0.8);
/// Payments that are made to fail at the same time.
const AT_ONCE: usize = 16;
const POLL: Duration = Duration::from_millis(50);

/// How much.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Charges that are due when the clock starts.
    pub charges: u64,
}

/// Measures. An error says what makes the figures worth nothing.
pub async fn run(settings: &Settings, options: Options) -> anyhow::Result<Report> {
    let mut ground = ground(settings).await?;
    let server = ground.database.described().await?;
    ground.stack.terminate(RETRY_WORKER).await?;
    fail(&ground.stack.sandbox, options.charges).await?;
    counted(&ground, "recoveries WHERE state = 'open'", options.charges).await?;
    plan(&mut ground, options.charges).await?;

    let slow = json!({ "target": "stripe", "mode": "slow", "ms": LATENCY.as_millis() });
    ground.stack.sandbox.put("faults", &slow).await?;
    ground
        .database
        .run("UPDATE attempts SET due_at = now()")
        .await?;
    ground.database.checkpoint().await?;
    let begun = Instant::now();
    ground.stack.restart(RETRY_WORKER).await?;
    counted(
        &ground,
        "recoveries WHERE state = 'recovered'",
        options.charges,
    )
    .await?;
    let time = begun.elapsed();
    let calls = calls(&ground.stack.sandbox).await?;
    let succeeded = ground
        .stack
        .sandbox
        .get("/_control/ledger?succeeded=true")
        .await?;
    let succeeded = succeeded.as_array().map_or(0, Vec::len);
    ensure!(
        u64::try_from(succeeded).ok() == Some(options.charges),
        "{succeeded} charges succeeded at the PSP, of {}",
        options.charges
    );
    ground.stack.stop().await;
    Ok(report(&server, options, time, calls))
}

/// All places are for the one organization and its one PSP.
async fn ground(settings: &Settings) -> anyhow::Result<Ground> {
    let replicas = Replicas {
        api: 1,
        retry_worker: 1,
        notifier: 0,
    };
    let places = PLACES.to_string();
    let settings_of = [
        (RETRY_WORKER, "TINKO__ATTEMPT_CONCURRENCY", places.as_str()),
        (RETRY_WORKER, "TINKO__ORGANIZATION_SHARE_PERCENT", "100"),
        (RETRY_WORKER, "TINKO__PROVIDER_SHARE_PERCENT", "100"),
        (RETRY_WORKER, "TINKO__PSP_REQUESTS_AT_ONCE", &places),
    ];
    Ground::start_with(settings, replicas, &settings_of, charge_later()).await
}

/// One charge, not before the clock starts.
fn charge_later() -> Value {
    json!({
        "name": "One charge later",
        "max_retries": 1,
        "jitter_percent": 0,
        "steps": [{ "delay_seconds": 3600, "action": "charge" }],
        "enabled_channels": ["email"],
        "stop_after_seconds": 86_400,
        "link_ttl_seconds": 86_400,
        "immediate_message_when_payer_present": false,
    })
}

/// Payments that fail at the PSP, and go through when they are charged again.
async fn fail(sandbox: &Sandbox, count: u64) -> anyhow::Result<()> {
    let mut failing = JoinSet::new();
    for number in 0..count {
        if failing.len() >= AT_ONCE {
            failing.join_next().await.context("nothing fails")???;
        }
        let sandbox = sandbox.clone();
        failing.spawn(async move {
            let payment = json!({
                "key": "sk_test_demo", "amount": 4_900, "currency": "eur",
                "decline_code": "insufficient_funds", "outcomes_after": ["ok"],
                "customer_email": format!("payer-{number}@example.com"),
                "metadata": { "transaction_ref": format!("charge-{number}") },
            });
            sandbox.control("stripe/fail_payment", &payment).await
        });
    }
    while let Some(failed) = failing.join_next().await {
        failed?.context("the sandbox made no payment")?;
    }
    Ok(())
}

/// Has every charge planned, and stops the worker again.
async fn plan(ground: &mut Ground, charges: u64) -> anyhow::Result<()> {
    ground.stack.restart(RETRY_WORKER).await?;
    counted(ground, "attempts WHERE state = 'scheduled'", charges).await?;
    ground.stack.terminate(RETRY_WORKER).await?;
    Ok(())
}

async fn counted(ground: &Ground, what: &str, wanted: u64) -> anyhow::Result<()> {
    let query = format!("SELECT count(*) FROM {what}");
    ground.database.until(&query, wanted, POLL).await
}

/// Calls at the PSP since it is slow.
async fn calls(sandbox: &Sandbox) -> anyhow::Result<u64> {
    let rules = sandbox.get("/_control/faults").await?;
    let fired = rules[0]["fired"].as_u64();
    fired.context("the sandbox does not say how many calls were slow")
}

/// Calls of one charge, with one place.
fn calls_each(calls: u64, charges: u64) -> String {
    let tenths = calls.saturating_mul(10) / charges.max(1);
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn report(server: &str, options: Options, time: Duration, calls: u64) -> Report {
    let charges = options.charges;
    let made = Rate::of(charges, time);
    // places / (calls of one charge × latency)
    let ceiling = Rate::of(
        u64::from(PLACES) * charges,
        LATENCY.saturating_mul(u32::try_from(calls).unwrap_or(u32::MAX)),
    );
    let ratio = made.ratio_to(ceiling);
    let title = format!(
        "charge: {charges} due charges, {PLACES} places, {} ms of PSP for each of {} calls a charge; {server}",
        LATENCY.as_millis(),
        calls_each(calls, charges),
    );
    let mut table = Table::new(title, &["", "charges/s"]);
    table.row(["made and settled".to_owned(), made.to_string()]);
    table.row(["ceiling: Little's law".to_owned(), ceiling.to_string()]);
    table.row(["ratio".to_owned(), ratio.to_string()]);
    Report::new("charge")
        .table(table)
        .figure("charges_per_s", made)
        .figure("ceiling_per_s", ceiling)
        .figure("ratio", ratio)
        .figure("calls", calls)
        .floor("Little's law", ratio, LEAST)
}

#[cfg(test)]
mod tests {
    use domain::RetryPolicy;

    use super::*;

    #[test]
    fn the_policy_can_be_followed() {
        RetryPolicy::from_json(&charge_later()).unwrap();
    }
}
