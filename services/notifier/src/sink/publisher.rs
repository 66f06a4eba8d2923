//! The connection to the broker, kept up by one task, and publishing through it.

use std::time::Duration;

use db::sink::Owed;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions};
use lapin::tcp::OwnedTLSConfig;
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::watch;
use tokio::time::timeout;

use super::cloud_event::MEDIA_TYPE;

/// The durable topic exchange that events go to, by their type.
pub(super) const EXCHANGE: &str = "tinko.events";
/// Survives a restart of the broker, in a durable queue.
const PERSISTENT: u8 = 2;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How often the connection is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// A broker that takes longer to answer is away.
const CONNECT: Duration = Duration::from_secs(10);

/// Why an event is not published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    #[error("the analytics sink is away")]
    Away,
    #[error("the analytics sink did not confirm the event in time")]
    Unconfirmed,
    #[error("the analytics sink did not take the event")]
    Refused,
}

/// Publishes through whatever connection there is. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Publisher {
    channel: watch::Receiver<Option<Channel>>,
}

/// Keeps a connection up until every publisher is gone; the task it spawns reconnects by itself.
/// `authority` vouches for the broker, in PEM; the system's authorities when there is none.
pub(crate) fn keep_connected(url: SecretString, authority: Option<String>) -> Publisher {
    let (current, channel) = watch::channel(None);
    let publisher = Publisher { channel };
    tokio::spawn(async move {
        let mut pause = FIRST_PAUSE;
        while !current.is_closed() {
            match connect(&url, authority.as_deref()).await {
                Ok((connection, channel)) => {
                    pause = FIRST_PAUSE;
                    tracing::info!("connected to the analytics sink");
                    hold(&connection, &channel, &current).await;
                    current.send_replace(None);
                    // An error means that it is closed already; one that hangs is left to its heartbeats.
                    let _ = timeout(CONNECT, connection.close(200, "OK".into())).await;
                }
                Err(error) => {
                    metrics::counter!("notifier_sink_connect_errors_total").increment(1);
                    tracing::warn!(%error, "the analytics sink cannot be reached; trying until it can");
                    let _ = timeout(pause, current.closed()).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    });
    publisher
}

/// Lends the channel out while the broker takes events; returns when the connection or its channel
/// is lost, or nobody is left to publish. What is published while the broker has blocked the
/// connection (its memory or disk is full) would wait in this process's memory.
async fn hold(
    connection: &Connection,
    channel: &Channel,
    current: &watch::Sender<Option<Channel>>,
) {
    while connection.status().connected() && channel.status().connected() {
        let is_blocked = connection.status().blocked();
        current.send_if_modified(|lent| {
            let is_news = lent.is_some() == is_blocked;
            *lent = (!is_blocked).then(|| channel.clone());
            is_news
        });
        // lapin tells of a lost connection by an event, of a lost channel by its status only.
        if timeout(LOOK, current.closed()).await.is_ok() {
            return;
        }
    }
}

async fn connect(
    url: &SecretString,
    authority: Option<&str>,
) -> Result<(Connection, Channel), String> {
    let connecting = async {
        let properties =
            ConnectionProperties::default().with_connection_name("tinko-notifier".into());
        let tls = OwnedTLSConfig {
            identity: None,
            cert_chain: authority.map(ToOwned::to_owned),
        };
        let runtime = lapin::runtime::default_runtime()?;
        let url = url.expose_secret();
        let connection = Connection::connect_with_config(url, properties, tls, runtime).await?;
        let channel = connection.create_channel().await?;
        let durable = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        channel
            .exchange_declare(
                EXCHANGE.into(),
                ExchangeKind::Topic,
                durable,
                FieldTable::default(),
            )
            .await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        Ok::<_, lapin::Error>((connection, channel))
    };
    match timeout(CONNECT, connecting).await {
        Ok(connected) => connected.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {CONNECT:?}")),
    }
}

impl Publisher {
    /// Publishes and waits for the broker's confirmation, for as long as `patience`.
    pub(super) async fn publish(
        &self,
        owed: &Owed,
        patience: Duration,
    ) -> Result<(), PublishError> {
        let channel = self.channel.borrow().clone().ok_or(PublishError::Away)?;
        let kind = owed.kind.as_str();
        let properties = BasicProperties::default()
            .with_content_type(MEDIA_TYPE.into())
            .with_delivery_mode(PERSISTENT)
            .with_message_id(owed.id.to_string().into())
            .with_type(kind.into())
            .with_app_id("tinko".into());
        let confirmed = async {
            let options = BasicPublishOptions::default();
            let (exchange, body) = (EXCHANGE.into(), &owed.body);
            let sent = channel.basic_publish(exchange, kind.into(), options, body, properties);
            sent.await?.await
        };
        match timeout(patience, confirmed).await {
            Ok(Ok(confirmation)) if confirmation.is_ack() => Ok(()),
            Ok(Ok(_)) => Err(PublishError::Refused),
            Ok(Err(error)) => {
                tracing::debug!(%error, "the connection to the analytics sink is lost");
                Err(PublishError::Away)
            }
            Err(_) => Err(PublishError::Unconfirmed),
        }
    }

    /// Whether there is a connection that takes events, for readiness.
    pub(crate) fn is_connected(&self) -> bool {
        self.channel.borrow().is_some()
    }

    /// Waits for one. False when there never will be one, since its keeper is gone.
    pub(super) async fn connected(&self) -> bool {
        self.channel.clone().wait_for(Option::is_some).await.is_ok()
    }
}
