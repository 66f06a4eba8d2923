//! A Postgres that hangs: the process takes in no more than it has room for.

use std::process::Stdio;
use std::time::Duration;

use contracts::{Envelope, Message};
use domain::Id;
use testkit::Memory;
use tokio::process::Command;
use uuid::Uuid;

use crate::failed_payment::charges;
use crate::stage::{KEY_BYTES, PATIENCE, Stage};

const FAILED: usize = 20;
/// Copies that are published while it hangs.
const COPIES: u128 = 20_000;
const HANGS: Duration = Duration::from_secs(20);

fn worker(stage: &Stage) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retry-worker"));
    command
        .env_clear()
        .env("DATABASE_URL", stage.database.plain_url())
        .env("REDIS_URL", stage.redis.url())
        .env("TINKO__STREAM_PREFIX", stage.redis.prefix())
        .env("TINKO__ADMIN_LISTEN", "127.0.0.1:0")
        .env("TINKO__MASTER_KEY", format!("k1:{KEY_BYTES}"))
        .env("TINKO__LINK_KEY", KEY_BYTES)
        .env("TINKO__STRIPE_BASE_URL", stage.url("/stripe"))
        .env("TINKO__RAZORPAY_BASE_URL", stage.url("/razorpay"))
        .env("TINKO__PSP_REQUESTS_PER_SECOND", "1000")
        .env("TINKO__RECON_DAYS", "0")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: ./scripts/test --all"]
async fn while_postgres_hangs_memory_stays_flat_and_then_all_is_done_once() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let mut holder = stage.database.connect().await;
    let held = holder.transaction().await.unwrap();
    let lock = "LOCK TABLE decisions, attempts IN ACCESS EXCLUSIVE MODE";
    held.batch_execute(lock).await.unwrap();
    let mut failed = Vec::new();
    for _ in 0..FAILED {
        failed.push(stage.failed(&shop, "insufficient_funds", &["ok"]).await);
    }
    let child = worker(&stage).spawn().unwrap();
    let memory = Memory::of(child.id().unwrap());

    let copies = (0..COPIES).map(|number| {
        let (_, recovery) = failed[usize::try_from(number).unwrap() % FAILED];
        Envelope {
            outbox: Id::from_uuid(Uuid::from_u128(number)),
            organization: shop.tenant.organization(),
            created_at: stage.now(),
            traceparent: None,
            tracestate: None,
            message: Message::FailureRecorded {
                recovery,
                failure: Id::from_uuid(Uuid::from_u128(number)),
            },
        }
    });
    let copies: Vec<Envelope> = copies.collect();
    for batch in copies.chunks(500) {
        stage.api.streams.publish(batch).await.unwrap();
        tokio::time::sleep(HANGS / 40).await;
    }
    memory.assert_flat();
    assert_eq!(stage.count("recoveries WHERE state <> 'open'").await, 0);
    held.rollback().await.unwrap();

    let all = i64::try_from(FAILED).unwrap();
    testkit::eventually(PATIENCE, async || {
        stage.count("recoveries WHERE state = 'recovered'").await == all
    })
    .await;
    for (payment, _) in &failed {
        assert_eq!(stage.charges_by_us(&payment.intent).await.len(), 1);
    }
}
