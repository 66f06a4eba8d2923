//! What holds for every request.
//!
//! - [`observe`]: its span, its id and trace in and out, its metrics, its time limit;
//! - [`headers`]: what every answer tells browsers;
//! - [`body`]: how bodies are taken in, with their limit;
//! - [`request_id`]: what names it in answers and log lines.

pub mod body;
pub mod headers;
pub mod observe;
pub mod request_id;
