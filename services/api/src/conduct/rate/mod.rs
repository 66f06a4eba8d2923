//! How much a caller may do: rate limits.
//!
//! An authenticated request is counted twice, for its organization and for its key
//! or user, which may have a part of the organization's limit; so one merchant
//! cannot slow another, nor one key all of its merchant. It is counted once the
//! caller is known, in `Limiter::of_caller`. Who shows nothing (a login, a payer)
//! is counted by network address, in [`limit`]; a PSP by connection, once its
//! signature has proved to be genuine.
//!
//! What a limit is, and that never more is admitted, is in `domain::rate`; that
//! replicas share it, in `streams::rates`: one round trip, all buckets or none.
//! Without Redis each process counts for itself (`local`), so that the service is
//! still guarded, by as many times the limit as there are processes.
//!
//! Answers carry `RateLimit` and `RateLimit-Policy`
//! (draft-ietf-httpapi-ratelimit-headers-10), and a refusal `Retry-After`.

mod class;
mod fields;
mod local;
mod open;

use std::net::IpAddr;

use actix_web::{HttpMessage, HttpRequest};
use domain::id::ConnectionId;
use domain::rate::{Limit, Standing};
use streams::rates::{Bucket, Rates};

pub(crate) use class::Class;
pub(crate) use fields::{RATE_LIMIT, RATE_LIMIT_POLICY};
pub use open::limit;

use self::fields::Asked;
use self::local::Local;
use crate::auth::address::network;
use crate::auth::{Caller, Who};
use crate::problem::Problem;
use crate::settings::ConductSettings;

/// Counts requests.
pub struct Limiter {
    shared: Rates,
    local: Local,
    settings: ConductSettings,
}

/// One limit that holds for a request: what it is called, its bucket, and what fits.
struct Holds {
    policy: &'static str,
    bucket: String,
    limit: Limit,
}

impl Limiter {
    /// By the settings, with buckets in `shared` as long as that answers.
    pub fn new(settings: &ConductSettings, shared: Rates) -> Self {
        Self {
            shared,
            local: Local::default(),
            settings: settings.clone(),
        }
    }

    /// Counts a request of a caller who has been authenticated. The standing goes
    /// into its answer; a second look at the same request's caller costs nothing.
    pub(crate) async fn of_caller(
        &self,
        request: &HttpRequest,
        caller: &Caller,
    ) -> Result<(), Problem> {
        if request.extensions().contains::<Asked>() {
            return Ok(());
        }
        let class = Class::of(request);
        let organization = caller.tenant.organization();
        let whole = class.limit(&self.settings);
        // The organization's id is the hash tag: its buckets lie together.
        let bucket = format!("{{{organization}}}:{}", class.as_str());
        let who = match caller.who {
            Who::Key(key) => key.to_string(),
            Who::User(user, ..) => user.to_string(),
        };
        let holds = [
            Holds {
                policy: class.of_caller(),
                bucket: format!("{bucket}:{who}"),
                limit: whole.share(self.settings.rate_caller_percent),
            },
            Holds {
                policy: class.of_organization(),
                bucket,
                limit: whole,
            },
        ];
        let asked = self.ask(&holds, 1).await;
        asked.note(request, class)
    }

    /// Counts a request of nobody in particular, from this address.
    async fn of_address(
        &self,
        request: &HttpRequest,
        address: Option<IpAddr>,
        class: Class,
    ) -> Result<(), Problem> {
        let from = address.map_or_else(|| "unknown".to_owned(), network);
        let holds = [Holds {
            policy: class.of_address(),
            bucket: format!("{{{from}}}:{}", class.as_str()),
            limit: class.limit(&self.settings),
        }];
        let asked = self.ask(&holds, 1).await;
        asked.note(request, class)
    }

    /// Counts a webhook that has proved to be from this connection's PSP.
    pub(crate) async fn of_webhook(&self, connection: ConnectionId) -> Result<(), Problem> {
        let class = Class::Webhook;
        let holds = [Holds {
            policy: class.as_str(),
            bucket: format!("{{{connection}}}:{}", class.as_str()),
            limit: class.limit(&self.settings),
        }];
        self.ask(&holds, 1).await.outcome(class)
    }

    async fn ask(&self, holds: &[Holds], cost: u32) -> Asked {
        let buckets: Vec<Bucket> = holds.iter().map(Holds::bucket).collect();
        let decision = match self.shared.take(&buckets, cost).await {
            Some(decision) => decision,
            None => self.local.take(holds, cost),
        };
        let stands = |(holds, ahead): (&Holds, &u64)| -> (&'static str, Limit, Standing) {
            let standing = holds.limit.standing(*ahead, decision.admitted, cost);
            (holds.policy, holds.limit, standing)
        };
        Asked {
            admitted: decision.admitted,
            stands: holds.iter().zip(&decision.ahead).map(stands).collect(),
        }
    }
}

impl Holds {
    fn bucket(&self) -> Bucket {
        Bucket {
            name: self.bucket.clone(),
            interval: self.limit.interval(),
            burst: self.limit.burst(),
        }
    }
}
