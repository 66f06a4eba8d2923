//! What every Tinko binary shares: settings, telemetry, the admin server and an orderly end.
//!
//! It knows nothing of payments, of the database or of Redis; those are handed in where they are
//! needed (readiness checks are closures). What it promises:
//!
//! - A wrong, unknown or missing setting stops the start with a sentence that names it, and no
//!   secret is ever printed ([`settings`]).
//! - Every log line and every unit of work has a trace id, with or without a collector
//!   ([`trace`], [`telemetry`]); trouble with a collector or with Sentry never slows or stops work.
//! - Payer data does not leave in an error report ([`telemetry`]).
//! - `/healthz`, `/readyz`, `/startupz` and `/metrics` answer on a port of their own ([`admin`]).
//! - SIGTERM is one request to finish, with a deadline ([`shutdown`]).
//!
//! # The commonest change: a setting more
//!
//! Add a [`settings::Setting`] to the service's table and a field of the same key to its settings
//! struct. The error sentences, `--print-settings` and the documentation follow from those two
//! lines.
//!
//! # The order of things in a `main`
//!
//! ```no_run
//! use runtime::{admin, cli, ready, settings, shutdown::Shutdown, telemetry, tls};
//!
//! # const MINE: &[settings::Setting] = &[];
//! #[derive(serde::Deserialize)]
//! struct Settings {
//!     #[serde(flatten)]
//!     common: settings::Common,
//! }
//!
//! # async fn main_() -> Result<(), Box<dyn std::error::Error>> {
//! tls::install_ring();
//! let mode = cli::mode("api", env!("CARGO_PKG_VERSION"));
//! let tables = [settings::COMMON, MINE];
//! if mode == cli::Mode::PrintSettings {
//!     // print `settings::render(&tables)?` and return
//! }
//! let settings: Settings = settings::load(&tables)?;
//! let telemetry = telemetry::init("api", env!("CARGO_PKG_VERSION"), &settings.common)?;
//! let shutdown = Shutdown::install(settings.common.shutdown_grace())?;
//! let health = admin::Health::new();
//! let admin = admin::serve(
//!     settings.common.admin_listen,
//!     health.clone(),
//!     telemetry.metrics(),
//!     &shutdown,
//! )?;
//! // start the work, then:
//! health.set_ready();
//! ready::announce(&settings.common, &[("admin", admin.addr())])?;
//! shutdown.requested().await;
//! // finish the work, then:
//! admin.stop().await;
//! telemetry.shutdown().await;
//! # Ok(()) }
//! ```

pub mod admin;
pub mod cli;
pub mod clock;
pub mod outgoing;
pub mod ready;
pub mod settings;
pub mod shutdown;
pub mod telemetry;
pub mod tls;
pub mod trace;
