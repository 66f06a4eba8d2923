//! Payments that fail while a drill is played, and a merchant who looks at them: alerts about rates
//! need something to count.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use devstack::Stack;
use devstack::stack::{DemoKeys, Sandbox};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Between two failures: few, since these are builds for debugging, on a machine that others use too.
const USUALLY: Duration = Duration::from_millis(600);
/// Between two failures where a drill needs many.
const IN_A_HURRY: Duration = Duration::from_millis(250);
/// How long one may take before the next is begun.
const PATIENCE: Duration = Duration::from_secs(2);

/// A policy whose delays are a second, so that what fails is charged or written about at once.
pub fn policy() -> Value {
    json!({
        "name": "Drill",
        "max_retries": 3,
        "initial_delay_seconds": 1,
        "backoff_multiplier": 1,
        "max_delay_seconds": 1,
        "jitter_percent": 0,
        "silent_charges": 1,
        "enabled_channels": ["email"],
        "stop_after_seconds": 3600,
        "link_ttl_seconds": 600,
        "quiet_hours": { "enabled": false },
    })
}

/// A load under way; it ends with the value.
#[derive(Debug)]
pub struct Load {
    task: JoinHandle<()>,
    hurries: Arc<AtomicBool>,
}

impl Load {
    /// Begins it, on `stack`'s demo organization. What fails because of a drill's trouble is not
    /// sent again.
    pub fn begin(stack: &Stack) -> Self {
        let source = Source {
            sandbox: stack.sandbox.clone(),
            keys: stack.keys.clone(),
            api_url: stack.api_url.clone(),
            http: reqwest::Client::new(),
        };
        let hurries = Arc::new(AtomicBool::new(false));
        Self {
            task: tokio::spawn(source.flow(Arc::clone(&hurries))),
            hurries,
        }
    }

    /// Whether more payments than usual fail from now on.
    pub fn hurry(&self, hurries: bool) {
        self.hurries.store(hurries, Ordering::Relaxed);
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Makes payments fail.
struct Source {
    sandbox: Sandbox,
    keys: DemoKeys,
    api_url: String,
    http: reqwest::Client,
}

impl Source {
    /// One after the other: where the machine is busy, fewer fail, instead of ever more that wait.
    async fn flow(self, hurries: Arc<AtomicBool>) {
        for number in 0_u64.. {
            let one = async {
                self.fail(number).await;
                self.look().await;
            };
            let _ = tokio::time::timeout(PATIENCE, one).await;
            let hurries = hurries.load(Ordering::Relaxed);
            sleep(if hurries { IN_A_HURRY } else { USUALLY }).await;
        }
    }

    /// Two of five are charged again at once; the others need a new card, and are written to.
    async fn fail(&self, number: u64) {
        let (decline, outcomes) = match number % 5 {
            0 | 2 => ("insufficient_funds", ["ok"]),
            _ => ("expired_card", ["expired_card"]),
        };
        let body = json!({
            "key": self.keys.stripe.secret_key.expose_secret(),
            "amount": 4_900,
            "currency": "eur",
            "decline_code": decline,
            "outcomes_after": outcomes,
            "customer_email": format!("payer-{number}@payer.example"),
        });
        // Refused or not reached: then this payment is not part of the drill.
        let _ = self.sandbox.control("stripe/fail_payment", &body).await;
    }

    async fn look(&self) {
        let request = self
            .http
            .get(format!("{}/v1/recoveries?limit=5", self.api_url));
        let key = self.keys.api_key.expose_secret();
        let _ = request.bearer_auth(key).send().await;
    }
}
