//! What an answer says of its limits.
//!
//! `RateLimit-Policy` tells the limits that hold: `q`, the quota, is what fits at
//! once, and `w`, its window, the seconds in which all of it comes back. `RateLimit`
//! tells how they stand: `r` is left now, and after `t` seconds it is whole again
//! (draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4).

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest};
use domain::rate::{Limit, Standing};

use super::Class;
use crate::problem::Problem;

pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Microseconds in a second.
const SECOND: u64 = 1_000_000;

/// What was decided of a request, and how each of its limits stands by now.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) admitted: bool,
    pub(super) stands: Vec<(&'static str, Limit, Standing)>,
}

impl Asked {
    /// Leaves the standing with the request, for [`Asked::write`], and answers
    /// whether it may go on.
    pub(super) fn note(self, request: &HttpRequest, class: Class) -> Result<(), Problem> {
        let outcome = self.outcome(class);
        request.extensions_mut().insert(self);
        outcome
    }

    pub(super) fn outcome(&self, class: Class) -> Result<(), Problem> {
        if self.admitted {
            return Ok(());
        }
        metrics::counter!("api_rate_limited_total", "class" => class.as_str()).increment(1);
        let waits = self.stands.iter().map(|(.., stands)| stands.retry_after);
        Err(Problem::rate_limited(
            seconds(waits.max().unwrap_or(0)).max(1),
        ))
    }

    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let policies = self.stands.iter().map(|(name, limit, _)| {
            format!(
                "\"{name}\";q={};w={}",
                limit.burst(),
                seconds(limit.window())
            )
        });
        let stands = self.stands.iter().map(|(name, _, stands)| {
            format!(
                "\"{name}\";r={};t={}",
                stands.remaining,
                seconds(stands.full_after)
            )
        });
        for (header, items) in [
            (RATE_LIMIT_POLICY, policies.collect::<Vec<_>>()),
            (RATE_LIMIT, stands.collect()),
        ] {
            if let Ok(value) = HeaderValue::from_str(&items.join(", ")) {
                headers.insert(header, value);
            }
        }
    }
}

/// Whole seconds, rounded up.
fn seconds(micros: u64) -> u32 {
    u32::try_from(micros.div_ceil(SECOND)).unwrap_or(u32::MAX)
}
