//! Redis is killed, with everything that it held.

use super::{Act, Drill, Following};
use crate::ground::Ground;
use crate::prometheus::Wanted;

pub(super) struct RedisAway;

impl Drill for RedisAway {
    fn name(&self) -> &'static str {
        "redis-away"
    }

    fn about(&self) -> &'static str {
        "Redis is killed, and comes back empty"
    }

    fn alert(&self) -> Wanted {
        Wanted {
            alert: "TinkoRedisErrors",
            labels: &[("job", "retry-worker")],
        }
    }

    fn cause<'a>(&'a mut self, ground: &'a mut Ground) -> Act<'a> {
        Box::pin(async {
            ground.kill_redis().await;
            Ok(())
        })
    }

    fn follow<'a>(&'a mut self, ground: &'a mut Ground, runbook: &'a Following) -> Act<'a> {
        Box::pin(async {
            runbook.sql(1, &[]).await?;
            ground.start_redis().await?;
            runbook.command("redis-cli INFO memory", &[]).await?;
            runbook.command("redis-cli XLEN tinko:events", &[]).await?;
            Ok(())
        })
    }

    fn over(&self) -> &'static [&'static str] {
        &["max(outbox_unpublished) < 20"]
    }
}
