//! Redis has little more memory than it uses.

use anyhow::Context as _;

use super::{Act, Drill, Following};
use crate::ground::Ground;
use crate::prometheus::Wanted;

pub(super) struct RedisFull;

impl Drill for RedisFull {
    fn name(&self) -> &'static str {
        "redis-full"
    }

    fn about(&self) -> &'static str {
        "Redis is given a tenth more memory than it uses"
    }

    fn alert(&self) -> Wanted {
        Wanted {
            alert: "TinkoRedisFillsUp",
            labels: &[],
        }
    }

    fn cause<'a>(&'a mut self, ground: &'a mut Ground) -> Act<'a> {
        Box::pin(async {
            let mut conn = ground.redis().await?;
            let info: String = redis::cmd("INFO")
                .arg("memory")
                .query_async(&mut conn)
                .await?;
            let used = info
                .lines()
                .find_map(|line| line.strip_prefix("used_memory:"));
            let used: u64 = used.context("used_memory")?.trim().parse()?;
            let mut limit = redis::cmd("CONFIG");
            limit.arg("SET").arg("maxmemory").arg(used + used / 10);
            Ok(limit.query_async(&mut conn).await?)
        })
    }

    fn follow<'a>(&'a mut self, _: &'a mut Ground, runbook: &'a Following) -> Act<'a> {
        Box::pin(async {
            runbook.command("redis-cli INFO memory", &[]).await?;
            runbook
                .command("redis-cli XLEN tinko:failures", &[])
                .await?;
            runbook.command("redis-cli --bigkeys", &[]).await?;
            // "all streams short": it is too small.
            runbook
                .command("redis-cli CONFIG SET maxmemory 2gb", &[])
                .await?;
            Ok(())
        })
    }

    fn over(&self) -> &'static [&'static str] {
        &["max(redis_memory_used_bytes) / max(redis_memory_limit_bytes) < 0.75"]
    }
}
