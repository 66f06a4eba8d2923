//! Records facts: verifies, classifies, writes, answers.

use api::commands::{self, Command};
use api::settings::{Settings, TABLES};
use runtime::{cli, settings, shutdown::Shutdown, telemetry, tls};

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tls::install_ring();
    let command = commands::read(api::SERVICE, VERSION);
    if command == Command::Serve(cli::Mode::PrintSettings) {
        #[expect(clippy::print_stdout, reason = "the command's answer")]
        {
            print!("{}", settings::render(&TABLES)?);
        }
        return Ok(());
    }
    if command == Command::OpenApi {
        commands::openapi::run();
        return Ok(());
    }
    let settings: Settings = settings::load(&TABLES)?;
    match command {
        Command::Migrate => commands::migrate::run(&settings).await,
        Command::Seed => commands::seed::run(&settings).await,
        Command::RebuildRollups(wanted) => commands::rebuild_rollups::run(&settings, &wanted).await,
        Command::Serve(cli::Mode::Check) => api::check(&settings).await,
        Command::OpenApi | Command::Serve(_) => {
            let telemetry = telemetry::init(api::SERVICE, VERSION, &settings.common)?;
            let shutdown = Shutdown::install(settings.common.shutdown_grace())?;
            let ended = api::run(settings, telemetry.metrics(), &shutdown).await;
            telemetry.shutdown().await;
            ended
        }
    }
}
