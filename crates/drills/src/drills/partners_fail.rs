//! Seven endpoints of partners fail at once.

use anyhow::Context as _;
use serde_json::json;

use super::{Act, Drill, Following};
use crate::ground::Ground;
use crate::prometheus::Wanted;

/// Two more than the alert leaves to partners' own troubles.
const ENDPOINTS: usize = 7;

#[derive(Default)]
pub(super) struct PartnersFail {
    endpoints: Vec<String>,
}

impl Drill for PartnersFail {
    fn name(&self) -> &'static str {
        "partners-fail"
    }

    fn about(&self) -> &'static str {
        "the servers behind seven endpoints for webhooks answer 503"
    }

    fn alert(&self) -> Wanted {
        Wanted {
            alert: "TinkoPartnerEndpointsFail",
            labels: &[],
        }
    }

    fn cause<'a>(&'a mut self, ground: &'a mut Ground) -> Act<'a> {
        Box::pin(async {
            ground.partner.set_failing(true);
            for number in 0..ENDPOINTS {
                let wanted = json!({ "url": ground.partner.url(number), "event_types": ["*"] });
                let made = ground.post("/v1/webhook-endpoints", &wanted).await?;
                let id = made["id"].as_str().context("an endpoint's id")?;
                self.endpoints.push(id.to_owned());
            }
            Ok(())
        })
    }

    fn follow<'a>(&'a mut self, ground: &'a mut Ground, runbook: &'a Following) -> Act<'a> {
        Box::pin(async {
            runbook.sql(1, &[]).await?;
            let first = "(SELECT id FROM webhook_endpoints WHERE failures > 0 LIMIT 1)";
            runbook.sql(2, &[("'…'", first)]).await?;
            // "the partner's server refuses: tell the partner". It is mended.
            ground.partner.set_failing(false);
            runbook
                .page
                .command("POST /v1/webhook-endpoints/{id}/test")?;
            for endpoint in &self.endpoints {
                let path = format!("/v1/webhook-endpoints/{endpoint}/test");
                ground.post(&path, &json!({})).await?;
            }
            Ok(())
        })
    }

    fn over(&self) -> &'static [&'static str] {
        &["max(partner_breakers_open) == 0"]
    }
}
