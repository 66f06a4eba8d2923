//! The body: a policy, and what it is to be played over.

use domain::RetryPolicy;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::MOST;
use super::given::Given;
use crate::conduct::body::Body;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::policies::make;

/// The most days back that are read.
const MOST_DAYS: u32 = 90;

pub(super) struct Asked {
    pub(super) policy: RetryPolicy,
    pub(super) over: Over,
}

/// What a policy is played over.
pub(super) enum Over {
    /// These failures.
    Given(Vec<Given>),
    /// The organization's recoveries that opened in the last days, the newest first.
    LastDays(u32),
}

/// A policy, and what it is played over: `failures` or `last_days`, not both.
#[derive(Deserialize, ToSchema)]
#[schema(as = Simulation)]
pub(super) struct Wanted {
    #[schema(min_items = 1, max_items = 1_000)]
    failures: Option<Vec<Given>>,
    #[schema(minimum = 1, maximum = 90)]
    last_days: Option<u32>,
    /// The policy, in the older fields or under `document`, as it is made.
    #[serde(default)]
    #[schema(value_type = words::PolicyToMake)]
    policy: Map<String, Value>,
}

impl Asked {
    pub(super) fn read(body: &Body) -> Result<Self, Problem> {
        let Wanted {
            failures,
            last_days,
            policy,
        } = body.json()?;
        let policy = make::read(policy).map_err(|problem| problem.within("policy"))?;
        let over = match (failures, last_days) {
            (Some(given), None) if (1..=MOST).contains(&given.len()) => Over::Given(given),
            (Some(_), None) => {
                let fault = format!("must have 1 to {MOST} failures");
                return Err(Problem::invalid_field("failures", fault));
            }
            (None, Some(days)) if (1..=MOST_DAYS).contains(&days) => Over::LastDays(days),
            (None, Some(_)) => {
                let fault = format!("must be from 1 to {MOST_DAYS}");
                return Err(Problem::invalid_field("last_days", fault));
            }
            (Some(_), Some(_)) | (None, None) => {
                let fault = "is wanted, or `last_days`, and not both";
                return Err(Problem::invalid_field("failures", fault));
            }
        };
        Ok(Self { policy, over })
    }
}
