//! Decides when to try again, and tries.

use retry_worker::settings::{Settings, TABLES};
use runtime::{cli, settings, shutdown::Shutdown, telemetry, tls};

const SERVICE: &str = "retry-worker";
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
        cli::Mode::Check => retry_worker::check(&settings::load(&TABLES)?).await,
        cli::Mode::Run => {
            let settings: Settings = settings::load(&TABLES)?;
            let telemetry = telemetry::init(SERVICE, VERSION, &settings.common)?;
            let shutdown = Shutdown::install(settings.common.shutdown_grace())?;
            let ended = retry_worker::run(settings, telemetry.metrics(), &shutdown).await;
            telemetry.shutdown().await;
            ended
        }
    }
}
