//! The notifier's settings.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use backbone::{BackboneSettings, CircuitSettings, GuardSettings, Percent};
use chrono::TimeDelta;
use domain::Channel;
use domain::token::LinkKey;
use lettre::message::Mailbox;
use runtime::settings::{COMMON, Common, Setting};
use secrecy::SecretString;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use url::Url;
use wording::BuiltIn;

use crate::channels::MailServer;
use crate::partners::Limits;

/// What the notifier adds to the settings that every service has.
pub const SETTINGS: &[Setting] = &[
    Setting::required(
        "SMTP_URL",
        "smtp_url",
        "The mail server: smtps://user:password@host (TLS from the start), smtp://user:password@host:587 (STARTTLS when offered; credentials are not sent without it). ?tls=required insists on STARTTLS, ?tls=none does without it.",
    )
    .secret(),
    Setting::required(
        "TINKO__MAIL_FROM",
        "mail_from",
        "Sender of emails, as `Name <address>`; each merchant's own name stands in place of the name.",
    ),
    Setting::required(
        "TINKO__PUBLIC_BASE_URL",
        "public_base_url",
        "Base of the links that payers get: {base}/pay/{token} and {base}/unsubscribe/{token}.",
    ),
    Setting::optional(
        "TINKO__CONSOLE_URL",
        "console_url",
        "Where merchants' frontend stands: people are mailed links to {url}/invitation?token= and {url}/reset-password?token=. TINKO__PUBLIC_BASE_URL when absent.",
    ),
    Setting::required(
        "TINKO__LINK_KEY",
        "link_key",
        "Derives the tokens of recovery links, and users' codes: base64 of 32 bytes, the same for every service.",
    )
    .secret(),
    Setting::optional(
        "TWILIO_ACCOUNT_SID",
        "twilio_account_sid",
        "Twilio account that text messages are sent from; without it they fail with that reason.",
    ),
    Setting::optional(
        "TWILIO_AUTH_TOKEN",
        "twilio_auth_token",
        "Auth token of the Twilio account.",
    )
    .secret(),
    Setting::optional(
        "TWILIO_FROM",
        "twilio_from",
        "Number that text messages come from, in E.164 form.",
    ),
    Setting::with_default(
        "TINKO__TWILIO_BASE_URL",
        "twilio_base_url",
        "https://api.twilio.com",
        "Twilio's API.",
    ),
    Setting::optional(
        "WHATSAPP_TOKEN",
        "whatsapp_token",
        "Access token of the WhatsApp Cloud API; without it WhatsApp messages fail with that reason.",
    )
    .secret(),
    Setting::optional(
        "WHATSAPP_PHONE_NUMBER_ID",
        "whatsapp_phone_number_id",
        "Id of the phone number that WhatsApp messages come from.",
    ),
    Setting::with_default(
        "TINKO__WHATSAPP_BASE_URL",
        "whatsapp_base_url",
        "https://graph.facebook.com",
        "The WhatsApp Cloud API.",
    ),
    Setting::with_default(
        "TINKO__WHATSAPP_TEMPLATE",
        "whatsapp_template",
        "payment_recovery",
        "Approved WhatsApp template for organizations without one of their own, with four body parameters: payer, merchant, amount, link.",
    ),
    Setting::with_default(
        "TINKO__WHATSAPP_LANGUAGES",
        "whatsapp_languages",
        "en,hi",
        "Languages that the WhatsApp template is approved in, of `en`, `de`, `es`, `fr`, `hi` and `pt`; a payer of another language gets the first.",
    ),
    Setting::required(
        "TINKO__MASTER_KEY",
        "master_key",
        "Opens the signing keys of partner webhooks: key id and base64 of 32 bytes, as id:key, the same for every service; older keys follow after commas.",
    )
    .secret(),
    Setting::with_default(
        "TINKO__PARTNER_CONCURRENCY",
        "partner_concurrency",
        "64",
        "Most partner webhooks sent at the same time by this process.",
    ),
    Setting::with_default(
        "TINKO__PARTNER_PER_ORGANIZATION",
        "partner_per_organization",
        "16",
        "Most partner webhooks of one organization sent at the same time, by all processes together.",
    ),
    Setting::with_default(
        "TINKO__PARTNER_PER_ENDPOINT",
        "partner_per_endpoint",
        "4",
        "Most partner webhooks sent to one endpoint at the same time, by all processes together.",
    ),
    Setting::with_default(
        "TINKO__PARTNER_TIMEOUT_MS",
        "partner_timeout_ms",
        "15000",
        "Milliseconds that one partner webhook may take, its answer read; Standard Webhooks recommends 15 to 30 seconds.",
    ),
    Setting::with_default(
        "TINKO__PARTNER_POLL_MS",
        "partner_poll_ms",
        "1000",
        "Milliseconds after which due partner webhooks are looked for at the latest.",
    ),
    Setting::optional(
        "ANALYTICS_SINK_URL",
        "analytics_sink_url",
        "RabbitMQ that events are published to, as amqp://user:password@host:port/vhost, or amqps:// for TLS; none when absent. While it is away they wait in Postgres.",
    )
    .secret(),
    Setting::optional(
        "TINKO__ANALYTICS_SINK_CA_FILE",
        "analytics_sink_ca_file",
        "PEM file with the certificate of the authority that vouches for a RabbitMQ at amqps://; the system's authorities when absent.",
    ),
    Setting::with_default(
        "TINKO__EMAIL_CONCURRENCY",
        "email_concurrency",
        "16",
        "Most emails handed over at the same time by this process.",
    ),
    Setting::with_default(
        "TINKO__SMS_CONCURRENCY",
        "sms_concurrency",
        "16",
        "Most text messages handed over at the same time by this process.",
    ),
    Setting::with_default(
        "TINKO__WHATSAPP_CONCURRENCY",
        "whatsapp_concurrency",
        "16",
        "Most WhatsApp messages handed over at the same time by this process.",
    ),
    Setting::with_default(
        "TINKO__ORGANIZATION_SHARE_PERCENT",
        "organization_share_percent",
        "50",
        "Most of a channel's messages handed over at the same time that may be of one organization, from 1 to 100 percent, and at least one; what exceeds it lets others pass.",
    ),
    Setting::with_default(
        "TINKO__EVENTS_CONCURRENCY",
        "events_concurrency",
        "64",
        "Most events settled at the same time by this process.",
    ),
    Setting::with_default(
        "TINKO__PREFETCH",
        "prefetch",
        "64",
        "Most entries of one stream held by this process, those that wait for their turn included.",
    ),
    Setting::with_default(
        "TINKO__HAND_OVER_TIMEOUT_MS",
        "hand_over_timeout_ms",
        "20000",
        "Milliseconds that one step of a hand-over (a connection, an answer) may take.",
    ),
    Setting::with_default(
        "TINKO__HAND_OVER_LEASE_MS",
        "hand_over_lease_ms",
        "60000",
        "Milliseconds for which a marked hand-over is believed to be under way; at least twice the time-out.",
    ),
    Setting::with_default(
        "TINKO__MESSAGE_PATIENCE_SECONDS",
        "message_patience_seconds",
        "3600",
        "Seconds for which a message that is refused for now is tried before it fails. Its quiet hours were kept for its first try.",
    ),
    Setting::with_default(
        "TINKO__TAKE_OVER_AFTER_MS",
        "take_over_after_ms",
        "30000",
        "Milliseconds after which a silent process's stream entries are taken over; the longest pause between two tries as well.",
    ),
];

/// Every table, for loading and for `--print-settings`.
pub const TABLES: [&[Setting]; 5] = [
    COMMON,
    backbone::SETTINGS,
    backbone::PARTNER_SETTINGS,
    backbone::CIRCUIT_SETTINGS,
    SETTINGS,
];

/// See [`SETTINGS`].
#[derive(Clone, Deserialize)]
pub struct Settings {
    /// What every binary has.
    #[serde(flatten)]
    pub common: Common,
    /// Postgres and Redis.
    #[serde(flatten)]
    pub backbone: BackboneSettings,
    /// Where partner webhooks may go.
    #[serde(flatten)]
    pub guard: GuardSettings,
    /// When a message provider that is not well is left alone.
    #[serde(flatten)]
    pub circuit: CircuitSettings,
    pub(crate) smtp_url: MailServer,
    #[serde(deserialize_with = "mailbox")]
    pub(crate) mail_from: Mailbox,
    pub(crate) public_base_url: Url,
    console_url: Option<Url>,
    #[serde(deserialize_with = "link_key")]
    pub(crate) link_key: Arc<LinkKey>,
    twilio_account_sid: Option<String>,
    twilio_auth_token: Option<SecretString>,
    twilio_from: Option<String>,
    pub(crate) twilio_base_url: Url,
    whatsapp_token: Option<SecretString>,
    whatsapp_phone_number_id: Option<String>,
    pub(crate) whatsapp_base_url: Url,
    pub(crate) whatsapp_template: String,
    #[serde(deserialize_with = "languages")]
    pub(crate) whatsapp_languages: Vec<BuiltIn>,
    pub(crate) master_key: SecretString,
    partner_concurrency: usize,
    partner_per_organization: usize,
    partner_per_endpoint: usize,
    partner_timeout_ms: u32,
    partner_poll_ms: u32,
    pub(crate) analytics_sink_url: Option<SecretString>,
    pub(crate) analytics_sink_ca_file: Option<PathBuf>,
    email_concurrency: usize,
    sms_concurrency: usize,
    whatsapp_concurrency: usize,
    pub(crate) organization_share_percent: Percent,
    pub(crate) events_concurrency: usize,
    pub(crate) prefetch: usize,
    hand_over_timeout_ms: u32,
    hand_over_lease_ms: u32,
    message_patience_seconds: u32,
    take_over_after_ms: u32,
}

/// Settings that do not fit together.
#[derive(Debug, thiserror::Error)]
pub enum SettingsConflict {
    /// A provider's account is given in part.
    #[error("{missing} is not set, but its companions are: set all of {group}, or none")]
    InPart {
        /// The one that is missing.
        missing: &'static str,
        /// All of them.
        group: &'static str,
    },
    /// The lease would end while a hand-over is still under way.
    #[error(
        "TINKO__HAND_OVER_LEASE_MS must be at least twice TINKO__HAND_OVER_TIMEOUT_MS, since a hand-over and its look-up may each take that long"
    )]
    ShortLease,
}

/// A Twilio account and the number to send from.
#[derive(Clone)]
pub(crate) struct TwilioAccount {
    pub(crate) sid: String,
    pub(crate) auth_token: SecretString,
    pub(crate) from: String,
}

/// A WhatsApp Cloud API phone number.
#[derive(Clone)]
pub(crate) struct WhatsAppNumber {
    pub(crate) token: SecretString,
    pub(crate) phone_number_id: String,
}

impl Settings {
    /// Refuses settings that are right one by one and wrong together.
    pub fn agree(&self) -> Result<(), SettingsConflict> {
        self.twilio()?;
        self.whatsapp()?;
        if self.hand_over_lease_ms < self.hand_over_timeout_ms.saturating_mul(2) {
            return Err(SettingsConflict::ShortLease);
        }
        Ok(())
    }

    pub(crate) fn twilio(&self) -> Result<Option<TwilioAccount>, SettingsConflict> {
        const GROUP: &str = "TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_FROM";
        let in_part = |missing| SettingsConflict::InPart {
            missing,
            group: GROUP,
        };
        match (
            self.twilio_account_sid.clone(),
            self.twilio_auth_token.clone(),
            self.twilio_from.clone(),
        ) {
            (None, None, None) => Ok(None),
            (Some(sid), Some(auth_token), Some(from)) => Ok(Some(TwilioAccount {
                sid,
                auth_token,
                from,
            })),
            (None, _, _) => Err(in_part("TWILIO_ACCOUNT_SID")),
            (_, None, _) => Err(in_part("TWILIO_AUTH_TOKEN")),
            (_, _, None) => Err(in_part("TWILIO_FROM")),
        }
    }

    pub(crate) fn whatsapp(&self) -> Result<Option<WhatsAppNumber>, SettingsConflict> {
        const GROUP: &str = "WHATSAPP_TOKEN and WHATSAPP_PHONE_NUMBER_ID";
        let in_part = |missing| SettingsConflict::InPart {
            missing,
            group: GROUP,
        };
        match (
            self.whatsapp_token.clone(),
            self.whatsapp_phone_number_id.clone(),
        ) {
            (None, None) => Ok(None),
            (Some(token), Some(phone_number_id)) => Ok(Some(WhatsAppNumber {
                token,
                phone_number_id,
            })),
            (None, _) => Err(in_part("WHATSAPP_TOKEN")),
            (_, None) => Err(in_part("WHATSAPP_PHONE_NUMBER_ID")),
        }
    }

    /// Where merchants' frontend stands.
    pub(crate) fn console_url(&self) -> &Url {
        self.console_url.as_ref().unwrap_or(&self.public_base_url)
    }

    pub(crate) const fn concurrency(&self, channel: Channel) -> usize {
        match channel {
            Channel::Email => self.email_concurrency,
            Channel::Sms => self.sms_concurrency,
            Channel::WhatsApp => self.whatsapp_concurrency,
        }
    }

    pub(crate) fn hand_over_timeout(&self) -> Duration {
        Duration::from_millis(self.hand_over_timeout_ms.into())
    }

    /// How many partner webhooks may be under way.
    pub(crate) const fn partner_limits(&self) -> Limits {
        Limits {
            in_all: self.partner_concurrency,
            per_organization: self.partner_per_organization,
            per_endpoint: self.partner_per_endpoint,
        }
    }

    pub(crate) fn partner_timeout(&self) -> Duration {
        Duration::from_millis(self.partner_timeout_ms.into())
    }

    /// Twice a request, and time to record it.
    pub(crate) fn partner_lease(&self) -> TimeDelta {
        TimeDelta::milliseconds(i64::from(self.partner_timeout_ms) * 2) + TimeDelta::seconds(5)
    }

    pub(crate) fn partner_poll(&self) -> Duration {
        Duration::from_millis(self.partner_poll_ms.into())
    }

    pub(crate) fn lease(&self) -> TimeDelta {
        TimeDelta::milliseconds(self.hand_over_lease_ms.into())
    }

    pub(crate) fn patience(&self) -> TimeDelta {
        TimeDelta::seconds(self.message_patience_seconds.into())
    }

    pub(crate) fn take_over_after(&self) -> Duration {
        Duration::from_millis(self.take_over_after_ms.into())
    }
}

fn mailbox<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Mailbox, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse()
        .map_err(|_| D::Error::custom("it must be a sender, as `Name <address@domain>`"))
}

fn link_key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<LinkKey>, D::Error> {
    let text = String::deserialize(deserializer)?;
    LinkKey::parse(text.trim())
        .map(Arc::new)
        .map_err(D::Error::custom)
}

fn languages<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<BuiltIn>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let codes = text.split(',').map(str::trim);
    let languages: Option<Vec<_>> = codes
        .map(|code| BuiltIn::ALL.into_iter().find(|it| it.code() == code))
        .collect();
    languages.ok_or_else(|| {
        D::Error::custom("it must be languages of en, de, es, fr, hi and pt, with commas")
    })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use runtime::settings::load_from;

    use super::*;

    fn load(extra: &[(&str, &str)]) -> Result<Settings, String> {
        let link_key = STANDARD.encode([7; 32]);
        let master_key = format!("k1:{link_key}");
        let given = [
            ("DATABASE_URL", "postgres://x"),
            ("REDIS_URL", "redis://x"),
            ("SMTP_URL", "smtp://127.0.0.1:25"),
            ("TINKO__MAIL_FROM", "Tinko <recovery@tinko.example>"),
            ("TINKO__PUBLIC_BASE_URL", "https://pay.example.com"),
            ("TINKO__LINK_KEY", &link_key),
            ("TINKO__MASTER_KEY", &master_key),
        ];
        let env = given.iter().chain(extra);
        let env = env.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        // The last one of a name wins.
        let env: std::collections::BTreeMap<_, _> = env.collect();
        load_from(&TABLES, env.into_iter(), None).map_err(|error| error.to_string())
    }

    #[test]
    fn the_least_settings_start_it_without_the_optional_channels() {
        let settings = load(&[]).unwrap();
        assert!(settings.agree().is_ok());
        assert!(settings.twilio().unwrap().is_none() && settings.whatsapp().unwrap().is_none());
    }

    #[test]
    fn an_account_given_in_part_is_refused_by_name() {
        let settings = load(&[("TWILIO_ACCOUNT_SID", "AC1"), ("TWILIO_FROM", "+1")]).unwrap();
        let conflict = settings.agree().unwrap_err().to_string();
        assert!(
            conflict.starts_with("TWILIO_AUTH_TOKEN is not set"),
            "{conflict}"
        );
    }

    #[test]
    fn a_lease_shorter_than_a_hand_over_is_refused() {
        let settings = load(&[("TINKO__HAND_OVER_LEASE_MS", "30000")]).unwrap();
        assert!(matches!(
            settings.agree(),
            Err(SettingsConflict::ShortLease)
        ));
    }

    #[test]
    fn a_language_that_there_is_not_is_refused() {
        let settings = load(&[("TINKO__WHATSAPP_LANGUAGES", "pt, en")]).unwrap();
        assert_eq!(
            settings.whatsapp_languages,
            [BuiltIn::Portuguese, BuiltIn::English]
        );
        for languages in ["en,xx", "en,", "english"] {
            let error = load(&[("TINKO__WHATSAPP_LANGUAGES", languages)]).map(|_| ());
            assert!(
                error.unwrap_err().contains("TINKO__WHATSAPP_LANGUAGES"),
                "{languages}"
            );
        }
    }

    #[test]
    fn a_secret_that_does_not_read_is_named_and_not_shown() {
        for (name, value, secret) in [
            ("TINKO__LINK_KEY", "c2hvcnQ=", "c2hvcnQ="),
            ("SMTP_URL", "imap://user:hunter2@mail.example", "hunter2"),
        ] {
            let error = load(&[(name, value)]).map(|_| ()).unwrap_err();
            assert!(error.contains(name) && !error.contains(secret), "{error}");
        }
    }
}
