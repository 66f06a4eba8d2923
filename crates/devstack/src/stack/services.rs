//! Which program runs with which settings. Each is given only the settings it knows, since an
//! unknown one stops its start.

use std::time::Duration;

use super::folder::Folder;
use super::options::StackOptions;
use super::ports::Ports;
use super::secrets::Secrets;
use super::seed;
use crate::os::port::free_port;
use crate::process::ProcessSpec;

pub(super) const SANDBOX: &str = "sandbox";
const API: &str = "api";
const RETRY_WORKER: &str = "retry-worker";
const NOTIFIER: &str = "notifier";
/// Overrides by this name are for every service.
const EVERY_SERVICE: &str = "*";

/// Long enough for work in hand, short enough for whoever pressed Ctrl-C.
const GRACE_SECONDS: u64 = 5;

/// A rate limit that nothing here meets.
const WIDE: &str = "100000/s burst 1000000";

type Env = Vec<(String, String)>;

/// Where everything is.
#[derive(Debug)]
pub(super) struct Addresses {
    pub(super) postgres_url: String,
    pub(super) redis_url: String,
    pub(super) amqp_url: Option<String>,
    pub(super) public_url: Option<String>,
    pub(super) ports: Ports,
}

impl Addresses {
    pub(super) fn api_url(&self) -> String {
        let own = || format!("http://127.0.0.1:{}", self.ports.api);
        self.public_url.clone().unwrap_or_else(own)
    }

    pub(super) fn sandbox_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.sandbox)
    }

    pub(super) fn smtp_url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.ports.smtp)
    }
}

/// Everything that goes into a program's settings.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) options: &'a StackOptions,
    pub(super) folder: &'a Folder,
    pub(super) secrets: &'a Secrets,
    pub(super) addresses: Addresses,
}

impl Plan<'_> {
    /// `api migrate`.
    pub(super) fn migrate(&self) -> ProcessSpec {
        self.api_command("migrate")
    }

    /// `api seed`.
    pub(super) fn seed(&self) -> ProcessSpec {
        self.api_command("seed")
    }

    pub(super) fn sandbox(&self) -> ProcessSpec {
        let mut spec = self.spec(SANDBOX, &self.options.binaries.sandbox);
        let listen = |port: u16| format!("127.0.0.1:{port}");
        let ports = self.addresses.ports;
        spec.args = [
            "--http",
            &listen(ports.sandbox),
            "--smtp",
            &listen(ports.smtp),
        ]
        .into_iter()
        .chain(["--ready-file", "{ready_file}"])
        .map(str::to_owned)
        .collect();
        spec.env = self.overridden(
            SANDBOX,
            pairs([("LOG_LEVEL", self.options.log_level.as_str())]),
        );
        spec
    }

    /// Every replica of every service.
    pub(super) fn services(&self) -> Vec<ProcessSpec> {
        let (binaries, replicas) = (&self.options.binaries, self.options.replicas);
        let numbered = |service: &'static str, count: usize| {
            (1..=count).map(move |n| match n {
                1 => service.to_owned(),
                n => format!("{service}-{n}"),
            })
        };
        let apis = numbered(API, replicas.api)
            .enumerate()
            .map(|(index, name)| {
                let port = if index == 0 {
                    self.addresses.ports.api
                } else {
                    free_port()
                };
                self.service(API, &name, &binaries.api, self.api_env(port))
            });
        let workers = numbered(RETRY_WORKER, replicas.retry_worker)
            .map(|name| self.service(RETRY_WORKER, &name, &binaries.retry_worker, self.psp_env()));
        let notifiers = numbered(NOTIFIER, replicas.notifier)
            .map(|name| self.service(NOTIFIER, &name, &binaries.notifier, self.notifier_env()));
        apis.chain(workers).chain(notifiers).collect()
    }

    fn service(
        &self,
        service: &str,
        name: &str,
        program: &std::path::Path,
        own: Env,
    ) -> ProcessSpec {
        let mut spec = self.spec(name, program);
        let ready_file = spec.ready_file().to_string_lossy().into_owned();
        let mut env = self.shared_env();
        env.push(("TINKO__READY_FILE".to_owned(), ready_file));
        env.extend(own);
        spec.env = self.overridden(service, env);
        for (_, value) in &mut spec.env {
            *value = value.replace("{name}", name);
        }
        spec
    }

    /// A command of the api, with the api's own settings. It goes to Postgres itself, whatever the
    /// services are told to reach it through.
    pub(super) fn api_command(&self, command: &str) -> ProcessSpec {
        let mut spec = self.spec(&format!("{API}-{command}"), &self.options.binaries.api);
        spec.args = vec![command.to_owned()];
        let env = [self.shared_env(), self.api_env(self.addresses.ports.api)].concat();
        spec.env = self.overridden(API, env);
        let direct = [("DATABASE_URL", self.addresses.postgres_url.as_str())];
        spec.env.extend(pairs(direct));
        spec.ready_within = Duration::from_mins(2);
        spec
    }

    fn spec(&self, name: &str, program: &std::path::Path) -> ProcessSpec {
        let mut spec = ProcessSpec::new(name, program, &self.folder.run());
        spec.follow = self.options.follow.map(|follow| follow(name));
        spec.stop_within = Duration::from_secs(GRACE_SECONDS + 5);
        spec
    }

    fn shared_env(&self) -> Env {
        let grace = GRACE_SECONDS.to_string();
        let mut env = pairs([
            ("ENVIRONMENT", "development"),
            ("LOG_LEVEL", self.options.log_level.as_str()),
            ("DATABASE_URL", self.addresses.postgres_url.as_str()),
            ("REDIS_URL", self.addresses.redis_url.as_str()),
            ("TINKO__ADMIN_LISTEN", "127.0.0.1:0"),
            ("TINKO__SHUTDOWN_GRACE_SECONDS", grace.as_str()),
        ]);
        if let Some(endpoint) = &self.options.otlp_endpoint {
            env.extend(pairs([("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())]));
        }
        env
    }

    /// What api and retry-worker need to reach the PSPs for an organization.
    fn psp_env(&self) -> Env {
        let sandbox = self.addresses.sandbox_url();
        pairs([
            ("TINKO__MASTER_KEY", self.secrets.master_key.as_str()),
            ("TINKO__LINK_KEY", self.secrets.link_key.as_str()),
            ("TINKO__STRIPE_BASE_URL", &format!("{sandbox}/stripe")),
            ("TINKO__RAZORPAY_BASE_URL", &format!("{sandbox}/razorpay")),
            // The sandbox has no limits, and measurements must not find those of Stripe.
            ("TINKO__PSP_REQUESTS_PER_SECOND", "10000"),
        ])
    }

    fn api_env(&self, port: u16) -> Env {
        let mut env = self.psp_env();
        env.extend(pairs([
            ("TINKO__LISTEN", format!("127.0.0.1:{port}").as_str()),
            ("TINKO__PUBLIC_BASE_URL", &self.addresses.api_url()),
            ("TWILIO_AUTH_TOKEN", seed::TWILIO_AUTH_TOKEN),
            ("WHATSAPP_APP_SECRET", seed::WHATSAPP_APP_SECRET),
            ("WHATSAPP_VERIFY_TOKEN", "local"),
            ("TINKO__BOUNCE_SECRET", seed::BOUNCE_SECRET),
            ("TINKO__PARTNER_LOOPBACK", "true"),
            // One machine plays all merchants, PSPs and payers, as fast as it can.
            ("TINKO__RATE_READ", WIDE),
            ("TINKO__RATE_WRITE", WIDE),
            ("TINKO__RATE_INGEST", WIDE),
            ("TINKO__RATE_WEBHOOK", WIDE),
            ("TINKO__RATE_AUTH", WIDE),
            ("TINKO__RATE_PAYER", WIDE),
        ]));
        env
    }

    fn notifier_env(&self) -> Env {
        let sandbox = self.addresses.sandbox_url();
        let mut env = pairs([
            ("TINKO__PUBLIC_BASE_URL", self.addresses.api_url().as_str()),
            ("TINKO__LINK_KEY", &self.secrets.link_key),
            ("TINKO__MASTER_KEY", &self.secrets.master_key),
            ("TINKO__PARTNER_LOOPBACK", "true"),
            ("SMTP_URL", &self.addresses.smtp_url()),
            ("TINKO__MAIL_FROM", "Tinko <recovery@tinko.example>"),
            ("TWILIO_ACCOUNT_SID", seed::TWILIO_ACCOUNT),
            ("TWILIO_AUTH_TOKEN", seed::TWILIO_AUTH_TOKEN),
            // Twilio's number for tests that always succeeds.
            ("TWILIO_FROM", "+15005550006"),
            ("TINKO__TWILIO_BASE_URL", &format!("{sandbox}/twilio")),
            ("WHATSAPP_TOKEN", "local"),
            ("WHATSAPP_PHONE_NUMBER_ID", seed::WHATSAPP_NUMBER),
            ("TINKO__WHATSAPP_BASE_URL", &format!("{sandbox}/whatsapp")),
        ]);
        if let Some(url) = &self.addresses.amqp_url {
            env.extend(pairs([("ANALYTICS_SINK_URL", url.as_str())]));
        }
        env
    }

    /// Later values of a name win, as they do when a process is given them in this order.
    fn overridden(&self, service: &str, mut env: Env) -> Env {
        let every = if service == SANDBOX {
            ""
        } else {
            EVERY_SERVICE
        };
        for name in [every, service] {
            env.extend(self.options.env.get(name).into_iter().flatten().cloned());
        }
        env
    }
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Env {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
