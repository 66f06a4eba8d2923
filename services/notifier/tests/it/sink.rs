//! Events to the analytics sink, over a real RabbitMQ.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::Channel;
use futures_util::StreamExt as _;
use lapin::options::{
    BasicConsumeOptions, BasicGetOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties, Consumer, ExchangeKind};
use serde_json::Value;
use testkit::tls::{Authority, front};
use testkit::{RabbitMq, eventually};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::Url;
use uuid::Uuid;

use crate::harness::{SOON, Stage};
use crate::partners::{endpoint, shop};
use crate::receiver::Receiver;

const EXCHANGE: &str = "tinko.events";

/// A channel to a broker that has the exchange.
async fn channel_at(url: &str) -> (Connection, lapin::Channel) {
    let connection = Connection::connect(url, ConnectionProperties::default())
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    let none = FieldTable::default();
    channel
        .exchange_declare(EXCHANGE.into(), ExchangeKind::Topic, durable, none)
        .await
        .unwrap();
    (connection, channel)
}

/// A queue that gets every event from now on.
async fn listen(url: &str) -> (Connection, Consumer) {
    let (connection, channel) = channel_at(url).await;
    let none = FieldTable::default;
    let exclusive = QueueDeclareOptions {
        exclusive: true,
        ..QueueDeclareOptions::default()
    };
    let queue = channel
        .queue_declare("".into(), exclusive, none())
        .await
        .unwrap();
    let name = queue.name().clone();
    let bind = QueueBindOptions::default();
    channel
        .queue_bind(
            name.clone(),
            EXCHANGE.into(),
            "message.*".into(),
            bind,
            none(),
        )
        .await
        .unwrap();
    let options = BasicConsumeOptions {
        no_ack: true,
        ..BasicConsumeOptions::default()
    };
    let consumer = channel
        .basic_consume(name, "test".into(), options, none())
        .await
        .unwrap();
    (connection, consumer)
}

#[tokio::test]
#[ignore = "slow: ./scripts/test --all"]
async fn an_event_is_published_as_a_cloudevent_and_owed_until_it_is_confirmed() {
    let mut stage = Stage::new().await;
    let url = testkit::amqp_url().await;
    stage.set("ANALYTICS_SINK_URL", &url);
    let (_connection, mut events) = listen(&url).await;
    let running = stage.start().await;
    let asked = stage.ask(Channel::Email).await;
    let recovery = asked.recovery.to_string();
    let found = async {
        // Other tests publish to the same exchange.
        loop {
            let delivery = events.next().await.unwrap().unwrap();
            let event: Value = serde_json::from_slice(&delivery.data).unwrap();
            if event["subject"] == recovery {
                return (delivery, event);
            }
        }
    };
    let (delivery, event) = tokio::time::timeout(SOON, found).await.unwrap();
    assert_eq!(delivery.routing_key.as_str(), "message.sent");
    assert_eq!(*delivery.properties.delivery_mode(), Some(2));
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["source"], "tinko");
    assert_eq!(event["type"], "message.sent");
    assert_eq!(
        event["organizationid"],
        asked.tenant.organization().to_string()
    );
    assert_eq!(
        event["data"]["notification_id"],
        asked.notification.to_string()
    );
    assert_eq!(event["data"]["channel"], "email");
    let id = delivery
        .properties
        .message_id()
        .as_ref()
        .unwrap()
        .to_string();
    assert_eq!(event["id"], id);
    all_published(&stage).await;
    running.stop().await;
}

/// Passes connections on `listener` to `broker`; aborted, it cuts them all.
async fn pass_on(listener: TcpListener, broker: String) {
    let mut connections = JoinSet::new();
    loop {
        let (mut near, _) = listener.accept().await.unwrap();
        let mut far = TcpStream::connect(&broker).await.unwrap();
        connections.spawn(async move { copy_bidirectional(&mut near, &mut far).await });
    }
}

#[tokio::test]
#[ignore = "slow: ./scripts/test --all"]
async fn events_are_published_once_a_lost_broker_is_back() {
    let mut stage = Stage::new().await;
    let broker = Url::parse(&testkit::amqp_url().await).unwrap();
    let address = format!("{}:{}", broker.host_str().unwrap(), broker.port().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = listener.local_addr().unwrap();
    let mut through = broker.clone();
    through.set_port(Some(near.port())).unwrap();
    through.set_ip_host(near.ip()).unwrap();
    stage.set("ANALYTICS_SINK_URL", through.as_str());
    let passing = tokio::spawn(pass_on(listener, address.clone()));
    let running = stage.start().await;
    let first = stage.ask(Channel::Email).await;
    stage.becomes(&first, "sent").await;
    all_published(&stage).await;

    passing.abort();
    assert!(passing.await.unwrap_err().is_cancelled());
    let second = stage.ask(Channel::Email).await;
    stage.becomes(&second, "sent").await;
    stage.all_settled().await;
    assert_eq!(stage.count("sink_events").await, 1);

    let listener = TcpListener::bind(near).await.unwrap();
    let passing = tokio::spawn(pass_on(listener, address));
    all_published(&stage).await;
    running.stop().await;
    passing.abort();
}

/// Every event is settled, and the broker holds it.
async fn all_published(stage: &Stage) {
    stage.all_settled().await;
    eventually(SOON, async || stage.count("sink_events").await == 0).await;
}

/// An organization's message goes out, and its partner and its roll-ups hear of it, however the
/// sink is: events are settled, and what was counted is added up.
async fn nothing_waits(stage: &Stage, partner: &Receiver) {
    let before = partner.received().len();
    let asked = stage.ask(Channel::Email).await;
    stage.becomes(&asked, "sent").await;
    stage.all_settled().await;
    let told = partner.receives(before + 1).await;
    assert_eq!(told[before].json()["type"], "notification.sent");
    let sent = i64::try_from(told.len()).unwrap();
    eventually(SOON, async || messages_counted(stage).await == sent).await;
}

/// What the roll-ups say of messages that were sent.
async fn messages_counted(stage: &Stage) -> i64 {
    let sums = "SELECT coalesce(sum(number), 0)::bigint FROM rollups
         WHERE dimension = 'all' AND span_minutes = 15 AND measure = 'sent'";
    stage.client.query_one(sums, &[]).await.unwrap().get(0)
}

/// The organization of [`Stage::ask`] has a partner.
async fn partner_of(stage: &Stage) -> Receiver {
    let partner = Receiver::start().await;
    let shop = shop(&stage.backbone, "anna").await;
    endpoint(&stage.backbone, &shop, &partner, &["*"]).await;
    partner
}

#[tokio::test]
async fn a_sink_that_is_away_keeps_its_events_and_holds_back_nothing_else() {
    let mut stage = Stage::new().await;
    stage.set("ANALYTICS_SINK_URL", "amqp://127.0.0.1:1/%2f");
    let partner = partner_of(&stage).await;
    let running = stage.start().await;
    for _ in 0..2 {
        nothing_waits(&stage, &partner).await;
    }
    assert_eq!(
        stage.count("sink_events WHERE leased_until IS NULL").await,
        2
    );
    // Its end does not wait for the sink.
    tokio::time::timeout(Duration::from_secs(5), running.stop())
        .await
        .unwrap();
}

#[tokio::test]
async fn without_a_sink_nothing_is_kept_for_one() {
    let stage = Stage::new().await;
    let partner = partner_of(&stage).await;
    let running = stage.start().await;
    nothing_waits(&stage, &partner).await;
    assert_eq!(stage.count("sink_events").await, 0);
    running.stop().await;
}

/// A durable queue that keeps whatever is published from now on.
async fn keep_all(url: &str) -> (Connection, lapin::Channel) {
    let (connection, channel) = channel_at(url).await;
    let none = FieldTable::default;
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare("kept".into(), durable, none())
        .await
        .unwrap();
    let all = QueueBindOptions::default();
    channel
        .queue_bind("kept".into(), EXCHANGE.into(), "#".into(), all, none())
        .await
        .unwrap();
    (connection, channel)
}

#[tokio::test]
#[ignore = "slow: ./scripts/test --all"]
async fn a_killed_broker_gets_every_event_once_it_is_back_under_ids_that_tell_copies() {
    const MESSAGES: usize = 5;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("rabbitmq");
    let mut broker = RabbitMq::start(&data, None).await.unwrap();
    let url = broker.url();
    let port = broker.port();
    let mut stage = Stage::new().await;
    stage.set("ANALYTICS_SINK_URL", &url);
    let partner = partner_of(&stage).await;
    let kept = keep_all(&url).await;
    let running = stage.start().await;
    nothing_waits(&stage, &partner).await;
    all_published(&stage).await;

    broker.child().kill9().await;
    drop((broker, kept));
    for _ in 1..MESSAGES {
        nothing_waits(&stage, &partner).await;
    }
    assert_eq!(stage.count("sink_events").await, 4);

    let broker = RabbitMq::start(&data, Some(port)).await.unwrap();
    all_published(&stage).await;
    running.stop().await;
    let (_connection, channel) = keep_all(&url).await;
    let mut ids = BTreeSet::new();
    let no_ack = BasicGetOptions { no_ack: true };
    while let Some(message) = channel.basic_get("kept".into(), no_ack).await.unwrap() {
        let event: Value = serde_json::from_slice(&message.data).unwrap();
        assert_eq!(event["type"], "message.sent");
        ids.insert(event["id"].as_str().unwrap().to_owned());
    }
    let told = partner.received();
    let told: BTreeSet<_> = told
        .iter()
        .map(|it| uuid_of(it.header("webhook-id")).to_string())
        .collect();
    assert_eq!(ids.len(), MESSAGES);
    assert_eq!(ids, told);
    broker.stop().await;
}

#[tokio::test]
#[ignore = "slow: ./scripts/test --all"]
async fn a_broker_that_is_vouched_for_is_published_to_over_tls_and_no_other() {
    let (folder, others) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let authority = Authority::new();
    let broker = Url::parse(&testkit::amqp_url().await).unwrap();
    let upstream = format!("{}:{}", broker.host_str().unwrap(), broker.port().unwrap());
    let front = front(&authority.certify("127.0.0.1"), upstream).await;
    let url = format!("amqps://guest:guest@127.0.0.1:{}/%2f", front.port);
    let mut stage = Stage::new().await;
    stage.set("ANALYTICS_SINK_URL", &url);
    let file = "TINKO__ANALYTICS_SINK_CA_FILE";

    stage.set(file, &Authority::new().write_to(&others));
    let running = stage.start().await;
    let asked = stage.ask(Channel::Email).await;
    stage.becomes(&asked, "sent").await;
    eventually(SOON, async || front.refused() >= 2).await;
    stage.all_settled().await;
    assert_eq!(stage.count("sink_events").await, 1);
    running.stop().await;

    stage.set(file, &authority.write_to(&folder));
    let running = stage.start().await;
    all_published(&stage).await;
    running.stop().await;
}

/// The UUID of an id with a prefix.
fn uuid_of(id: &str) -> Uuid {
    id.rsplit('_').next().unwrap().parse().unwrap()
}
