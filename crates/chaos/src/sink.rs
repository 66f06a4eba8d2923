//! A consumer of the analytics sink: notes every event that arrives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties, ExchangeKind};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The exchange that the notifier publishes to.
const EXCHANGE: &str = "tinko.events";
/// A queue that outlives the broker's process.
const QUEUE: &str = "chaos";
/// Between two tries to connect.
const PAUSE: Duration = Duration::from_millis(500);
/// How long one try may take, and how long a consumer that gets nothing is believed: a broker that
/// was killed in the midst of an answer leaves whoever waits for the rest of it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long what the broker holds may take to arrive once all is calm.
const DRAINED_WITHIN: Duration = Duration::from_mins(1);

/// An event, and how often it came.
#[derive(Debug, Clone, Default)]
pub struct Arrived {
    /// Its type, such as `recovery.opened`.
    pub kind: String,
    /// Which recovery it is about.
    pub recovery: String,
    /// How often it came.
    pub copies: usize,
}

type Events = Arc<Mutex<BTreeMap<String, Arrived>>>;

/// A running consumer; dropping it stops it.
pub struct Sink {
    events: Events,
    amqp_url: String,
    consuming: JoinHandle<()>,
}

impl Sink {
    /// Binds a durable queue to the exchange, and consumes it from then on; a broker that goes
    /// away is connected to again.
    pub async fn start(amqp_url: String) -> anyhow::Result<Self> {
        let events = Events::default();
        let first = connect(&amqp_url).await?;
        let consuming = tokio::spawn(consume(first, amqp_url.clone(), Arc::clone(&events)));
        Ok(Self {
            events,
            amqp_url,
            consuming,
        })
    }

    /// Waits until the broker holds nothing more for the consumer, and that has noted what it had
    /// in hand; at most a minute. The rest is found missing by whoever compares.
    pub async fn drained(&self) {
        let begun = Instant::now();
        let mut before = None;
        while begun.elapsed() < DRAINED_WITHIN {
            let held = timeout(PATIENCE, held(&self.amqp_url)).await;
            let noted = self.copies();
            if matches!(held, Ok(Ok(0))) && before == Some(noted) {
                return;
            }
            before = Some(noted);
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn copies(&self) -> usize {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.values().map(|event| event.copies).sum()
    }

    /// What arrived, by the event's id.
    pub fn events(&self) -> BTreeMap<String, Arrived> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.clone()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.consuming.abort();
    }
}

struct Consuming {
    // Closed when dropped.
    _connection: Connection,
    consumer: lapin::Consumer,
}

async fn connect(amqp_url: &str) -> anyhow::Result<Consuming> {
    let connection = Connection::connect(amqp_url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let nothing = FieldTable::default;
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    let kind = ExchangeKind::Topic;
    channel
        .exchange_declare(EXCHANGE.into(), kind, durable, nothing())
        .await?;
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare(QUEUE.into(), durable, nothing())
        .await?;
    let all = QueueBindOptions::default();
    channel
        .queue_bind(QUEUE.into(), EXCHANGE.into(), "#".into(), all, nothing())
        .await?;
    let consumer = channel
        .basic_consume(
            QUEUE.into(),
            "chaos".into(),
            BasicConsumeOptions::default(),
            nothing(),
        )
        .await?;
    Ok(Consuming {
        _connection: connection,
        consumer,
    })
}

/// How many events wait in the queue.
async fn held(amqp_url: &str) -> anyhow::Result<u32> {
    let connection = Connection::connect(amqp_url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let passive = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    let queue = channel
        .queue_declare(QUEUE.into(), passive, FieldTable::default())
        .await?;
    Ok(queue.message_count())
}

async fn consume(first: Consuming, amqp_url: String, events: Events) {
    let mut next = Some(first);
    loop {
        if let Some(mut consuming) = next.take() {
            while let Ok(Some(Ok(delivery))) = timeout(PATIENCE, consuming.consumer.next()).await {
                note(&events, &delivery.data);
                let acking = delivery.ack(BasicAckOptions::default());
                if !matches!(timeout(PATIENCE, acking).await, Ok(Ok(_))) {
                    break;
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
        let connected = timeout(PATIENCE, connect(&amqp_url)).await;
        next = connected.ok().and_then(Result::ok);
    }
}

fn note(events: &Events, data: &[u8]) {
    let event: Value = serde_json::from_slice(data).unwrap_or_default();
    let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
    let mut events = events.lock().unwrap_or_else(PoisonError::into_inner);
    let arrived = events.entry(text("id")).or_default();
    arrived.kind = text("type");
    arrived.recovery = text("subject");
    arrived.copies += 1;
}
