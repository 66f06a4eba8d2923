//! All processes, with a canary in every setting that is a secret, and what can be seen of them.

use std::time::Duration;

use devstack::process::ProcessSpec;
use devstack::servers::{Durability, Postgres, PostgresOptions, Redis, RedisOptions};
use devstack::stack::Server;
use devstack::{Binaries, Stack, StackOptions, demo as played};
use tempfile::TempDir;
use testkit::otlp::Receiver;

use crate::ear::Ear;
use crate::planted;

const DATABASE: &str = "tinko";
const SERVICES: [&str; 3] = ["api", "retry-worker", "notifier"];

pub(crate) type Place = (String, String);

pub(crate) struct Installation {
    pub(crate) stack: Option<Stack>,
    pub(crate) partner: Ear,
    sentry: Option<Ear>,
    spans: Receiver,
    postgres: Option<Postgres>,
    redis: Option<Redis>,
    // Removed after the servers have let go of it.
    folder: TempDir,
}

const POSTGRES_OPTIONS: PostgresOptions = PostgresOptions {
    durability: Durability::Fast,
    port: None,
    max_connections: 100,
};

impl Installation {
    pub(crate) async fn start() -> Self {
        // An error means that a provider is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("postgres");
        let postgres = Postgres::start(&home, POSTGRES_OPTIONS).await.unwrap();
        postgres.ensure_database(DATABASE).await.unwrap();
        let home = folder.path().join("redis");
        let redis = Redis::start(&home, RedisOptions::default()).await.unwrap();
        ask_for_a_password(&redis).await;
        let spans = Receiver::start().await;
        let (sentry, partner) = (Ear::listen(200), Ear::listen(500));
        let options = options(&folder, &postgres, &redis, &spans, sentry.port);
        let stack = Stack::start(options).await.unwrap();
        Self {
            stack: Some(stack),
            partner,
            sentry: Some(sentry),
            spans,
            postgres: Some(postgres),
            redis: Some(redis),
            folder,
        }
    }

    pub(crate) fn stack(&self) -> &Stack {
        self.stack.as_ref().unwrap()
    }

    /// As `kill -9` does, and up again on the same port after `away`.
    pub(crate) async fn redis_away(&mut self, away: impl AsyncFnOnce()) {
        let mut server = self.redis.take().unwrap();
        let port = server.port();
        server.child().kill9().await;
        drop(server);
        away().await;
        let options = RedisOptions {
            port: Some(port),
            ..RedisOptions::default()
        };
        let server = Redis::start(&self.folder.path().join("redis"), options)
            .await
            .unwrap();
        ask_for_a_password(&server).await;
        self.redis = Some(server);
    }

    /// As `kill -9` does, and up again on the same port after `away`.
    pub(crate) async fn postgres_away(&mut self, away: impl AsyncFnOnce()) {
        let mut server = self.postgres.take().unwrap();
        let port = server.port();
        server.child().kill9().await;
        drop(server);
        away().await;
        let options = PostgresOptions {
            port: Some(port),
            ..POSTGRES_OPTIONS
        };
        let server = Postgres::start(&self.folder.path().join("postgres"), options).await;
        self.postgres = Some(server.unwrap());
    }

    /// Gives what is under way the time to end, and what is exported the time to arrive.
    pub(crate) async fn settle(&self, time: Duration) {
        // There is no event for "nothing more comes".
        tokio::time::sleep(time).await;
    }

    /// Metrics, command lines and what the ears heard, while everything runs.
    pub(crate) async fn places(&mut self) -> Vec<Place> {
        let mut places = Vec::new();
        for name in SERVICES {
            let process = self.stack.as_mut().unwrap().process(name).unwrap();
            let (pid, admin) = (process.pid(), process.ready().admin().unwrap());
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
            places.push((
                format!("{name}'s command line"),
                String::from_utf8_lossy(&line).into(),
            ));
            for page in ["metrics", "readyz", "healthz", "startupz"] {
                let shown = reqwest::get(format!("http://{admin}/{page}"))
                    .await
                    .unwrap();
                places.push((format!("{name}'s {page}"), shown.text().await.unwrap()));
            }
        }
        places
    }

    /// What the services' commands print, in good times and when a server's address is wrong.
    pub(crate) async fn commands(&mut self) -> Vec<Place> {
        let mut places = Vec::new();
        for name in SERVICES {
            let process = self.stack.as_mut().unwrap().process(name).unwrap();
            let spec = process.spec_mut().clone();
            for (kind, variables) in trouble() {
                for command in ["--print-settings", "--check"] {
                    let label = format!("{name} {command}, {kind}");
                    places.push((label, run(&spec, command, &variables).await));
                }
            }
        }
        places
    }

    /// Ends everything, and adds what was written to the end.
    pub(crate) async fn stop(mut self, places: &mut Vec<Place>) {
        let stack = self.stack.take().unwrap();
        let run = stack.folder().run();
        stack.stop().await;
        for file in std::fs::read_dir(run).unwrap().flatten() {
            let name = file.file_name().into_string().unwrap();
            // The sandbox plays other companies, who know these things.
            if file.path().extension().is_some_and(|end| end == "log")
                && !name.starts_with("sandbox")
            {
                let bytes = std::fs::read(file.path()).unwrap();
                places.push((name, String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        places.push(("spans".to_owned(), self.spans.everything().join("\n")));
        let sentry = self.sentry.take().unwrap();
        // The first line of an envelope is to Sentry, and may name the project's key.
        let reports = sentry.heard().into_iter();
        let reports = reports.filter_map(|it| it.split_once('\n').map(|(_, rest)| rest.to_owned()));
        places.push(("Sentry".to_owned(), reports.collect::<Vec<_>>().join("\n")));
        sentry.stop().await;
        self.partner.stop().await;
        if let Some(server) = self.redis.take() {
            server.stop().await;
        }
        if let Some(server) = self.postgres.take() {
            server.stop().await;
        }
    }
}

/// A line without its time, whose digits are nobody's.
pub(crate) fn without_time(line: &str) -> String {
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line) {
        Ok(mut fields) => {
            fields.remove("timestamp");
            // As written, so that what was escaped is seen for what it is.
            let fields = fields.iter();
            let written: Vec<_> = fields
                .map(|(name, value)| format!("{name}={value} "))
                .collect();
            written.concat()
        }
        Err(_) => line.to_owned(),
    }
}

async fn ask_for_a_password(redis: &Redis) {
    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut command = redis::cmd("CONFIG");
    command.arg(&["SET", "requirepass", planted::REDIS]);
    let () = command.query_async(&mut connection).await.unwrap();
}

/// A command of a service, with these variables in place of its own: all that it wrote.
async fn run(spec: &ProcessSpec, command: &str, variables: &[(&str, String)]) -> String {
    let mut process = tokio::process::Command::new(&spec.program);
    process.arg(command).env_clear().kill_on_drop(true);
    process.envs(spec.env.iter().cloned());
    process.envs(variables.iter().map(|(name, value)| (*name, value)));
    let output = process.output().await.unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// Addresses that lead nowhere, or that are none, each with its password.
fn trouble() -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let (postgres, redis) = (planted::POSTGRES, planted::REDIS);
    vec![
        ("well", Vec::new()),
        (
            "Postgres away",
            vec![(
                "DATABASE_URL",
                format!("postgres://tinko:{postgres}@127.0.0.1:9/tinko"),
            )],
        ),
        (
            "Postgres' address malformed",
            vec![(
                "DATABASE_URL",
                format!("postgres://tinko:{postgres}@127.0.0.1:nine/tinko"),
            )],
        ),
        (
            "Postgres' address in words",
            vec![(
                "DATABASE_URL",
                format!("host=127.0.0.1 password={postgres} user"),
            )],
        ),
        (
            "Redis away",
            vec![(
                "REDIS_URL",
                format!("redis://default:{redis}@127.0.0.1:9/0"),
            )],
        ),
        (
            "Redis' address malformed",
            vec![(
                "REDIS_URL",
                format!("redis://default:{redis}@127.0.0.1:nine/0"),
            )],
        ),
        (
            "Redis' address of no kind",
            vec![("REDIS_URL", format!("{redis}@127.0.0.1"))],
        ),
    ]
}

fn options(
    folder: &TempDir,
    postgres: &Postgres,
    redis: &Redis,
    spans: &Receiver,
    sentry: u16,
) -> StackOptions {
    let binaries = Binaries::find().unwrap();
    let mut options = StackOptions::new(folder.path().join("stack"), binaries);
    let local = |port: u16| format!("127.0.0.1:{port}");
    let at = local(postgres.port());
    options.postgres = Server::Given(format!(
        "postgres://tinko:{}@{at}/{DATABASE}",
        planted::POSTGRES
    ));
    let at = local(redis.port());
    options.redis = Server::Given(format!("redis://default:{}@{at}/0", planted::REDIS));
    options.otlp_endpoint = Some(spans.endpoint());
    options.policy = played::policy();
    // Nothing writes more than this.
    "trace".clone_into(&mut options.log_level);
    let dsn = format!("http://{}@{}/1", planted::SENTRY, local(sentry));
    for (service, name, value) in [
        ("*", "SENTRY_DSN", dsn.as_str()),
        ("*", "SENTRY_TRACES_SAMPLE_RATE", "1.0"),
        ("*", "TINKO__MASTER_KEY", &planted::master_key()),
        ("*", "TINKO__LINK_KEY", &planted::link_key()),
        (
            "api",
            "TINKO__ACCESS_TOKEN_KEYS",
            &planted::access_token_keys(),
        ),
        ("api", "TINKO__OPERATOR_TOKEN", planted::OPERATOR),
        ("api", "TWILIO_AUTH_TOKEN", planted::TWILIO),
        ("api", "WHATSAPP_APP_SECRET", planted::WHATSAPP_APP),
        ("api", "WHATSAPP_VERIFY_TOKEN", planted::WHATSAPP_VERIFY),
        ("api", "TINKO__BOUNCE_SECRET", planted::BOUNCES),
        ("notifier", "TWILIO_AUTH_TOKEN", planted::TWILIO),
        ("notifier", "WHATSAPP_TOKEN", planted::WHATSAPP),
        ("notifier", "TINKO__HAND_OVER_TIMEOUT_MS", "3000"),
    ] {
        options = options.with_env(service, name, value);
    }
    options
}
