//! Spans with ids, as a process has them, for all tests of this binary.

use std::sync::OnceLock;

use runtime::settings::{COMMON, Common, load_from};
use runtime::telemetry::{self, Telemetry};
use tokio::runtime::Runtime;

/// Set up once a process, on a run-time that outlives every test's.
pub(crate) fn set_up() {
    static TELEMETRY: OnceLock<(Runtime, Telemetry)> = OnceLock::new();
    TELEMETRY.get_or_init(|| {
        std::thread::spawn(|| {
            let runtime = Runtime::new().unwrap();
            let level = std::env::var("LOG_LEVEL").unwrap_or_else(|_| "off".to_owned());
            let level = ("LOG_LEVEL".to_owned(), level);
            let common: Common = load_from(&[COMMON], [level].into_iter(), None).unwrap();
            let entered = runtime.enter();
            let telemetry = telemetry::init("retry-worker", "test", &common).unwrap();
            drop(entered);
            (runtime, telemetry)
        })
        .join()
        .unwrap()
    });
}
