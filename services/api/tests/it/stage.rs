//! An api of its own for each test, with what stands around it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use api::Server;
use api::commands::seed;
use api::settings::{Settings, TABLES};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, Method, RequestBuilder};
use runtime::clock::{Clock, SystemClock};
use runtime::settings::load_from;
use serde_json::{Value, json};
use testkit::{TestDatabase, TestRedis};

use crate::documented;

/// Largest body that the stage's api takes, in bytes.
pub(crate) const BODY_LIMIT: usize = 64 * 1_024;

/// A rate limit that no test meets by chance.
const WIDE: &str = "100000/s burst 100000";

pub(crate) struct Stage {
    pub(crate) client: Client,
    pub(crate) database: tokio_postgres::Client,
    pub(crate) clock: Arc<MovedClock>,
    pub(crate) settings: Settings,
    pub(crate) base: String,
    server: Option<Server>,
    own_database: TestDatabase,
    pub(crate) redis: TestRedis,
}

/// A clock that runs, and can be moved: ids made one after the other sort so.
#[derive(Default)]
pub(crate) struct MovedClock {
    ahead: Mutex<TimeDelta>,
}

impl Clock for MovedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + *self.ahead.lock().unwrap()
    }
}

/// An organization that was seeded.
#[derive(Default)]
pub(crate) struct Shop {
    pub(crate) key: String,
    pub(crate) stripe: String,
    pub(crate) razorpay: String,
}

/// An answer read to its end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = client.execute(request).await.unwrap();
        let answer = Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        };
        documented::check(&method, &path, answer.status, &answer.headers, &answer.text);
        answer
    }

    /// Of one whose body, if it is no problem, is left alone.
    pub(crate) async fn head_of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = if status.is_success() {
            String::new()
        } else {
            response.text().await.unwrap()
        };
        Self {
            status: status.as_u16(),
            headers,
            text,
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// Field and fault of each entry of a problem, `field: fault`.
    pub(crate) fn faults(&self) -> Vec<String> {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{}",
            self.text
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert!(problem["instance"].is_string(), "{problem}");
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let line = |error: &Value| {
            let part = |name: &str| error[name].as_str().unwrap().to_owned();
            format!("{}: {}", part("field"), part("fault"))
        };
        errors.iter().map(line).collect()
    }

    /// The last segment of a problem's type.
    pub(crate) fn slug(&self) -> String {
        let kind = self.json()["type"].as_str().unwrap_or_default().to_owned();
        kind.rsplit('/').next().unwrap_or_default().to_owned()
    }
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With these settings besides.
    pub(crate) async fn with(more: &[(&str, &str)]) -> Self {
        runtime::tls::install_ring();
        let (database, redis) = tokio::join!(TestDatabase::create(), TestRedis::create());
        let settings = settings(&database, &redis, more);
        let clock = Arc::new(MovedClock::default());
        let server = Server::start(&settings, clock.clone()).await.unwrap();
        Self {
            client: Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            database: database.connect().await,
            base: format!("http://{}", server.address),
            clock,
            settings,
            server: Some(server),
            own_database: database,
            redis,
        }
    }

    /// One more plain connection to the stage's database.
    pub(crate) async fn another(&self) -> tokio_postgres::Client {
        self.own_database.connect().await
    }

    /// Awaits that one statement that begins so waits for a lock. Looked for on a
    /// connection of its own: within a transaction, as whoever holds the lock is in,
    /// `pg_stat_activity` stays as it was at the first look.
    pub(crate) async fn one_waits(&self, beginning: &str) {
        let onlooker = self.another().await;
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
             AND wait_event_type = 'Lock' AND starts_with(query, $1)";
        testkit::eventually(std::time::Duration::from_secs(30), async || {
            let row = onlooker.query_one(waiting, &[&beginning]).await.unwrap();
            row.get::<_, i64>(0) == 1
        })
        .await;
    }

    /// One more api with the same settings; end it with [`Server::finish`].
    pub(crate) async fn replica(&self) -> Server {
        Server::start(&self.settings, self.clock.clone())
            .await
            .unwrap()
    }

    /// The stage's database as services see it; its events are left to nobody.
    pub(crate) fn db(&self) -> db::Db {
        let config = db::DbConfig {
            url: self.own_database.url().clone(),
            max_connections: 2,
            acquire_timeout: std::time::Duration::from_secs(20),
        };
        db::Db::new(&config, Arc::new(db::LeaveToSweeper))
    }

    /// Ends the server as SIGTERM does.
    pub(crate) async fn finish(&mut self) {
        self.server.take().unwrap().finish().await;
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn later(&self, by: TimeDelta) {
        let mut ahead = self.clock.ahead.lock().unwrap();
        *ahead += by;
    }

    /// An organization with a Stripe and a Razorpay account, and a key of every scope.
    pub(crate) async fn shop(&self, slug: &str) -> Shop {
        let wanted = json!({
            "organization": { "name": format!("{slug} & Sons"), "slug": slug },
            "connections": [
                {
                    "provider": "stripe",
                    "account_id": format!("acct_{slug}"),
                    "credentials": { "secret_key": format!("sk_test_{slug}") },
                    "webhook_secrets": [format!("whsec_{slug}")],
                },
                {
                    "provider": "razorpay",
                    "account_id": format!("acc_{slug}"),
                    "credentials": { "key_id": format!("rzp_{slug}"), "key_secret": "hush" },
                    "webhook_secrets": [format!("rzpsec_{slug}")],
                },
            ],
        });
        let made = seed::from_json(&self.settings, &wanted.to_string())
            .await
            .unwrap();
        let made: Value = serde_json::from_str(&made).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Shop {
            key: text(&made["api_key"]),
            stripe: text(&made["connections"]["stripe"]["id"]),
            razorpay: text(&made["connections"]["razorpay"]["id"]),
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn get(&self, shop: &Shop, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).bearer_auth(&shop.key)).await
    }

    pub(crate) async fn post(&self, shop: &Shop, path: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path).bearer_auth(&shop.key);
        Answer::of(request.json(body)).await
    }

    /// As a payer's telephone does.
    pub(crate) async fn browse(&self, path: &str) -> Answer {
        let agent = "Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36";
        Answer::of(self.request(Method::GET, path).header("user-agent", agent)).await
    }

    /// Reports a failed payment, and answers the id of its recovery.
    pub(crate) async fn failed(&self, shop: &Shop, reference: &str) -> String {
        let body = json!({
            "transaction_ref": reference,
            "amount": 129_950,
            "currency": "INR",
            "gateway": "stripe",
            "failure_reason": "insufficient_funds",
            "customer": { "email": "asha@example.com", "phone": "+919812341234" },
        });
        let answer = self.post(shop, "/v1/events/payment_failed", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()["recovery_id"].as_str().unwrap().to_owned()
    }

    /// A link to a transaction's recovery: its token.
    pub(crate) async fn link(&self, shop: &Shop, reference: &str) -> String {
        let path = format!("/v1/recoveries/by_ref/{reference}/link");
        let answer = self.post(shop, &path, &json!({ "ttl_hours": 24 })).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn recovery(&self, shop: &Shop, id: &str) -> Value {
        let answer = self.get(shop, &format!("/v1/recoveries/{id}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    pub(crate) async fn recoveries(&self, shop: &Shop) -> Vec<Value> {
        let page = self.get(shop, "/v1/recoveries").await.json();
        page["data"].as_array().unwrap().clone()
    }

    /// The kinds of a recovery's timeline, in order.
    pub(crate) async fn timeline(&self, shop: &Shop, id: &str) -> Vec<String> {
        let answer = self
            .get(shop, &format!("/v1/recoveries/{id}/timeline"))
            .await;
        let entries = answer.json()["data"].as_array().unwrap().clone();
        entries
            .iter()
            .map(|entry| entry["kind"].as_str().unwrap().to_owned())
            .collect()
    }

    /// How many rows each table has.
    pub(crate) async fn counts(&self) -> BTreeMap<String, i64> {
        let tables = "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
             WHERE nspname = 'public' AND relkind IN ('r', 'p') AND NOT relispartition";
        let mut counts = BTreeMap::new();
        for row in self.database.query(tables, &[]).await.unwrap() {
            let table: String = row.get(0);
            let text = format!("SELECT count(*) FROM {table}");
            let count = self.database.query_one(&text, &[]).await.unwrap();
            counts.insert(table, count.get(0));
        }
        counts
    }

    /// Has a webhook delivery fail for good, as the notifier may.
    pub(crate) async fn end_delivery(&self, id: &str) {
        let text = "UPDATE partner_deliveries SET state = 'failed', finished_at = updated_at
             WHERE replace(id::text, '-', '') = $1";
        let bare = id.strip_prefix("whd_").unwrap();
        let ended = self.database.execute(text, &[&bare]).await.unwrap();
        assert_eq!(ended, 1, "{id}");
    }

    /// The words in which the newest PSP event's outcome was kept.
    pub(crate) async fn outcome(&self, event_id: &str) -> String {
        let text = "SELECT outcome FROM psp_events WHERE provider_event_id = $1";
        let row = self.database.query_one(text, &[&event_id]).await.unwrap();
        row.get(0)
    }
}

fn settings(database: &TestDatabase, redis: &TestRedis, more: &[(&str, &str)]) -> Settings {
    let mut variables: BTreeMap<String, String> = [
        ("DATABASE_URL", database.plain_url()),
        ("REDIS_URL", redis.url().to_owned()),
        ("TINKO__LISTEN", "127.0.0.1:0".to_owned()),
        ("TINKO__ADMIN_LISTEN", "127.0.0.1:0".to_owned()),
        (
            "TINKO__PUBLIC_BASE_URL",
            "https://pay.example.com".to_owned(),
        ),
        (
            "TINKO__MASTER_KEY",
            format!("k1:{}", STANDARD.encode([3; 32])),
        ),
        ("TINKO__LINK_KEY", STANDARD.encode([7; 32])),
        ("TINKO__STRIPE_BASE_URL", "http://127.0.0.1:9".to_owned()),
        ("TINKO__RAZORPAY_BASE_URL", "http://127.0.0.1:9".to_owned()),
        ("TINKO__CHECKOUT_TIMEOUT_MS", "3000".to_owned()),
        ("TINKO__HTTP_WORKERS", "2".to_owned()),
        ("TINKO__BODY_LIMIT_BYTES", BODY_LIMIT.to_string()),
        // A test does in a second what a person does in a day, all from one address.
        ("TINKO__RATE_AUTH", WIDE.to_owned()),
        ("TINKO__RATE_PAYER", WIDE.to_owned()),
        // A busy machine is not taken for a slow Redis.
        ("TINKO__RATE_PATIENCE_MS", "10000".to_owned()),
        ("TINKO__PARTNER_LOOPBACK", "true".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    for (name, value) in more {
        variables.insert((*name).to_owned(), (*value).to_owned());
    }
    load_from(&TABLES, variables.into_iter(), None).unwrap()
}

/// Replaces ids and times, which are never the same, by what they are.
pub(crate) fn steady(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().map(steady).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), steady(value)))
            .collect(),
        Value::String(text) => Value::String(steady_text(text)),
        other => other.clone(),
    }
}

fn steady_text(text: &str) -> String {
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    if let Some((prefix, rest)) = text.split_once('_')
        && is_hex(rest, 32)
    {
        return format!("[{prefix}]");
    }
    if DateTime::parse_from_rfc3339(text).is_ok() {
        return "[time]".to_owned();
    }
    if is_hex(&text.replace('-', ""), 32) && text.len() == 36 {
        return "[uuid]".to_owned();
    }
    text.to_owned()
}
