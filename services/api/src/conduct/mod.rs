//! What holds for every request.
//!
//! - [`observe`]: its span, its id and trace in and out, its metrics, its time limit;
//! - [`headers`]: what every answer tells browsers;
//! - [`body`]: how bodies are taken in, with their limit;
//! - `idempotency`: a request that is sent again has its effect once;
//! - [`rate`]: how much a caller may do;
//! - [`request_id`]: what names it in answers and log lines.

pub mod body;
pub mod headers;
pub(crate) mod idempotency;
pub mod observe;
pub mod rate;
pub mod request_id;
