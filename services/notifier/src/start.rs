//! Puts the parts together, runs them, and ends them in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use backbone::{Backbone, RelayTask, group_of};
use contracts::Stream;
use domain::Channel;
use futures_util::FutureExt as _;
use metrics_exporter_prometheus::PrometheusHandle;
use runtime::admin::{self, Health};
use runtime::clock::SystemClock;
use runtime::ready;
use runtime::shutdown::Shutdown;
use streams::{ConsumerConfig, Handler};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::channels::email::Email;
use crate::channels::sms::Sms;
use crate::channels::whatsapp::WhatsApp;
use crate::channels::{MailSessions, client};
use crate::desk::{Desk, Office};
use crate::settings::Settings;
use crate::sink::{Publisher, Sink, keep_connected};
use crate::wording::Wording;

/// How long the last events may take to be published once the work is done; the
/// sweeper publishes what is left.
const LAST_EVENTS: Duration = Duration::from_secs(2);

/// For `--check`: the settings agree, and Postgres and Redis can be reached.
pub async fn check(settings: &Settings) -> anyhow::Result<()> {
    settings.agree()?;
    let clock = SystemClock::shared();
    let (backbone, _relay) = Backbone::connect("notifier", &settings.backbone, clock).await?;
    backbone.check().await?;
    Ok(())
}

/// Runs the service until `shutdown`, then lets what is under way end.
pub async fn run(
    settings: Settings,
    metrics: PrometheusHandle,
    shutdown: &Shutdown,
) -> anyhow::Result<()> {
    let notifier = Notifier::connect(&settings).await?;
    let health = notifier.health();
    let listen: SocketAddr = settings.common.admin_listen;
    let admin = admin::serve(listen, health.clone(), metrics, shutdown)?;
    health.set_ready();
    ready::announce(&settings.common, &[("admin", admin.addr())])?;
    match shutdown
        .finish_within_grace(notifier.work(shutdown.token()))
        .await
    {
        Some(relay) => {
            let relay = relay?;
            drop(health);
            relay.drained(LAST_EVENTS).await;
        }
        None => tracing::warn!(
            "the grace period is over; another process takes over what is unfinished"
        ),
    }
    admin.stop().await;
    Ok(())
}

/// The service, connected and not yet at work.
pub struct Notifier {
    settings: Settings,
    office: Office,
    relay: RelayTask,
    publisher: Option<Publisher>,
    ending: CancellationToken,
}

impl Notifier {
    /// Reads the templates, makes the clients. Connections are made when they
    /// are first needed, so it starts while anything is away.
    pub async fn connect(settings: &Settings) -> anyhow::Result<Self> {
        settings.agree()?;
        let clock = SystemClock::shared();
        let (backbone, relay) = Backbone::connect("notifier", &settings.backbone, clock).await?;
        let ending = CancellationToken::new();
        let publisher = settings
            .analytics_sink_url
            .clone()
            .map(|url| keep_connected(url, ending.clone()));
        let office = Office {
            backbone,
            link_key: Arc::clone(&settings.link_key),
            public_base_url: settings.public_base_url.clone(),
            worker: uuid::Builder::from_random_bytes(rand::random()).into_uuid(),
            lease: settings.lease(),
            patience: settings.patience(),
        };
        Ok(Self {
            settings: settings.clone(),
            office,
            relay,
            publisher,
            ending,
        })
    }

    /// Readiness: Postgres is critical, Redis and the analytics sink are not.
    pub fn health(&self) -> Health {
        let health = self.office.backbone.health();
        let Some(publisher) = self.publisher.clone() else {
            return health;
        };
        health.check("analytics_sink", false, move || {
            let trouble = "there is no connection to the analytics sink".to_owned();
            let state = if publisher.is_connected() {
                Ok(())
            } else {
                Err(trouble)
            };
            async move { state }.boxed()
        })
    }

    /// Consumes every stream that is the notifier's until `shutdown`, and lets
    /// what is under way end. What is left is publishing the last events.
    pub async fn work(self, shutdown: CancellationToken) -> anyhow::Result<RelayTask> {
        let ending = self.ending.clone();
        let following = shutdown.clone();
        let follow = async move {
            following.cancelled().await;
            ending.cancel();
        };
        let mut consumers = JoinSet::new();
        self.consume(
            &mut consumers,
            Stream::Notifications(Channel::Email),
            self.email()?,
            &shutdown,
        );
        self.consume(
            &mut consumers,
            Stream::Notifications(Channel::Sms),
            self.sms()?,
            &shutdown,
        );
        self.consume(
            &mut consumers,
            Stream::Notifications(Channel::WhatsApp),
            self.whatsapp()?,
            &shutdown,
        );
        self.consume(&mut consumers, Stream::Events, self.sink(), &shutdown);
        let Self { relay, .. } = self;
        tokio::join!(follow, consumers.join_all());
        Ok(relay)
    }

    fn consume<H: Handler>(
        &self,
        consumers: &mut JoinSet<()>,
        stream: Stream,
        handler: H,
        shutdown: &CancellationToken,
    ) {
        let streams = self.office.backbone.streams.clone();
        let config = self.consumer_config(stream);
        let handler = Arc::new(handler);
        consumers.spawn(streams::consume(
            streams,
            stream,
            config,
            handler,
            shutdown.clone(),
        ));
    }

    /// Deliveries are no measure of a message's hopes: its patience is, and a
    /// broker may be away for days. The count only stops what kills the process.
    fn consumer_config(&self, stream: Stream) -> ConsumerConfig {
        const ENOUGH: u64 = 1_000_000;
        let settings = &self.settings;
        let concurrency = match stream {
            Stream::Notifications(channel) => settings.concurrency(channel),
            Stream::Events | Stream::Failures => settings.events_concurrency,
        };
        let consumer = self.office.worker.simple().to_string();
        ConsumerConfig {
            concurrency,
            prefetch: settings.prefetch.max(concurrency),
            take_over_after: settings.take_over_after(),
            max_deliveries: ENOUGH,
            ..ConsumerConfig::new(group_of(stream), consumer)
        }
    }

    fn desk<C>(&self, courier: C) -> Desk<C> {
        Desk {
            office: self.office.clone(),
            courier,
        }
    }

    fn email(&self) -> anyhow::Result<Desk<Email>> {
        let settings = &self.settings;
        let sessions = MailSessions::new(
            settings.smtp_url.clone(),
            settings.hand_over_timeout(),
            settings.concurrency(Channel::Email),
        );
        Ok(self.desk(Email::new(
            sessions,
            Wording::new()?,
            settings.mail_from.clone(),
        )))
    }

    fn sms(&self) -> anyhow::Result<Desk<Sms>> {
        let settings = &self.settings;
        Ok(self.desk(Sms {
            client: client(settings.hand_over_timeout())?,
            wording: Wording::new()?,
            base: settings.twilio_base_url.clone(),
            account: settings.twilio()?,
        }))
    }

    fn whatsapp(&self) -> anyhow::Result<Desk<WhatsApp>> {
        let settings = &self.settings;
        Ok(self.desk(WhatsApp {
            client: client(settings.hand_over_timeout())?,
            base: settings.whatsapp_base_url.clone(),
            template: settings.whatsapp_template.clone(),
            number: settings.whatsapp()?,
        }))
    }

    fn sink(&self) -> Sink {
        Sink {
            backbone: self.office.backbone.clone(),
            publisher: self.publisher.clone(),
        }
    }
}
