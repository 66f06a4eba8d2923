//! Puts the parts together, runs them, and ends them in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use backbone::{Backbone, RelayTask, group_of};
use circuit::{Circuit, Scope};
use contracts::Stream;
use domain::Channel;
use futures_util::FutureExt as _;
use runtime::admin::{self, Health};
use runtime::clock::SystemClock;
use runtime::ready;
use runtime::shutdown::Shutdown;
use runtime::telemetry::Metrics;
use seal::Keyring;
use streams::{ConsumerConfig, Handler};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;
use wording::Wording;

use crate::channels::email::Email;
use crate::channels::sms::Sms;
use crate::channels::whatsapp::WhatsApp;
use crate::channels::{Courier, MailSessions, client};
use crate::desk::Desk;
use crate::events::{self, Events};
use crate::holds::Holds;
use crate::measuring::keep_measuring;
use crate::office::Office;
use crate::partners::{Dispatcher, Post, Sender};
use crate::settings::Settings;
use crate::sink::{self, Sink, keep_connected};
use crate::user_desk::UserDesk;

/// How long the last events may take to be published once the work is done; the
/// sweeper publishes what is left.
const LAST_EVENTS: Duration = Duration::from_secs(2);

/// Deliveries of an event before it is a dead letter, about seven weeks: a Postgres
/// that is away is no fault of the event's.
const OUTAGE: u64 = 100_000;

/// For `--check`: the settings agree, and Postgres and Redis can be reached.
pub async fn check(settings: &Settings) -> anyhow::Result<()> {
    settings.agree()?;
    keyring(settings)?;
    settings.guard.guard(settings.common.environment)?;
    let clock = SystemClock::shared();
    let (backbone, _relay) = Backbone::connect("notifier", &settings.backbone, clock).await?;
    backbone.check().await?;
    Ok(())
}

/// Runs the service until `shutdown`, then lets what is under way end.
pub async fn run(settings: Settings, metrics: Metrics, shutdown: &Shutdown) -> anyhow::Result<()> {
    let notifier = Notifier::connect(&settings).await?;
    let health = notifier.health();
    let listen: SocketAddr = settings.common.admin_listen;
    let admin = admin::serve(listen, health.clone(), metrics, shutdown)?;
    health.set_ready();
    ready::announce(&settings.common, &[("admin", admin.addr())])?;
    let working = Box::pin(notifier.work(shutdown.token()));
    if let Some(relay) = shutdown.finish_within_grace(working).await {
        drop(health);
        relay.drained(LAST_EVENTS).await;
    } else {
        tracing::warn!("the grace period is over; others take over what is unfinished");
    }
    admin.stop().await;
    Ok(())
}

/// The service, put together and not yet at work.
pub struct Notifier {
    settings: Settings,
    backbone: Backbone,
    relay: RelayTask,
    /// Names this process in consumer groups and on marked hand-overs.
    worker: Uuid,
    email: Desk<Email>,
    sms: Desk<Sms>,
    whatsapp: Desk<WhatsApp>,
    events: Events,
    dispatcher: Dispatcher,
    users: UserDesk,
    holds: Arc<Holds>,
    /// Publishes to the sink, if there is one.
    publishing: Option<sink::Dispatcher>,
}

impl Notifier {
    /// Reads the templates, makes the clients. Connections are made when they
    /// are first needed, so it starts while anything is away.
    pub async fn connect(settings: &Settings) -> anyhow::Result<Self> {
        settings.agree()?;
        let clock = SystemClock::shared();
        let (backbone, relay) = Backbone::connect("notifier", &settings.backbone, clock).await?;
        let worker = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
        let holds = Arc::<Holds>::default();
        let office = Office {
            backbone: backbone.clone(),
            link_key: Arc::clone(&settings.link_key),
            public_base_url: settings.public_base_url.clone(),
            worker,
            lease: settings.lease(),
            patience: settings.patience(),
            holds: Arc::clone(&holds),
        };
        let publishing = publishing(settings, &backbone)?;
        let mail_server = circuit_of::<Email>(settings);
        let deliveries = Arc::new(Notify::new());
        let dispatcher = dispatcher(settings, &backbone, worker, &deliveries)?;
        Ok(Self {
            settings: settings.clone(),
            email: office.desk(Channel::Email, email(settings)?, Arc::clone(&mail_server)),
            sms: office.desk(Channel::Sms, sms(settings)?, circuit_of::<Sms>(settings)),
            whatsapp: office.desk(
                Channel::WhatsApp,
                whatsapp(settings)?,
                circuit_of::<WhatsApp>(settings),
            ),
            users: UserDesk {
                backbone: backbone.clone(),
                link_key: Arc::clone(&settings.link_key),
                console_url: settings.console_url().clone(),
                worker,
                lease: settings.lease(),
                email: email(settings)?,
                circuit: mail_server,
            },
            events: Events::new(
                backbone.clone(),
                publishing.as_ref().map(|it| Sink {
                    news: Arc::clone(&it.news),
                }),
                deliveries,
                settings.events_concurrency,
            ),
            publishing,
            dispatcher,
            holds,
            backbone,
            relay,
            worker,
        })
    }

    /// Readiness: Postgres is critical, Redis and the analytics sink are not.
    pub fn health(&self) -> Health {
        let health = self.backbone.health();
        let Some(publishing) = &self.publishing else {
            return health;
        };
        let sink = publishing.publisher.clone();
        health.check("analytics_sink", false, move || {
            let trouble = "there is no connection to the analytics sink".to_owned();
            let state = if sink.is_connected() {
                Ok(())
            } else {
                Err(trouble)
            };
            async move { state }.boxed()
        })
    }

    /// Consumes every stream that is the notifier's until `shutdown`, and lets
    /// what is under way end. What is left is publishing the last events.
    pub async fn work(self, shutdown: CancellationToken) -> RelayTask {
        let consumers = Consumers {
            backbone: &self.backbone,
            settings: &self.settings,
            worker: self.worker,
            shutdown: &shutdown,
        };
        let mut tasks = JoinSet::new();
        let channel = Stream::Notifications;
        tasks.spawn(consumers.consume(channel(Channel::Email), self.email));
        tasks.spawn(consumers.consume(channel(Channel::Sms), self.sms));
        tasks.spawn(consumers.consume(channel(Channel::WhatsApp), self.whatsapp));
        tasks.spawn(consumers.consume(Stream::UserMails, self.users));
        tasks.spawn(consumers.consume(Stream::Events, self.events));
        tasks.spawn(self.dispatcher.run(shutdown.clone()));
        let holds = self.holds;
        tasks.spawn(holds.keep_current(self.backbone.clone(), shutdown.clone()));
        tasks.spawn(keep_measuring(
            self.backbone.clone(),
            self.publishing.is_some(),
            shutdown.clone(),
        ));
        tasks.spawn(events::keep_adding_up(
            self.backbone.clone(),
            shutdown.clone(),
        ));
        if let Some(publishing) = self.publishing {
            tasks.spawn(publishing.run(shutdown.clone()));
        }
        shutdown.cancelled().await;
        tasks.join_all().await;
        self.relay
    }
}

/// What every consumer is made from.
struct Consumers<'a> {
    backbone: &'a Backbone,
    settings: &'a Settings,
    worker: Uuid,
    shutdown: &'a CancellationToken,
}

impl Consumers<'_> {
    fn consume<H: Handler>(
        &self,
        stream: Stream,
        handler: H,
    ) -> impl Future<Output = ()> + Send + use<H> {
        let streams = self.backbone.streams.clone();
        let shutdown = self.shutdown.clone();
        streams::consume(
            streams,
            stream,
            self.config(stream),
            Arc::new(handler),
            shutdown,
        )
    }

    fn config(&self, stream: Stream) -> ConsumerConfig {
        let settings = self.settings;
        let (concurrency, max_deliveries) = match stream {
            Stream::Notifications(channel) => (settings.concurrency(channel), self.tries()),
            Stream::UserMails => (settings.concurrency(Channel::Email), self.tries()),
            Stream::Events | Stream::Failures => (settings.events_concurrency, OUTAGE),
        };
        let per_organization = match stream {
            Stream::Notifications(_) | Stream::UserMails => {
                settings.organization_share_percent.of(concurrency)
            }
            // No outsider is waited for.
            Stream::Events | Stream::Failures => concurrency,
        };
        let consumer = self.worker.simple().to_string();
        ConsumerConfig {
            concurrency,
            per_organization,
            prefetch: settings.prefetch.max(concurrency),
            take_over_after: settings.take_over_after(),
            max_deliveries,
            ..ConsumerConfig::new(group_of(stream), consumer)
        }
    }

    /// More deliveries of a message than its patience has room for, since that
    /// is what ends it: the count is for what fails otherwise, or kills the process.
    fn tries(&self) -> u64 {
        /// While the back-off still grows, and a few more.
        const AT_FIRST: u64 = 20;
        let patience = self.settings.patience().num_milliseconds();
        let longest_pause = self.settings.take_over_after().as_millis().max(1);
        let pauses = u128::try_from(patience).unwrap_or(0) / longest_pause;
        AT_FIRST + 2 * u64::try_from(pauses).unwrap_or(u64::MAX / 4)
    }
}

fn dispatcher(
    settings: &Settings,
    backbone: &Backbone,
    worker: Uuid,
    deliveries: &Arc<Notify>,
) -> anyhow::Result<Dispatcher> {
    let guard = settings.guard.guard(settings.common.environment)?;
    let sender = Sender::new(
        backbone.clone(),
        Arc::new(keyring(settings)?),
        Post::new(guard, settings.partner_timeout())?,
        worker,
        settings.partner_lease(),
    );
    let limits = settings.partner_limits();
    let poll = settings.partner_poll();
    Ok(Dispatcher::new(
        sender,
        limits,
        poll,
        Arc::clone(deliveries),
    ))
}

fn publishing(
    settings: &Settings,
    backbone: &Backbone,
) -> anyhow::Result<Option<sink::Dispatcher>> {
    let Some(url) = settings.analytics_sink_url.clone() else {
        return Ok(None);
    };
    let authority = settings.analytics_sink_ca_file.as_ref().map(|path| {
        let unusable = || {
            format!(
                "TINKO__ANALYTICS_SINK_CA_FILE={} is not usable",
                path.display()
            )
        };
        std::fs::read_to_string(path).with_context(unusable)
    });
    Ok(Some(sink::Dispatcher {
        backbone: backbone.clone(),
        publisher: keep_connected(url, authority.transpose()?),
        news: Arc::default(),
    }))
}

fn keyring(settings: &Settings) -> anyhow::Result<Keyring> {
    Keyring::parse(&settings.master_key).context("TINKO__MASTER_KEY is not usable")
}

fn circuit_of<C: Courier>(settings: &Settings) -> Arc<Circuit> {
    let limits = settings.circuit.limits();
    Arc::new(Circuit::new(C::PROVIDER, Scope::Company, limits))
}

fn email(settings: &Settings) -> anyhow::Result<Email> {
    let sessions = MailSessions::new(
        settings.smtp_url.clone(),
        settings.hand_over_timeout(),
        settings.concurrency(Channel::Email),
    );
    Ok(Email::new(
        sessions,
        Wording::new()?,
        settings.mail_from.clone(),
    ))
}

fn sms(settings: &Settings) -> anyhow::Result<Sms> {
    Ok(Sms {
        client: client(settings.hand_over_timeout())?,
        wording: Wording::new()?,
        base: settings.twilio_base_url.clone(),
        callback: callback(&settings.public_base_url),
        account: settings.twilio()?,
    })
}

/// The api's route for Twilio's status callbacks, where payers reach the api.
fn callback(public_base_url: &Url) -> Url {
    let mut url = public_base_url.clone();
    let base = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{base}/v1/webhooks/twilio/status"));
    url
}

fn whatsapp(settings: &Settings) -> anyhow::Result<WhatsApp> {
    Ok(WhatsApp {
        client: client(settings.hand_over_timeout())?,
        wording: Wording::new()?,
        base: settings.whatsapp_base_url.clone(),
        template: settings.whatsapp_template.clone(),
        languages: settings.whatsapp_languages.clone(),
        number: settings.whatsapp()?,
    })
}
