//! Stripe signs with a secret that Tinko does not know.

use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{Act, Drill, Following};
use crate::ground::Ground;
use crate::prometheus::Wanted;

pub(super) struct WebhooksRefused;

impl Drill for WebhooksRefused {
    fn name(&self) -> &'static str {
        "webhooks-refused"
    }

    fn about(&self) -> &'static str {
        "Stripe's webhook secret is rotated, and nobody tells Tinko"
    }

    fn alert(&self) -> Wanted {
        Wanted {
            alert: "TinkoWebhooksRefused",
            labels: &[],
        }
    }

    fn cause<'a>(&'a mut self, ground: &'a mut Ground) -> Act<'a> {
        Box::pin(async {
            let keys = &ground.stack.keys.stripe;
            let endpoint = json!({
                "key": keys.secret_key.expose_secret(),
                "url": keys.webhook_url,
                "secrets": ["whsec_b25seS1zdHJpcGUta25vd3MtdGhpcy1vbmU"],
            });
            ground
                .stack
                .sandbox
                .control("stripe/webhooks", &endpoint)
                .await?;
            Ok(())
        })
    }

    fn follow<'a>(&'a mut self, ground: &'a mut Ground, runbook: &'a Following) -> Act<'a> {
        Box::pin(async {
            let of_the_demo = "(SELECT id FROM organizations WHERE slug = 'demo')";
            let values = [("'…'", of_the_demo)];
            let connections = runbook.page.command("SELECT id, provider, account_id")?;
            runbook.shell.sql(&connections, &values).await?;
            runbook.sql(1, &values).await?;
            // "compare the endpoint's secret at the PSP with the connection's": they are the same again.
            ground.stack.keys.register(&ground.stack.sandbox).await?;
            Ok(())
        })
    }

    fn over(&self) -> &'static [&'static str] {
        &["sum(rate(webhooks_total{status=\"accepted\"}[5s])) > 0"]
    }
}
