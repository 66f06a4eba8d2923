//! Hands messages over to payers, and events to partners.

use notifier::settings::{Settings, TABLES};
use runtime::{cli, settings, shutdown::Shutdown, telemetry, tls};

const SERVICE: &str = "notifier";
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tls::install_ring();
    match cli::mode(SERVICE, VERSION) {
        cli::Mode::PrintSettings => {
            #[expect(clippy::print_stdout, reason = "the command's answer")]
            {
                print!("{}", settings::render(&TABLES)?);
            }
            Ok(())
        }
        cli::Mode::Check => notifier::check(&settings::load(&TABLES)?).await,
        cli::Mode::Run => {
            let settings: Settings = settings::load(&TABLES)?;
            let telemetry = telemetry::init(SERVICE, VERSION, &settings.common)?;
            let shutdown = Shutdown::install(settings.common.shutdown_grace())?;
            let running = Box::pin(notifier::run(settings, telemetry.metrics(), &shutdown));
            let ended = running.await;
            telemetry.shutdown().await;
            ended
        }
    }
}
