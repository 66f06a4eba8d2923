//! The mail server takes no message, and never will. (Where it takes none for now it is left alone, and
//! the messages wait: that is another alert.)

use serde_json::json;

use super::{Act, Drill, Following};
use crate::ground::Ground;
use crate::prometheus::Wanted;

pub(super) struct MessagesFail;

impl Drill for MessagesFail {
    fn name(&self) -> &'static str {
        "messages-fail"
    }

    fn about(&self) -> &'static str {
        "the mail server refuses every message for good (550)"
    }

    fn alert(&self) -> Wanted {
        Wanted {
            alert: "TinkoMessagesFail",
            labels: &[("channel", "email")],
        }
    }

    fn cause<'a>(&'a mut self, ground: &'a mut Ground) -> Act<'a> {
        Box::pin(async {
            let fault = json!({ "target": "smtp", "mode": "fail", "status": 550 });
            ground.stack.sandbox.put("faults", &fault).await?;
            // The alert leaves a handful of messages alone.
            ground.load.hurry(true);
            Ok(())
        })
    }

    fn follow<'a>(&'a mut self, ground: &'a mut Ground, runbook: &'a Following) -> Act<'a> {
        Box::pin(async {
            ground.load.hurry(false);
            runbook.ask(ground, "notifier", "/metrics").await?;
            runbook.sql(1, &[]).await?;
            // "`refused` for `smtp`: the sender is blocked". It is let through again.
            ground.stack.sandbox.delete("/_control/faults").await?;
            Ok(())
        })
    }

    fn over(&self) -> &'static [&'static str] {
        &["sum(rate(notifier_messages_total{outcome=\"sent\"}[5s])) > 0"]
    }
}
