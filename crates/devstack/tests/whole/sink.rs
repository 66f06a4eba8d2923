//! The analytics sink: every event of a recovery arrives at a real RabbitMQ.

use devstack::demo::Demo;
use devstack::servers::RabbitMq;
use devstack::stack::Server;
use futures_util::StreamExt as _;
use lapin::options::{
    BasicConsumeOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties, Consumer, ExchangeKind};
use serde_json::Value;

use crate::Whole;

/// Everything that is said of recoveries from the first call on, in a queue that outlives the
/// broker's process.
async fn listen(amqp_url: &str) -> (Connection, Consumer) {
    let connection = Connection::connect(amqp_url, ConnectionProperties::default())
        .await
        .expect("a RabbitMQ");
    let channel = connection.create_channel().await.expect("a channel");
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    channel
        .exchange_declare(
            "tinko.events".into(),
            ExchangeKind::Topic,
            durable,
            FieldTable::default(),
        )
        .await
        .expect("the exchange");
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let queue = channel
        .queue_declare("whole".into(), durable, FieldTable::default())
        .await
        .expect("a queue");
    channel
        .queue_bind(
            queue.name().clone(),
            "tinko.events".into(),
            "recovery.#".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await
        .expect("a binding");
    let events = channel
        .basic_consume(
            queue.name().clone(),
            "whole-test".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await
        .expect("a consumer");
    (connection, events)
}

/// The next end of a recovery that is told, by its event's id.
async fn next_end(events: &mut Consumer) -> (String, String) {
    loop {
        let delivery = events
            .next()
            .await
            .expect("an open channel")
            .expect("a delivery");
        let event: Value = serde_json::from_slice(&delivery.data).expect("a JSON event");
        assert_eq!(event["specversion"], "1.0", "CloudEvents: {event}");
        assert_eq!(event["type"], delivery.routing_key.as_str());
        let kind = event["type"].as_str().expect("a type").to_owned();
        if kind == "recovery.recovered" || kind == "recovery.exhausted" {
            return (event["id"].to_string(), kind);
        }
    }
}

/// Five cases end, four of them recovered. Copies may come, under the same id.
async fn all_ends_are_told(events: &mut Consumer) {
    let mut ends = std::collections::BTreeMap::new();
    while ends.len() < 5 {
        let (id, kind) = next_end(events).await;
        ends.insert(id, kind);
    }
    let recovered = ends
        .values()
        .filter(|kind| *kind == "recovery.recovered")
        .count();
    assert_eq!(recovered, 4, "{ends:?}");
}

#[tokio::test]
#[ignore = "slow: ./scripts/test --all"]
async fn a_recovered_payment_is_told_to_the_sink() {
    let amqp_url = testkit::amqp_url().await;
    let (_connection, mut events) = listen(&amqp_url).await;
    let whole = Whole::start(|mut options| {
        options.sink = Some(Server::Given(amqp_url));
        options
    })
    .await;
    let report = Demo::new(&whole.stack, "sink").play().await;
    assert!(report.all_as_expected(), "{report}");
    all_ends_are_told(&mut events).await;
    whole.stack.stop().await;
}

#[tokio::test]
#[ignore = "slow: ./scripts/test --all"]
async fn recoveries_go_on_while_the_broker_is_dead_and_it_is_told_of_all_when_it_is_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("rabbitmq");
    let mut broker = RabbitMq::start(&data, None).await.expect("a RabbitMQ");
    let port = broker.port();
    let amqp_url = broker.url();
    let whole = Whole::start(|mut options| {
        options.sink = Some(Server::Given(amqp_url.clone()));
        options
    })
    .await;
    drop(listen(&amqp_url).await);
    broker.child().kill9().await;
    drop(broker);

    let report = Demo::new(&whole.stack, "sinkless").play().await;
    assert!(report.all_as_expected(), "{report}");

    let broker = RabbitMq::start(&data, Some(port)).await;
    let broker = broker.expect("a RabbitMQ that is back");
    let (_connection, mut events) = listen(&amqp_url).await;
    all_ends_are_told(&mut events).await;
    whole.stack.stop().await;
    broker.stop().await;
}
