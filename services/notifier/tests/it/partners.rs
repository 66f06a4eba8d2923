//! Webhooks to partners, from the event to their servers.

#![expect(clippy::similar_names, reason = "a receiver, and what it received")]

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backbone::Backbone;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use db::events::Event;
use db::partners::{self as stored, NewEndpoint, NewKey, StoredDelivery};
use db::{Tenant, organizations, timeline};
use domain::Category;
use domain::id::{Outbox, RecoveryId, WebhookEndpoint, WebhookEndpointId};
use domain::partner::{DeliveryState, EventFilter, EventType, RETRY_DELAYS, SignatureKind};
use notifier::partners::{Dispatcher, Limits, Post, Sender, tell};
use partners::{Guard, SigningKey};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use runtime::clock::{Clock, SystemClock};
use seal::Keyring;
use serde_json::json;
use testkit::eventually;
use tokio::process::Command;
use uuid::Uuid;

use crate::harness::{MASTER_KEY, SOON, Stage, open_recovery};
use crate::receiver::{Receiver, Say};

/// A clock that runs, and can be moved.
#[derive(Default)]
struct MovedClock(Mutex<TimeDelta>);

impl Clock for MovedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + *self.0.lock().unwrap()
    }
}

/// A stage whose deliveries are sent step by step, at a time of the test's own.
struct Driven {
    stage: Stage,
    clock: Arc<MovedClock>,
    backbone: Backbone,
    dispatcher: Dispatcher,
}

/// An organization that something happens to.
pub(crate) struct Shop {
    tenant: Tenant,
    recovery: RecoveryId,
}

/// An endpoint of one, with its key.
pub(crate) struct Endpoint {
    id: WebhookEndpointId,
    key: SigningKey,
}

fn keyring() -> Keyring {
    let text = format!("k1:{}", STANDARD.encode(MASTER_KEY));
    Keyring::parse(&text.into()).unwrap()
}

pub(crate) async fn shop(backbone: &Backbone, slug: &str) -> Shop {
    let mut tx = backbone.db.begin(backbone.cause()).await.unwrap();
    let (tenant, _) = organizations::ensure(&mut tx, slug, slug).await.unwrap();
    let closes_at = tx.now() + TimeDelta::days(7);
    let category = Category::InsufficientFunds;
    let recovery = open_recovery(&mut tx, tenant, category, closes_at).await;
    tx.commit().await.unwrap();
    Shop { tenant, recovery }
}

pub(crate) async fn endpoint(
    backbone: &Backbone,
    shop: &Shop,
    receiver: &Receiver,
    patterns: &[&str],
) -> Endpoint {
    let mut rng = StdRng::from_rng(&mut rand::rng());
    let key = SigningKey::generate(SignatureKind::Hmac, &mut rng);
    let mut tx = backbone.db.begin(backbone.cause()).await.unwrap();
    let id = tx.new_id::<WebhookEndpoint>();
    let sealed = key.seal(&keyring(), (shop.tenant.organization(), id), &mut rng);
    let new = NewEndpoint {
        id,
        url: &receiver.url(),
        description: "",
        filter: &EventFilter::parse(patterns).unwrap(),
        signature: SignatureKind::Hmac,
        key_sealed: &sealed.unwrap(),
        public_key: None,
        enabled: true,
    };
    stored::add(&mut tx, shop.tenant, &new, 20).await.unwrap();
    tx.commit().await.unwrap();
    Endpoint { id, key }
}

impl Driven {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let clock = Arc::new(MovedClock::default());
        let mut backbone = stage.backbone.clone();
        backbone.clock = clock.clone();
        let guard = Guard::new(vec![443], true);
        let sender = Sender::new(
            backbone.clone(),
            Arc::new(keyring()),
            Post::new(guard, Duration::from_secs(2)).unwrap(),
            Uuid::from_u128(1),
            TimeDelta::seconds(30),
        );
        let limits = Limits {
            in_all: 32,
            per_organization: 16,
            per_endpoint: 8,
        };
        let dispatcher = Dispatcher::new(sender, limits, Duration::from_secs(1), Arc::default());
        Self {
            stage,
            clock,
            backbone,
            dispatcher,
        }
    }

    fn later(&self, by: TimeDelta) {
        *self.clock.0.lock().unwrap() += by;
    }

    async fn step(&self) -> usize {
        self.dispatcher.step().await.unwrap()
    }

    /// Something happens to the shop's recovery; answers how many deliveries follow.
    async fn happens(&self, shop: &Shop, kind: &str, id: Uuid) -> usize {
        let mut tx = self.backbone.db.begin(self.backbone.cause()).await.unwrap();
        let event = Event {
            tenant: shop.tenant,
            outbox: tx.new_id::<Outbox>(),
            id,
            kind,
            recovery: shop.recovery,
            data: "{}",
            at: tx.now(),
        };
        let listeners = stored::listeners(tx.conn(), shop.tenant).await.unwrap();
        let told = tell(&mut tx, &event, &listeners).await.unwrap();
        tx.commit().await.unwrap();
        told
    }

    fn new_event(&self) -> Uuid {
        let mut rng = StdRng::from_rng(&mut rand::rng());
        domain::id::PartnerEventId::new(self.clock.now(), &mut rng).uuid()
    }

    async fn opened(&self, shop: &Shop) -> Uuid {
        let id = self.new_event();
        assert!(self.happens(shop, "recovery.opened", id).await > 0);
        id
    }

    async fn deliveries(&self, shop: &Shop, endpoint: &Endpoint) -> Vec<StoredDelivery> {
        let mut conn = self.backbone.db.read().await.unwrap();
        let found = stored::deliveries(&mut conn, shop.tenant, endpoint.id, None, None, 100);
        found.await.unwrap()
    }

    async fn states(&self, shop: &Shop, endpoint: &Endpoint) -> Vec<DeliveryState> {
        let deliveries = self.deliveries(shop, endpoint).await;
        deliveries.iter().map(|it| it.state).collect()
    }

    async fn stored(&self, shop: &Shop, endpoint: &Endpoint) -> stored::StoredEndpoint {
        let mut conn = self.backbone.db.read().await.unwrap();
        let found = stored::find(&mut conn, shop.tenant, endpoint.id);
        found.await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_failing_delivery_is_tried_by_the_schedule_under_one_id_and_then_given_up() {
    let driven = Driven::new().await;
    let receiver = Receiver::start().await;
    receiver.usually(Say::Status(500));
    let shop = shop(&driven.backbone, "anna").await;
    let endpoint = endpoint(&driven.backbone, &shop, &receiver, &["*"]).await;
    driven.opened(&shop).await;
    assert_eq!(driven.step().await, 1);
    for delay in RETRY_DELAYS {
        assert_eq!(driven.step().await, 0, "before {delay}");
        driven.later(delay - TimeDelta::seconds(2));
        assert_eq!(driven.step().await, 0, "just before {delay}");
        // Jitter adds a fifth at most.
        driven.later(delay / 5 + TimeDelta::seconds(3));
        assert_eq!(driven.step().await, 1, "after {delay}");
    }
    assert_eq!(
        driven.states(&shop, &endpoint).await,
        [DeliveryState::Failed]
    );
    let received = receiver.received();
    assert_eq!(received.len(), 10);
    let mut times = Vec::new();
    for request in &received {
        assert_eq!(
            request.header("webhook-id"),
            received[0].header("webhook-id")
        );
        assert_eq!(request.body, received[0].body);
        assert!(request.is_signed_with(&endpoint.key));
        times.push(request.header("webhook-timestamp").to_owned());
    }
    times.dedup();
    assert_eq!(times.len(), 10, "each try is signed at its own time");
    let delivery = &driven.deliveries(&shop, &endpoint).await[0];
    let mut conn = driven.backbone.db.read().await.unwrap();
    let tries = stored::tries(&mut conn, shop.tenant, delivery.id, 100)
        .await
        .unwrap();
    assert_eq!(tries.len(), 10);
    assert!(tries.iter().all(|it| it.status == Some(500)));
    let signature = &tries[0].request_headers["webhook-signature"];
    assert_eq!(signature, "v1,…", "a signature is not kept");
}

#[tokio::test]
async fn a_wish_to_be_left_alone_is_heeded_and_what_arrives_later_ends_it() {
    let driven = Driven::new().await;
    let receiver = Receiver::start().await;
    receiver.answer(&[Say::With(503, "retry-after: 3600", String::new())]);
    let shop = shop(&driven.backbone, "anna").await;
    let endpoint = endpoint(&driven.backbone, &shop, &receiver, &["recovery.*"]).await;
    driven.opened(&shop).await;
    assert_eq!(driven.step().await, 1);
    driven.later(TimeDelta::minutes(59));
    assert_eq!(driven.step().await, 0);
    driven.later(TimeDelta::minutes(2));
    assert_eq!(driven.step().await, 1);
    assert_eq!(
        driven.states(&shop, &endpoint).await,
        [DeliveryState::Delivered]
    );
    assert_eq!(driven.stored(&shop, &endpoint).await.health.failures, 0);
}

#[tokio::test]
async fn an_event_is_told_once_to_each_endpoint_that_wants_it_and_to_nobody_else() {
    let driven = Driven::new().await;
    let receiver = Receiver::start().await;
    let (anna, ben) = (
        shop(&driven.backbone, "anna").await,
        shop(&driven.backbone, "ben").await,
    );
    let all = endpoint(&driven.backbone, &anna, &receiver, &["*"]).await;
    let links = endpoint(&driven.backbone, &anna, &receiver, &["link.*"]).await;
    let bens = endpoint(&driven.backbone, &ben, &receiver, &["*"]).await;
    let id = driven.new_event();
    assert_eq!(driven.happens(&anna, "recovery.opened", id).await, 1);
    assert_eq!(
        driven.happens(&anna, "recovery.opened", id).await,
        0,
        "a copy"
    );
    let unpublished = driven.new_event();
    assert_eq!(
        driven.happens(&anna, "attempt.put_off", unpublished).await,
        0
    );
    assert_eq!(driven.deliveries(&anna, &all).await.len(), 1);
    assert!(driven.deliveries(&anna, &links).await.is_empty());
    assert!(driven.deliveries(&ben, &bens).await.is_empty());
    // With another's tenant nothing of it is there.
    assert!(driven.deliveries(&ben, &all).await.is_empty());
    let delivery = &driven.deliveries(&anna, &all).await[0];
    let mut conn = driven.backbone.db.read().await.unwrap();
    let others = stored::delivery(&mut conn, ben.tenant, delivery.id).await;
    assert!(others.unwrap().is_none());
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_disabled_and_the_others_hear_of_it() {
    let driven = Driven::new().await;
    let (receiver, other) = (Receiver::start().await, Receiver::start().await);
    receiver.usually(Say::Status(410));
    let shop = shop(&driven.backbone, "anna").await;
    let gone = endpoint(&driven.backbone, &shop, &receiver, &["recovery.*"]).await;
    endpoint(&driven.backbone, &shop, &other, &["endpoint.*"]).await;
    driven.opened(&shop).await;
    driven.step().await;
    let now = driven.stored(&shop, &gone).await;
    assert!(!now.enabled);
    assert_eq!(now.disabled_reason.as_deref(), Some("it answered 410 Gone"));
    assert_eq!(driven.step().await, 1);
    let told = other.received().remove(0).json();
    assert_eq!(told["type"], "endpoint.disabled");
    assert_eq!(told["data"]["endpoint_id"], gone.id.to_string());
    let audit = "SELECT actor, action, object FROM audit_log";
    let row = driven.stage.client.query_one(audit, &[]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "notifier");
    assert_eq!(row.get::<_, String>(1), "webhook_endpoint.disabled");
    assert_eq!(row.get::<_, String>(2), gone.id.to_string());
    let more = driven.new_event();
    assert_eq!(driven.happens(&shop, "recovery.opened", more).await, 0);
}

#[tokio::test]
async fn five_days_of_failing_disable_an_endpoint() {
    let driven = Driven::new().await;
    let receiver = Receiver::start().await;
    receiver.usually(Say::Status(500));
    let shop = shop(&driven.backbone, "anna").await;
    let endpoint = endpoint(&driven.backbone, &shop, &receiver, &["*"]).await;
    let mut days = 0;
    while driven.stored(&shop, &endpoint).await.enabled {
        driven.opened(&shop).await;
        driven.step().await;
        driven.later(TimeDelta::days(1));
        days += 1;
    }
    assert_eq!(
        days, 6,
        "the first try is at the start, the last after five days"
    );
    let now = driven.stored(&shop, &endpoint).await;
    let reason = now.disabled_reason.as_deref();
    assert_eq!(reason, Some("deliveries to it failed for five days"));
    let states = driven.states(&shop, &endpoint).await;
    assert!(
        states
            .iter()
            .all(|state| state.is_final() || *state == DeliveryState::Pending)
    );
    assert!(states.contains(&DeliveryState::Cancelled), "{states:?}");
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let driven = Driven::new().await;
    let (receiver, elsewhere) = (Receiver::start().await, Receiver::start().await);
    let location: &'static str = format!("location: {}", elsewhere.url()).leak();
    receiver.answer(&[Say::With(307, location, String::new())]);
    let shop = shop(&driven.backbone, "anna").await;
    let endpoint = endpoint(&driven.backbone, &shop, &receiver, &["*"]).await;
    driven.opened(&shop).await;
    driven.step().await;
    let delivery = &driven.deliveries(&shop, &endpoint).await[0];
    assert_eq!(
        (delivery.state, delivery.last_status),
        (DeliveryState::Pending, Some(307))
    );
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn an_answer_is_read_up_to_four_kibibytes() {
    let driven = Driven::new().await;
    let receiver = Receiver::start().await;
    receiver.answer(&[Say::With(200, "x-long: 1", "a\0".repeat(500_000))]);
    let shop = shop(&driven.backbone, "anna").await;
    let endpoint = endpoint(&driven.backbone, &shop, &receiver, &["*"]).await;
    driven.opened(&shop).await;
    driven.step().await;
    let delivery = &driven.deliveries(&shop, &endpoint).await[0];
    assert_eq!(delivery.state, DeliveryState::Delivered);
    let mut conn = driven.backbone.db.read().await.unwrap();
    let tries = stored::tries(&mut conn, shop.tenant, delivery.id, 1)
        .await
        .unwrap();
    assert_eq!(tries[0].answer.as_ref().unwrap().chars().count(), 4_096);
}

#[tokio::test]
async fn both_secrets_sign_until_the_overlap_ends() {
    let driven = Driven::new().await;
    let receiver = Receiver::start().await;
    let shop = shop(&driven.backbone, "anna").await;
    let endpoint = endpoint(&driven.backbone, &shop, &receiver, &["*"]).await;
    let mut rng = StdRng::from_rng(&mut rand::rng());
    let next = SigningKey::generate(SignatureKind::Ed25519, &mut rng);
    let sealed = next.seal(
        &keyring(),
        (shop.tenant.organization(), endpoint.id),
        &mut rng,
    );
    let public = next.public();
    let mut tx = driven
        .backbone
        .db
        .begin(driven.backbone.cause())
        .await
        .unwrap();
    let new = NewKey {
        signature: SignatureKind::Ed25519,
        sealed: &sealed.unwrap(),
        public: public.as_deref(),
        old_until: tx.now() + TimeDelta::hours(1),
    };
    stored::rotate(&mut tx, shop.tenant, endpoint.id, &new)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    driven.opened(&shop).await;
    driven.step().await;
    driven.later(TimeDelta::hours(2));
    driven.opened(&shop).await;
    driven.step().await;
    let received = receiver.received();
    assert!(received[0].is_signed_with(&endpoint.key) && received[0].is_signed_with(&next));
    assert!(!received[1].is_signed_with(&endpoint.key) && received[1].is_signed_with(&next));
    assert!(received[1].header("webhook-signature").starts_with("v1a,"));
}

#[tokio::test]
async fn a_tripped_breaker_lets_one_probe_through_and_its_success_all_the_rest() {
    let driven = Driven::new().await;
    let receiver = Receiver::start().await;
    receiver.usually(Say::Status(500));
    let shop = shop(&driven.backbone, "anna").await;
    let endpoint = endpoint(&driven.backbone, &shop, &receiver, &["*"]).await;
    for _ in 0..8 {
        driven.opened(&shop).await;
    }
    assert_eq!(driven.step().await, 8);
    assert!(driven.stored(&shop, &endpoint).await.health.is_tripped());
    driven.later(TimeDelta::seconds(10));
    assert_eq!(
        driven.step().await,
        0,
        "all are due, and the endpoint is paused"
    );
    driven.later(TimeDelta::seconds(30));
    assert_eq!(driven.step().await, 1, "the probe");
    assert_eq!(driven.step().await, 0, "it failed: paused for longer");
    receiver.usually(Say::Status(200));
    driven.later(TimeDelta::seconds(61));
    assert_eq!(driven.step().await, 1, "the second probe");
    assert_eq!(driven.step().await, 6, "all that is due");
    assert_eq!(
        driven.stored(&shop, &endpoint).await.health.failing_since,
        None
    );
}

#[tokio::test]
async fn a_time_is_replayed_in_order_at_a_pace_under_the_same_ids() {
    let driven = Driven::new().await;
    let receiver = Receiver::start().await;
    let shop = shop(&driven.backbone, "anna").await;
    let endpoint = endpoint(&driven.backbone, &shop, &receiver, &["*"]).await;
    let from = driven.clock.now() - TimeDelta::seconds(1);
    for _ in 0..3 {
        driven.opened(&shop).await;
        driven.later(TimeDelta::milliseconds(5));
    }
    driven
        .happens(&shop, "link.opened", driven.new_event())
        .await;
    assert_eq!(driven.step().await, 4);
    driven.later(TimeDelta::minutes(1));
    let mut tx = driven
        .backbone
        .db
        .begin(driven.backbone.cause())
        .await
        .unwrap();
    let (range, pace) = ((from, driven.clock.now()), TimeDelta::minutes(1));
    let types = [EventType::RecoveryOpened];
    let queued = stored::replay(&mut tx, shop.tenant, endpoint.id, range, &types, pace).await;
    assert_eq!(queued.unwrap(), Some(3));
    tx.commit().await.unwrap();
    for _ in 0..3 {
        assert_eq!(driven.step().await, 1);
        assert_eq!(driven.step().await, 0);
        driven.later(TimeDelta::minutes(1));
    }
    let ids: Vec<String> = receiver
        .received()
        .iter()
        .filter(|it| it.json()["type"] == "recovery.opened")
        .map(|it| it.header("webhook-id").to_owned())
        .collect();
    let (first, again) = ids.split_at(3);
    let mut first = first.to_vec();
    first.sort_unstable();
    assert_eq!(first, again);
}

#[tokio::test]
async fn a_process_killed_between_request_and_record_is_made_good_under_the_same_id() {
    let mut stage = Stage::new().await;
    stage.set("TINKO__ADMIN_LISTEN", "127.0.0.1:0");
    let receiver = Receiver::start().await;
    let shop = shop(&stage.backbone, "anna").await;
    let endpoint = endpoint(&stage.backbone, &shop, &receiver, &["*"]).await;
    // Held until the process is dead: its answer reaches nobody.
    receiver.answer(&[Say::Nothing]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_notifier"));
    command
        .env_clear()
        .envs(stage.variables())
        .stdout(Stdio::null());
    let mut child = command
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    announce(&stage.backbone, &shop).await;
    let first = receiver.receives(1).await.remove(0);
    child.kill().await.unwrap();
    let sending = "UPDATE partner_deliveries SET lease_until = now() - interval '1 second'
         WHERE state = 'sending'";
    assert_eq!(stage.client.execute(sending, &[]).await.unwrap(), 1);
    let running = stage.start().await;
    let received = receiver.receives(2).await;
    assert_eq!(received[1].header("webhook-id"), first.header("webhook-id"));
    assert_eq!(received[1].body, first.body);
    assert!(received[1].is_signed_with(&endpoint.key));
    let state = "SELECT state, tries FROM partner_deliveries";
    eventually(SOON, async || {
        let row = stage.client.query_one(state, &[]).await.unwrap();
        (row.get::<_, String>(0).as_str(), row.get::<_, i32>(1)) == ("delivered", 2)
    })
    .await;
    let log = "SELECT error FROM partner_tries ORDER BY number LIMIT 1";
    let row = stage.client.query_one(log, &[]).await.unwrap();
    assert!(row.get::<_, String>(0).contains("ended before"));
    running.stop().await;
}

async fn announce(backbone: &Backbone, shop: &Shop) {
    let mut tx = backbone.db.begin(backbone.cause()).await.unwrap();
    let detail = json!({ "category": "insufficient_funds", "hardness": "soft", "source": "api" });
    let (kind, why) = ("recovery.opened", "The payment failed");
    timeline::announce(&mut tx, shop.tenant, shop.recovery, kind, why, detail);
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn what_happens_reaches_the_partner_and_a_slow_one_keeps_nobody_elses_waiting() {
    let stage = Stage::new().await;
    let (slow, quick) = (Receiver::start().await, Receiver::start().await);
    slow.usually(Say::Nothing);
    let anna = shop(&stage.backbone, "anna").await;
    let ben = shop(&stage.backbone, "ben").await;
    endpoint(&stage.backbone, &anna, &slow, &["*"]).await;
    endpoint(&stage.backbone, &ben, &quick, &["*"]).await;
    let running = stage.start().await;
    for _ in 0..40 {
        announce(&stage.backbone, &anna).await;
    }
    slow.receives(4).await;
    announce(&stage.backbone, &ben).await;
    let got = quick.receives(1).await.remove(0);
    // Four places are an endpoint's, and the slow one has filled them.
    assert_eq!(slow.received().len(), 4);
    let mut payload = got.json();
    assert_eq!(payload["id"], got.header("webhook-id"));
    for id in ["id", "timestamp"] {
        payload[id] = json!(format!("[{id}]"));
    }
    for id in ["recovery_id", "transaction_id", "transaction_ref"] {
        payload["data"][id] = json!(format!("[{id}]"));
    }
    insta::assert_json_snapshot!("recovery_opened_as_a_partner_gets_it", payload);
    running.kill().await;
}
