//! `tinko-dev up`: everything, until Ctrl-C; or the demo, until it has been played.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::builder::BoolishValueParser;
use devstack::demo::{self, Demo};
use devstack::stack::Server;
use devstack::{Binaries, Stack, StackOptions};
use secrecy::ExposeSecret as _;

use super::{Interruption, code_of_signal, follow};

/// Settings of the caller's own that every service is handed on.
const HANDED_ON: [&str; 2] = ["SENTRY_DSN", "SENTRY_TRACES_SAMPLE_RATE"];

#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the command line"
)]
pub(crate) struct Arguments {
    /// Holds all data, logs, ports and keys.
    #[arg(long, default_value = ".dev")]
    dir: PathBuf,
    /// Plays the demo's cases and ends, with an error if one did not go as it must.
    #[arg(long)]
    demo: bool,
    /// Removes the data of earlier starts first.
    #[arg(long)]
    reset: bool,
    /// Sends events to RabbitMQ too: the one in `ANALYTICS_SINK_URL`, else a private one.
    #[arg(long, env = "ANALYTICS_SINK", value_parser = BoolishValueParser::new())]
    sink: bool,
    /// Leaves the logs in their files.
    #[arg(long)]
    quiet: bool,
    /// `LOG_LEVEL` of every service.
    #[arg(long, env = "LOG_LEVEL", default_value = "info,actix_server=warn")]
    log_level: String,
    /// A Postgres to use instead of a private one; reached without a pooler.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// A Redis to use instead of a private one.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    redis_url: Option<String>,
    /// A RabbitMQ to use instead of a private one.
    #[arg(long, env = "ANALYTICS_SINK_URL", hide_env_values = true)]
    sink_url: Option<String>,
    /// Where spans are sent, over OTLP and gRPC.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    otlp_endpoint: Option<String>,
    /// A setting of the api alone; may be given more than once.
    #[arg(long = "api-setting", value_name = "NAME=VALUE", value_parser = setting)]
    api_settings: Vec<(String, String)>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=');
    let (name, value) = parts.ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut interruption = Interruption::listen()?;
    let demo = arguments.demo;
    let options = options(arguments)?;
    let begun = Instant::now();
    println!("starting in {}", options.folder.display());
    let mut stack = tokio::select! {
        started = Stack::start(options) => started?,
        number = interruption.received() => return Ok(code_of_signal(number)),
    };
    println!("ready after {:.1} s", begun.elapsed().as_secs_f32());
    introduce(&stack);
    let outcome = tokio::select! {
        outcome = work(&mut stack, demo) => outcome,
        number = interruption.received() => {
            println!("\nstopping");
            // Ctrl-C is how this is meant to end, unless a demo was under way.
            Ok(if demo { code_of_signal(number) } else { ExitCode::SUCCESS })
        }
    };
    stack.stop().await;
    outcome
}

async fn work(stack: &mut Stack, demo: bool) -> anyhow::Result<ExitCode> {
    if demo {
        Ok(play(stack).await)
    } else {
        keep_running(stack).await
    }
}

fn options(arguments: Arguments) -> anyhow::Result<StackOptions> {
    let server = |given: Option<String>| match given.filter(|url| !url.is_empty()) {
        Some(url) => Server::Given(url),
        None => Server::Private,
    };
    // The demo has a folder of its own, so that it can be played beside a running stack.
    let folder = arguments
        .dir
        .join(if arguments.demo { "demo" } else { "stack" });
    let mut options = StackOptions::new(folder, Binaries::find()?);
    options.postgres = server(arguments.database_url);
    options.redis = server(arguments.redis_url);
    options.sink = arguments.sink.then(|| server(arguments.sink_url));
    options.reset = arguments.reset;
    if arguments.demo {
        options.policy = demo::policy();
    }
    options.log_level = arguments.log_level;
    options.env.insert("api".to_owned(), arguments.api_settings);
    options.otlp_endpoint = arguments.otlp_endpoint.filter(|url| !url.is_empty());
    options.follow = (!arguments.demo && !arguments.quiet).then_some(follow::printer);
    for name in HANDED_ON {
        if let Ok(value) = std::env::var(name) {
            options = options.with_env("*", name, value);
        }
    }
    Ok(options)
}

async fn play(stack: &Stack) -> ExitCode {
    // Tells this run's payers from those of earlier runs on the same data.
    let run = format!("{:08x}", rand::random::<u32>());
    let report = Demo::new(stack, &run).play().await;
    let good = report.all_as_expected();
    if !good {
        println!("the logs are in {}", stack.folder().run().display());
    }
    println!("{report}");
    println!("{}", report.summary());
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Until the caller stops it. A process that ends by itself, or is killed to see what happens, is
/// started again, as an orchestrator would; one that then does not come up ends everything.
async fn keep_running(stack: &mut Stack) -> anyhow::Result<ExitCode> {
    loop {
        let (name, status, _) = stack.ended().await;
        println!("{name} has ended ({status}) and is started again");
        stack
            .restart(&name)
            .await
            .with_context(|| format!("{name} did not come back"))?;
    }
}

fn introduce(stack: &Stack) {
    let keys = &stack.keys;
    let api_key = stack.api_key().expose_secret();
    let mut lines = vec![
        ("API", stack.api_url.clone()),
        (
            "API key",
            format!(
                "{api_key} (organization {} {:?})",
                keys.organization_id, keys.organization_name
            ),
        ),
        ("inbox", stack.sandbox.inbox_url()),
        (
            "sandbox",
            format!(
                "{} (plays Stripe, Razorpay, Twilio, WhatsApp)",
                stack.sandbox.url()
            ),
        ),
        ("Stripe webhooks", keys.stripe.webhook_url.clone()),
        (
            "  signed with",
            keys.stripe.webhook_secret.expose_secret().to_owned(),
        ),
        ("Razorpay webhooks", keys.razorpay.webhook_url.clone()),
        (
            "  signed with",
            keys.razorpay.webhook_secret.expose_secret().to_owned(),
        ),
        ("Postgres", stack.postgres_url.clone()),
        ("Redis", stack.redis_url.clone()),
    ];
    lines.extend(stack.amqp_url.clone().map(|url| ("RabbitMQ", url)));
    for process in stack.processes() {
        let admin = process.ready().admin();
        lines.extend(admin.map(|admin| ("admin", format!("http://{admin} ({})", process.name()))));
    }
    lines.push(("logs", stack.folder().run().display().to_string()));
    println!();
    for (what, value) in lines {
        println!("  {what:<18} {value}");
    }
    println!();
}
