//! The analytics sink's RabbitMQ is killed.

use super::{Act, Drill, Following};
use crate::ground::Ground;
use crate::prometheus::Wanted;

pub(super) struct SinkAway;

impl Drill for SinkAway {
    fn name(&self) -> &'static str {
        "sink-away"
    }

    fn about(&self) -> &'static str {
        "the analytics sink's RabbitMQ is killed"
    }

    fn alert(&self) -> Wanted {
        Wanted {
            alert: "TinkoSinkAway",
            labels: &[],
        }
    }

    fn needs_sink(&self) -> bool {
        true
    }

    fn cause<'a>(&'a mut self, ground: &'a mut Ground) -> Act<'a> {
        Box::pin(async {
            ground.kill_rabbitmq().await;
            Ok(())
        })
    }

    fn follow<'a>(&'a mut self, ground: &'a mut Ground, runbook: &'a Following) -> Act<'a> {
        Box::pin(async {
            runbook.sql(1, &[]).await?;
            // "bring the broker back".
            ground.start_rabbitmq().await
        })
    }

    fn over(&self) -> &'static [&'static str] {
        &["max(sink_oldest_waiting_seconds) < 5"]
    }
}
