//! What holds for every request.
//!
//! - [`observe`]: its span, its id and trace in and out, its metrics, its time limit;
//! - [`headers`]: what every answer tells browsers;
//! - [`etag`]: what is unchanged is not sent again, and a change is made to what was seen;
//! - [`framing`]: a request ends in one place; [`closing`]: so does a connection of a process that ends;
//! - `crowd`: how many requests are worked on at once;
//! - [`coding`]: compression; [`cors`]: other sites' pages; [`methods`]: HEAD and OPTIONS;
//! - [`body`]: how bodies are taken in, with their limit;
//! - `idempotency`: a request that is sent again has its effect once;
//! - [`rate`]: how much a caller may do;
//! - [`request_id`]: what names it in answers and log lines.

pub mod body;
pub mod closing;
pub mod coding;
pub mod cors;
pub(crate) mod crowd;
pub mod etag;
pub mod framing;
pub mod headers;
pub(crate) mod idempotency;
pub mod methods;
pub mod observe;
pub(crate) mod patch;
pub mod rate;
pub mod request_id;
