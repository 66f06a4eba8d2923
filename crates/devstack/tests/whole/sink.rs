//! The analytics sink: every event of a recovery arrives at a real RabbitMQ.

use devstack::demo::Demo;
use devstack::stack::Server;
use futures_util::StreamExt as _;
use lapin::options::{
    BasicConsumeOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties, Consumer, ExchangeKind};
use serde_json::Value;

use crate::Whole;

/// Everything that is said of recoveries, from before the first is opened.
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
    let queue = channel
        .queue_declare(
            "".into(),
            QueueDeclareOptions::default(),
            FieldTable::default(),
        )
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

    // Five cases: four recovered, one given up. Copies may come, under the same id.
    let mut ends = std::collections::BTreeMap::new();
    while ends.len() < 5 {
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
            ends.insert(event["id"].to_string(), kind);
        }
    }
    let recovered = ends
        .values()
        .filter(|kind| *kind == "recovery.recovered")
        .count();
    assert_eq!(recovered, 4, "{ends:?}");
    whole.stack.stop().await;
}
