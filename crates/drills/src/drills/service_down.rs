//! The only notifier is killed.

use super::{Act, Drill, Following};
use crate::ground::Ground;
use crate::prometheus::Wanted;

pub(super) struct ServiceDown;

impl Drill for ServiceDown {
    fn name(&self) -> &'static str {
        "service-down"
    }

    fn about(&self) -> &'static str {
        "the only notifier is killed, and nothing starts it again"
    }

    fn alert(&self) -> Wanted {
        Wanted {
            alert: "TinkoServiceDown",
            labels: &[("job", "notifier")],
        }
    }

    fn cause<'a>(&'a mut self, ground: &'a mut Ground) -> Act<'a> {
        Box::pin(async { Ok(ground.stack.kill("notifier").await?) })
    }

    /// Without a cluster there are no pods to look at: it is started again as the orchestrator would.
    fn follow<'a>(&'a mut self, ground: &'a mut Ground, runbook: &'a Following) -> Act<'a> {
        Box::pin(async {
            ground.start_again("notifier").await?;
            runbook.ask(ground, "notifier", "/readyz").await?;
            Ok(())
        })
    }

    fn over(&self) -> &'static [&'static str] {
        &[
            "up{job=\"notifier\"} == 1",
            "max(outbox_oldest_unpublished_seconds) < 5",
        ]
    }
}
