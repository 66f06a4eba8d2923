//! Starts the sandbox and says on standard output where it listens.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use sandbox::{Sandbox, Settings};
use tokio::signal::unix::{SignalKind, signal};

/// Plays Stripe, Razorpay, Twilio, the WhatsApp Cloud API and a mail server.
#[derive(Debug, Parser)]
#[command(name = "sandbox", version)]
struct Arguments {
    /// Where HTTP listens; port 0 takes a free one.
    #[arg(long, env = "SANDBOX_HTTP", default_value = "127.0.0.1:0")]
    http: SocketAddr,
    /// Where SMTP listens; port 0 takes a free one.
    #[arg(long, env = "SANDBOX_SMTP", default_value = "127.0.0.1:0")]
    smtp: SocketAddr,
    /// The address that payers' browsers reach it at, if it is not the one it listens on.
    #[arg(long, env = "SANDBOX_PUBLIC_URL")]
    public_url: Option<String>,
    /// A file that gets the same line as standard output once both ports are bound.
    #[arg(long)]
    ready_file: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // An error means that a provider is installed already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tracing_subscriber::fmt()
        .json()
        .with_writer(std::io::stderr)
        .with_env_filter(tracing_subscriber::EnvFilter::from_env("LOG_LEVEL"))
        .init();
    let arguments = Arguments::parse();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    let sandbox = Sandbox::start(Settings {
        http: arguments.http,
        smtp: arguments.smtp,
        public_url: arguments.public_url,
        seed: rand::random(),
    })
    .await?;
    announce(&sandbox, arguments.ready_file)?;

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    sandbox.stop().await;
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "the line on standard output is how a starter learns the ports"
)]
fn announce(sandbox: &Sandbox, ready_file: Option<PathBuf>) -> anyhow::Result<()> {
    let line = serde_json::json!({
        "http": sandbox.http().to_string(),
        "smtp": sandbox.smtp().to_string(),
    })
    .to_string();
    println!("{line}");
    if let Some(path) = ready_file {
        // Renamed into place, so that a reader never sees half a line.
        let partial = path.with_extension("partial");
        std::fs::write(&partial, &line)
            .and_then(|()| std::fs::rename(&partial, &path))
            .with_context(|| format!("the ready file {} cannot be written", path.display()))?;
    }
    Ok(())
}
