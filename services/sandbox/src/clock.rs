//! The one place that reads the clock. Everything else is told what time it is.

use chrono::{DateTime, Utc};

#[expect(
    clippy::disallowed_methods,
    reason = "this is the outermost edge; everything else is told the time"
)]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}
