//! A database, a Redis and a PSP of one test's own, and short ways to look at them.

use std::sync::Arc;
use std::time::Duration;

use backbone::{Backbone, BackboneSettings, RelayTask};
use chrono::{DateTime, Utc};
use db::attempts::{StoredAttempt, UnderWay, claim_unsettled};
use db::recoveries::StoredRecovery;
use db::{Conn, Tenant, Tx};
use domain::id::RecoveryId;
use domain::token::LinkKey;
use domain::{AttemptState, RecoveryState};
use retry_worker::settings::{Settings, TABLES};
use retry_worker::{Worker, attempts};
use runtime::clock::SystemClock;
use sandbox::Sandbox;
use serde_json::{Value, json};
use testkit::{TestDatabase, TestRedis};
use uuid::Uuid;

use crate::telemetry;

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// The merchant's key at the PSP.
pub(crate) const KEY: &str = "sk_test_shop";
/// Base64 of 32 bytes, as both keys are.
pub(crate) const KEY_BYTES: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

pub(crate) struct Stage {
    // Held so that both go with the stage.
    pub(crate) database: TestDatabase,
    pub(crate) redis: TestRedis,
    pub(crate) sandbox: Sandbox,
    pub(crate) http: reqwest::Client,
    /// Another process of the installation, which records failures.
    pub(crate) api: Backbone,
    _relay: RelayTask,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        telemetry::set_up();
        let (database, redis) = tokio::join!(TestDatabase::create(), TestRedis::create());
        let sandbox = Sandbox::start(sandbox::Settings {
            http: "127.0.0.1:0".parse().unwrap(),
            smtp: "127.0.0.1:0".parse().unwrap(),
            public_url: None,
            seed: 1,
        });
        let sandbox = sandbox.await.unwrap();
        let settings = backbone_settings(&database, &redis);
        let clock = SystemClock::shared();
        let (api, relay) = Backbone::connect("api", &settings, clock).await.unwrap();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            database,
            redis,
            sandbox,
            http,
            api,
            _relay: relay,
        }
    }

    /// The settings of a process that does not wait long.
    pub(crate) fn settings(&self) -> Settings {
        let variables = [
            ("DATABASE_URL", self.database.plain_url()),
            ("REDIS_URL", self.redis.url().to_owned()),
            ("TINKO__STREAM_PREFIX", self.redis.prefix().to_owned()),
            ("TINKO__ADMIN_LISTEN", "127.0.0.1:0".to_owned()),
            ("TINKO__MASTER_KEY", format!("k1:{KEY_BYTES}")),
            ("TINKO__LINK_KEY", KEY_BYTES.to_owned()),
            ("TINKO__STRIPE_BASE_URL", self.url("/stripe")),
            ("TINKO__RAZORPAY_BASE_URL", self.url("/razorpay")),
            ("TINKO__POLL_MS", "100".to_owned()),
            // A test that wants a comparison asks for it.
            ("TINKO__RECON_DAYS", "0".to_owned()),
            ("TINKO__RECON_LOOKUPS_PER_SECOND", "1000".to_owned()),
            ("TINKO__HOUSEKEEPING_MS", "200".to_owned()),
            ("TINKO__ATTEMPT_CONCURRENCY", "16".to_owned()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        runtime::settings::load_from(&TABLES, variables.into_iter(), None).unwrap()
    }

    /// A worker whose parts a test calls one by one.
    pub(crate) fn parts(&self) -> Worker {
        let settings = self.settings();
        Worker {
            backbone: self.api.clone(),
            psps: opener(&settings),
            link_key: Arc::new(LinkKey::new(core::array::from_fn(|at| {
                u8::try_from(at).unwrap()
            }))),
            id: Uuid::from_u128(7),
            lease: settings.lease(),
            places: settings.places(),
            planned: Arc::default(),
        }
    }

    /// Plans what waits, as if its entry had come: a worker's first step, at once.
    pub(crate) async fn tx(&self) -> Tx {
        self.api.db.begin(self.api.cause()).await.unwrap()
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.api.clock.now()
    }

    pub(crate) async fn recovery(&self, tenant: Tenant, id: RecoveryId) -> StoredRecovery {
        let mut conn = self.api.db.read().await.unwrap();
        let found = db::recoveries::find(&mut conn, tenant, id).await.unwrap();
        found.expect("the recovery is there")
    }

    /// Waits until a recovery stands so.
    pub(crate) async fn until(
        &self,
        tenant: Tenant,
        id: RecoveryId,
        state: RecoveryState,
    ) -> StoredRecovery {
        testkit::eventually(PATIENCE, async || {
            let recovery = self.recovery(tenant, id).await;
            (recovery.state == state).then_some(recovery)
        })
        .await
    }

    pub(crate) async fn attempts(&self, tenant: Tenant, id: RecoveryId) -> Vec<StoredAttempt> {
        let conn = self.api.db.read().await.unwrap();
        db::attempts::of_recovery(&conn, tenant, id).await.unwrap()
    }

    pub(crate) async fn states(&self, tenant: Tenant, id: RecoveryId) -> Vec<AttemptState> {
        let attempts = self.attempts(tenant, id).await;
        attempts.iter().map(|attempt| attempt.state).collect()
    }

    /// The kinds of a recovery's timeline, oldest first.
    pub(crate) async fn timeline(&self, tenant: Tenant, id: RecoveryId) -> Vec<String> {
        let mut conn = self.api.db.read().await.unwrap();
        let entries = db::timeline::of_recovery(&mut conn, tenant, id, 100).await;
        let entries = entries.unwrap().into_iter();
        entries.map(|entry| entry.kind).collect()
    }

    pub(crate) async fn count(&self, from_and_where: &str) -> i64 {
        let client = self.database.connect().await;
        let sql = format!("SELECT count(*) FROM {from_and_where}");
        client.query_one(&sql, &[]).await.unwrap().get(0)
    }

    /// Claims the one attempt that is due, as `worker`, until `lease_until`.
    pub(crate) async fn claim(&self, worker: Uuid, lease_until: DateTime<Utc>) -> StoredAttempt {
        let mut conn = self.api.db.read().await.unwrap();
        let claimed = claim_all(&mut conn, worker, self.now(), lease_until).await;
        assert_eq!(claimed.len(), 1, "one attempt is due");
        claimed.into_iter().next().unwrap()
    }

    /// Claims what is due and acts on it, as the scheduler would.
    pub(crate) async fn act(&self, worker: &Worker) -> StoredAttempt {
        let claimed = self.claim(worker.id, self.now() + worker.lease).await;
        attempts::act(worker, claimed.clone()).await;
        claimed
    }

    /// Takes over what another worker left, and acts on it.
    pub(crate) async fn take_over(&self, worker: &Worker) -> StoredAttempt {
        let mut conn = self.api.db.read().await.unwrap();
        let (now, nothing) = (self.now(), UnderWay::default());
        let lease = now + worker.lease;
        let taken = claim_unsettled(&mut conn, worker.id, now, lease, 1, nothing).await;
        let taken = taken.unwrap().pop().expect("one attempt was left");
        drop(conn);
        attempts::act(worker, taken.clone()).await;
        taken
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.sandbox.http())
    }

    /// Tells the PSP what to play.
    pub(crate) async fn control(&self, what: &str, body: &Value) -> Value {
        let url = self.url(&format!("/_control/{what}"));
        let response = self.http.post(url).json(body).send().await.unwrap();
        assert!(response.status().is_success(), "{what}: {response:?}");
        response.json().await.unwrap()
    }

    /// Lets the next `times` calls whose path contains `path` misbehave.
    pub(crate) async fn fault(&self, path: &str, times: u32, mode: Value) {
        let mut rule = json!({ "target": "stripe", "path_contains": path, "times": times });
        let fields = mode.as_object().unwrap().clone();
        rule.as_object_mut().unwrap().extend(fields);
        let url = self.url("/_control/faults");
        let response = self.http.put(url).json(&rule).send().await.unwrap();
        assert!(response.status().is_success(), "{response:?}");
    }

    /// How often the PSP has misbehaved, by all rules.
    pub(crate) async fn fired(&self) -> u64 {
        let url = self.url("/_control/faults");
        let rules = self.http.get(url).send().await.unwrap();
        let rules: Vec<Value> = rules.json().await.unwrap();
        rules
            .iter()
            .map(|rule| rule["fired"].as_u64().unwrap())
            .sum()
    }

    /// Lets the PSP behave again.
    pub(crate) async fn mend(&self) {
        let url = self.url("/_control/faults");
        let answer = self.http.delete(url).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    /// The charges that the PSP has tried, oldest first, narrowed by a query.
    pub(crate) async fn ledger(&self, query: &str) -> Vec<Value> {
        let url = self.url(&format!("/_control/ledger?{query}"));
        self.http
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// How often a payment was charged with success.
    pub(crate) async fn successes(&self, payment: &str) -> usize {
        let query = format!("payment_intent={payment}&succeeded=true");
        self.ledger(&query).await.len()
    }

    /// Charges that anyone but the merchant tried on a payment.
    pub(crate) async fn charges_by_us(&self, payment: &str) -> Vec<Value> {
        let all = self.ledger(&format!("payment_intent={payment}")).await;
        let by_us = |charge: &Value| charge["initiator"] == "api";
        all.into_iter().filter(by_us).collect()
    }
}

/// Opens connections as a worker of these settings does.
pub(crate) fn opener(settings: &Settings) -> connections::Opener {
    let (timeout, breakers) = (settings.psp_timeout(), settings.circuit.limits());
    settings.connections.opener(timeout, breakers).unwrap()
}

pub(crate) async fn claim_all(
    conn: &mut Conn,
    worker: Uuid,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Vec<StoredAttempt> {
    let claim = db::attempts::Claim {
        worker,
        now,
        lease_until,
        after: Uuid::nil(),
        per_organization: 10,
        limit: 10,
        under_way: UnderWay::default(),
    };
    db::attempts::claim_due(conn, &claim).await.unwrap()
}

fn backbone_settings(database: &TestDatabase, redis: &TestRedis) -> BackboneSettings {
    BackboneSettings {
        database_url: database.url().clone(),
        database_max_connections: 4,
        database_acquire_timeout_ms: 20_000,
        redis_url: redis.url().into(),
        redis_ca_file: None,
        stream_prefix: redis.prefix().to_owned(),
        stream_shards: std::num::NonZeroU16::MIN,
        messages_ahead: std::num::NonZeroU16::MAX,
    }
}
