//! Stripe drops every connection.

use serde_json::json;

use super::{Act, Drill, Following};
use crate::ground::Ground;
use crate::prometheus::Wanted;

pub(super) struct PspDown;

impl Drill for PspDown {
    fn name(&self) -> &'static str {
        "psp-down"
    }

    fn about(&self) -> &'static str {
        "Stripe drops every connection"
    }

    fn alert(&self) -> Wanted {
        Wanted {
            alert: "TinkoPspDown",
            labels: &[("provider", "stripe")],
        }
    }

    fn cause<'a>(&'a mut self, ground: &'a mut Ground) -> Act<'a> {
        Box::pin(async {
            let fault = json!({ "target": "stripe", "mode": "drop_before_acting" });
            ground.stack.sandbox.put("faults", &fault).await?;
            Ok(())
        })
    }

    fn follow<'a>(&'a mut self, ground: &'a mut Ground, runbook: &'a Following) -> Act<'a> {
        Box::pin(async {
            runbook.ask(ground, "retry-worker", "/metrics").await?;
            runbook.sql(1, &[]).await?;
            // "the provider's status page says so: wait". It comes back.
            ground.stack.sandbox.delete("/_control/faults").await?;
            Ok(())
        })
    }

    fn over(&self) -> &'static [&'static str] {
        &[
            "sum(rate(tinko_psp_request_duration_seconds_count{provider=\"stripe\",outcome=\"ok\"}[5s])) > 0",
        ]
    }
}
