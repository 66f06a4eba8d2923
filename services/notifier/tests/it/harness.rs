//! A notifier of its own for each test, with everything around it.

use std::collections::BTreeMap;
use std::time::Duration;

use backbone::{Backbone, BackboneSettings, RelayTask};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::Message;
use db::notifications::NewMessage;
use db::{Tenant, Tx, attempts, consents, notifications, organizations, recoveries, transactions};
use domain::id::{NotificationId, RecoveryId, RecoveryLink};
use domain::token::{LinkKey, derive, hash};
use domain::{
    AttemptKind, Category, Channel, Currency, Hardness, Money, PayerAddress, TransactionRef,
};
use notifier::{Notifier, Settings, settings::TABLES};
use runtime::clock::SystemClock;
use runtime::settings::load_from;
use sandbox::Sandbox;
use serde_json::{Value, json};
use testkit::{TestDatabase, TestRedis, eventually};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const EMAIL: &str = "asha@example.com";
pub(crate) const PHONE: &str = "+14155550100";
pub(crate) const SOON: Duration = Duration::from_secs(20);
pub(crate) const LINK_KEY: [u8; 32] = [7; 32];
pub(crate) const MASTER_KEY: [u8; 32] = [3; 32];

/// The world around a notifier.
pub(crate) struct Stage {
    pub(crate) client: tokio_postgres::Client,
    pub(crate) http: reqwest::Client,
    pub(crate) backbone: Backbone,
    pub(crate) sandbox: Sandbox,
    variables: BTreeMap<String, String>,
    _database: TestDatabase,
    _redis: TestRedis,
    _relay: RelayTask,
}

/// A message that was asked for.
pub(crate) struct Asked {
    pub(crate) tenant: Tenant,
    pub(crate) recovery: RecoveryId,
    pub(crate) notification: NotificationId,
    pub(crate) channel: Channel,
    pub(crate) pay: String,
    pub(crate) unsubscribe: String,
}

impl Asked {
    fn message(&self) -> Message {
        Message::NotificationRequested {
            notification: self.notification,
            recovery: self.recovery,
            channel: self.channel,
        }
    }
}

/// A notifier at work.
pub(crate) struct Running {
    shutdown: CancellationToken,
    work: JoinHandle<()>,
}

impl Running {
    /// As SIGTERM does: what is under way ends first.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.work.await.unwrap();
    }

    /// As `kill -9` does.
    pub(crate) async fn kill(self) {
        self.work.abort();
        assert!(self.work.await.unwrap_err().is_cancelled());
    }
}

impl Stage {
    pub(crate) async fn new() -> Self {
        runtime::tls::install_ring();
        let (database, redis) = tokio::join!(TestDatabase::create(), TestRedis::create());
        let sandbox = Sandbox::start(sandbox::Settings {
            http: "127.0.0.1:0".parse().unwrap(),
            smtp: "127.0.0.1:0".parse().unwrap(),
            public_url: None,
            seed: 1,
        })
        .await
        .unwrap();
        let variables = variables(&database, &redis, &sandbox);
        let settings: OwnBackbone = load_from(
            &[backbone::SETTINGS],
            only(&variables, backbone::SETTINGS),
            None,
        )
        .unwrap();
        let clock = SystemClock::shared();
        let (backbone, relay) = Backbone::connect("test", &settings.backbone, clock)
            .await
            .unwrap();
        Self {
            client: database.connect().await,
            http: reqwest::Client::new(),
            _database: database,
            backbone,
            sandbox,
            variables,
            _redis: redis,
            _relay: relay,
        }
    }

    /// Adds or changes a setting of the notifiers that are started after it.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// The settings, as a process's environment.
    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    pub(crate) async fn start(&self) -> Running {
        let settings: Settings = load_from(&TABLES, self.variables.clone().into_iter(), None)
            .unwrap_or_else(|error| panic!("{error}"));
        let notifier = Notifier::connect(&settings).await.unwrap();
        let shutdown = CancellationToken::new();
        let working = Box::pin(notifier.work(shutdown.clone()));
        let work = tokio::spawn(async move {
            let relay = working.await;
            relay.drained(SOON).await;
        });
        Running { shutdown, work }
    }

    /// A recovery with one message asked for, all in one transaction; `alter`
    /// may change what it finds there before the commit.
    pub(crate) async fn ask_after(
        &self,
        channel: Channel,
        category: Category,
        alter: impl AsyncFnOnce(&mut Tx, &Asked),
    ) -> Asked {
        let mut tx = self.backbone.db.begin(self.backbone.cause()).await.unwrap();
        let asked = rows(&mut tx, channel, category).await;
        alter(&mut tx, &asked).await;
        tx.emit(asked.tenant, asked.message());
        tx.commit().await.unwrap();
        asked
    }

    pub(crate) async fn ask(&self, channel: Channel) -> Asked {
        self.ask_after(channel, Category::InsufficientFunds, async |_, _| {})
            .await
    }

    /// A message of another organization than the usual one.
    pub(crate) async fn ask_of(&self, slug: &str, channel: Channel) -> Asked {
        let mut tx = self.backbone.db.begin(self.backbone.cause()).await.unwrap();
        let (tenant, _) = organizations::ensure(&mut tx, slug, slug).await.unwrap();
        let asked = rows_of(&mut tx, tenant, channel, Category::InsufficientFunds).await;
        tx.emit(asked.tenant, asked.message());
        tx.commit().await.unwrap();
        asked
    }

    /// The same request again, as a copy that the stream or the sweeper makes.
    pub(crate) async fn repeat(&self, asked: &Asked) {
        let mut tx = self.backbone.db.begin(self.backbone.cause()).await.unwrap();
        tx.emit(asked.tenant, asked.message());
        tx.commit().await.unwrap();
    }

    pub(crate) async fn state(&self, asked: &Asked) -> String {
        self.column(asked, "state").await.unwrap()
    }

    pub(crate) async fn column(&self, asked: &Asked, column: &str) -> Option<String> {
        let sql = format!("SELECT {column}::text FROM notifications WHERE id = $1::text::uuid");
        let row = self
            .client
            .query_one(&sql, &[&asked.notification.uuid().to_string()])
            .await;
        row.unwrap().get(0)
    }

    pub(crate) async fn becomes(&self, asked: &Asked, state: &str) {
        eventually(SOON, async || self.state(asked).await == state).await;
    }

    /// Waits until nothing is owed: every event had its effect.
    pub(crate) async fn all_settled(&self) {
        eventually(SOON, async || self.count("outbox").await == 0).await;
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, from_and_where: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {from_and_where}");
        self.client.query_one(&sql, &[]).await.unwrap().get(0)
    }

    pub(crate) async fn timeline(&self, asked: &Asked) -> Vec<(String, String)> {
        let sql = "SELECT kind, why FROM timeline WHERE recovery_id = $1::text::uuid ORDER BY id";
        let rows = self
            .client
            .query(sql, &[&asked.recovery.uuid().to_string()])
            .await;
        rows.unwrap()
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect()
    }

    pub(crate) async fn kinds(&self, asked: &Asked) -> Vec<String> {
        let timeline = self.timeline(asked).await;
        timeline.into_iter().map(|(kind, _)| kind).collect()
    }

    pub(crate) async fn inbox(&self, channel: &str) -> Vec<Value> {
        let url = format!(
            "http://{}/inbox/messages?channel={channel}",
            self.sandbox.http()
        );
        self.http
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// Waits for the sandbox to have received a message.
    pub(crate) async fn received(&self, channel: &str) -> Value {
        let url = format!(
            "http://{}/inbox/wait?channel={channel}",
            self.sandbox.http()
        );
        let answer = self.http.get(url).send().await.unwrap();
        assert!(answer.status().is_success(), "no message on {channel}");
        answer.json::<Vec<Value>>().await.unwrap().remove(0)
    }

    pub(crate) async fn fault(&self, mut fault: Value) {
        let url = format!("http://{}/_control/faults", self.sandbox.http());
        if fault.get("times").is_none() {
            fault["times"] = json!(1);
        }
        let answer = self.http.put(url).json(&fault).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    /// How often the sandbox has misbehaved, by all rules.
    pub(crate) async fn fired(&self) -> u64 {
        let url = format!("http://{}/_control/faults", self.sandbox.http());
        let rules = self.http.get(url).send().await.unwrap();
        let rules: Vec<Value> = rules.json().await.unwrap();
        rules
            .iter()
            .map(|rule| rule["fired"].as_u64().unwrap())
            .sum()
    }

    /// Lets everyone behave again.
    pub(crate) async fn mend(&self) {
        let url = format!("http://{}/_control/faults", self.sandbox.http());
        let answer = self.http.delete(url).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    pub(crate) async fn control(&self, what: &str, body: Value) {
        let url = format!("http://{}/_control/{what}", self.sandbox.http());
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    /// What a provider that the sandbox plays has to tell, with where it was told.
    pub(crate) async fn events(&self, provider: &str) -> Vec<Value> {
        let url = format!(
            "http://{}/_control/events?provider={provider}",
            self.sandbox.http()
        );
        let answer = self.http.get(url).send().await.unwrap();
        answer.json().await.unwrap()
    }

    pub(crate) async fn suppressions(&self) -> Vec<(String, String)> {
        let rows = self
            .client
            .query("SELECT address, reason FROM suppressions", &[])
            .await;
        rows.unwrap()
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect()
    }
}

#[derive(serde::Deserialize)]
struct OwnBackbone {
    #[serde(flatten)]
    backbone: BackboneSettings,
}

fn only(
    variables: &BTreeMap<String, String>,
    table: &[runtime::settings::Setting],
) -> impl Iterator<Item = (String, String)> {
    let known: Vec<&str> = table.iter().map(|setting| setting.name).collect();
    let variables = variables.clone().into_iter();
    variables.filter(move |(name, _)| known.contains(&name.as_str()))
}

fn variables(
    database: &TestDatabase,
    redis: &TestRedis,
    sandbox: &Sandbox,
) -> BTreeMap<String, String> {
    let http = sandbox.http();
    let given = [
        ("DATABASE_URL", database.plain_url()),
        ("REDIS_URL", redis.url().to_owned()),
        ("SMTP_URL", format!("smtp://{}", sandbox.smtp())),
        (
            "TINKO__MAIL_FROM",
            "Tinko <recovery@tinko.example>".to_owned(),
        ),
        (
            "TINKO__PUBLIC_BASE_URL",
            "https://pay.example.com".to_owned(),
        ),
        ("TINKO__LINK_KEY", STANDARD.encode(LINK_KEY)),
        (
            "TINKO__MASTER_KEY",
            format!("k1:{}", STANDARD.encode(MASTER_KEY)),
        ),
        ("TINKO__PARTNER_LOOPBACK", "true".to_owned()),
        ("TINKO__PARTNER_POLL_MS", "100".to_owned()),
        (
            "TWILIO_ACCOUNT_SID",
            "AC00000000000000000000000000000000".to_owned(),
        ),
        ("TWILIO_AUTH_TOKEN", "twilio-secret".to_owned()),
        ("TWILIO_FROM", "+15005550006".to_owned()),
        ("TINKO__TWILIO_BASE_URL", format!("http://{http}/twilio")),
        ("WHATSAPP_TOKEN", "whatsapp-secret".to_owned()),
        ("WHATSAPP_PHONE_NUMBER_ID", "100000000000000".to_owned()),
        (
            "TINKO__WHATSAPP_BASE_URL",
            format!("http://{http}/whatsapp"),
        ),
        ("TINKO__HAND_OVER_TIMEOUT_MS", "1000".to_owned()),
        ("TINKO__HAND_OVER_LEASE_MS", "2000".to_owned()),
        ("TINKO__TAKE_OVER_AFTER_MS", "300".to_owned()),
        ("TINKO__DATABASE_MAX_CONNECTIONS", "4".to_owned()),
    ];
    given.map(|(name, value)| (name.to_owned(), value)).into()
}

async fn rows(tx: &mut Tx, channel: Channel, category: Category) -> Asked {
    let (tenant, _) = organizations::ensure(tx, "Anna's Yoga & Tea", "anna")
        .await
        .unwrap();
    rows_of(tx, tenant, channel, category).await
}

async fn rows_of(tx: &mut Tx, tenant: Tenant, channel: Channel, category: Category) -> Asked {
    let closes_at = tx.now() + TimeDelta::days(7);
    let recovery = open_recovery(tx, tenant, category, closes_at).await;
    let step = domain::schedule::Step {
        number: 1,
        kind: AttemptKind::Message,
        channels: vec![channel],
        why: "the payer is written to".to_owned(),
        due_at: tx.now(),
    };
    let attempt = attempts::schedule(tx, tenant, recovery, &step)
        .await
        .unwrap()
        .unwrap();
    let link = tx.new_id::<RecoveryLink>();
    let token = derive(&LinkKey::new(LINK_KEY), link);
    let address = if channel == Channel::Email {
        EMAIL
    } else {
        PHONE
    };
    if channel == Channel::WhatsApp {
        opt_in(tx, tenant, address).await;
    }
    let asked = NewMessage {
        recovery,
        attempt,
        link,
        token_hash: hash(&token),
        expires_at: closes_at,
        channel,
        address: address.to_owned(),
    };
    Asked {
        tenant,
        recovery,
        notification: notifications::ask(tx, tenant, asked),
        channel,
        pay: format!("https://pay.example.com/pay/{}", token.expose()),
        unsubscribe: format!("https://pay.example.com/unsubscribe/{}", token.expose()),
    }
}

/// WhatsApp needs one.
async fn opt_in(tx: &mut Tx, tenant: Tenant, number: &str) {
    let number = PayerAddress::parse(Channel::WhatsApp, number).unwrap();
    consents::grant_unless_known(tx, tenant, &[number], "checkout")
        .await
        .unwrap();
}

pub(crate) async fn open_recovery(
    tx: &mut Tx,
    tenant: Tenant,
    category: Category,
    closes_at: DateTime<Utc>,
) -> RecoveryId {
    let amount = Money::new(129_950, Currency::parse("INR").unwrap()).unwrap();
    let report = transactions::Report {
        payer_email: Some(EMAIL.to_owned()),
        payer_phone: Some(PHONE.to_owned()),
        payer_name: Some("Asha".to_owned()),
        payer_locale: Some("en-IN".to_owned()),
        ..transactions::Report::default()
    };
    let unique = tx.new_id::<RecoveryLink>().uuid().simple();
    let reference = TransactionRef::parse(&format!("order-{unique}")).unwrap();
    let transaction = transactions::upsert(tx, tenant, &reference, amount, &report)
        .await
        .unwrap();
    let recovery = recoveries::NewRecovery {
        transaction: transaction.id,
        amount,
        category,
        hardness: Hardness::Soft,
        policy: None,
        assigned: recoveries::Assigned::default(),
        closes_at,
    };
    recoveries::open(tx, tenant, &recovery).await.unwrap()
}
