//! Events to the analytics sink, over a real RabbitMQ.

use std::time::Duration;

use domain::Channel;
use futures_util::StreamExt as _;
use lapin::options::{
    BasicConsumeOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties, Consumer, ExchangeKind};
use serde_json::Value;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::harness::{SOON, Stage};

/// A queue that gets every event from now on.
async fn listen(url: &str) -> (Connection, Consumer) {
    let connection = Connection::connect(url, ConnectionProperties::default())
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    let none = FieldTable::default;
    channel
        .exchange_declare("tinko.events".into(), ExchangeKind::Topic, durable, none())
        .await
        .unwrap();
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
            "tinko.events".into(),
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
async fn an_event_is_published_as_a_cloudevent_and_settled_once_confirmed() {
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
    stage.all_settled().await;
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
    let broker = url::Url::parse(&testkit::amqp_url().await).unwrap();
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
    stage.all_settled().await;

    passing.abort();
    assert!(passing.await.unwrap_err().is_cancelled());
    let second = stage.ask(Channel::Email).await;
    stage.becomes(&second, "sent").await;
    let owed = "SELECT count(*) FROM outbox WHERE stream = 'events' AND dead_at IS NULL";
    let row = stage.client.query_one(owed, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);

    let listener = TcpListener::bind(near).await.unwrap();
    let passing = tokio::spawn(pass_on(listener, address));
    stage.all_settled().await;
    running.stop().await;
    passing.abort();
}

#[tokio::test]
async fn a_sink_that_is_away_keeps_its_events_and_holds_back_nothing_else() {
    let mut stage = Stage::new().await;
    stage.set("ANALYTICS_SINK_URL", "amqp://127.0.0.1:1/%2f");
    let running = stage.start().await;
    for _ in 0..2 {
        let asked = stage.ask(Channel::Email).await;
        stage.becomes(&asked, "sent").await;
    }
    let owed = "SELECT count(*) FROM outbox WHERE stream = 'events' AND dead_at IS NULL";
    let row = stage.client.query_one(owed, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 2);
    // Its end does not wait for the sink.
    tokio::time::timeout(Duration::from_secs(5), running.stop())
        .await
        .unwrap();
}
