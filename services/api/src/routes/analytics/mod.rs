//! What came of an organization's recoveries, from sums that the events' consumer
//! keeps: a read costs the buckets of its window, not the rows that were summed.
//!
//! Every answer says which window, zone and currency it is for, and keeps
//! currencies apart. Figures are of two kinds (`db::rollups`): what became of the
//! recoveries that **opened** in the window (opened, recovered, rate, funnel), and
//! what **happened** in it (money that came in, messages, charges). They are some
//! seconds behind.

pub(crate) mod asked;
pub(crate) mod attempts_summary;
pub(crate) mod by_category;
pub(crate) mod by_channel;
pub(crate) mod by_code;
pub(crate) mod csv;
pub(crate) mod experiment;
pub(crate) mod funnel;
pub(crate) mod recovery_rate;
pub(crate) mod revenue_recovered;
pub(crate) mod summary;
mod table;
mod tally;
pub(crate) mod time_to_recovery;

use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(paths(
    summary::show,
    revenue_recovered::show,
    recovery_rate::show,
    attempts_summary::show,
    funnel::show,
    by_category::list,
    by_code::list,
    by_channel::list,
    time_to_recovery::show,
    experiment::show
))]
pub(crate) struct Documented;
