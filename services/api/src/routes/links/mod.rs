//! Recovery links, as partners make them and as payers' frontends read them.

mod envelope;

pub(crate) mod by_ref;
pub(crate) mod by_token;
pub(crate) mod list;
pub(crate) mod make;
pub(crate) mod open;
pub(crate) mod revoke;
mod view;

use chrono::{DateTime, Utc};
use db::links::StoredLink;
use domain::LinkState;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(paths(
    by_ref::list,
    make::make,
    by_token::show,
    open::open,
    list::list,
    revoke::revoke
))]
pub(crate) struct Documented;

/// A link's state in the words of the older contract.
pub(super) fn status(link: &StoredLink, now: DateTime<Utc>) -> &'static str {
    match link.state {
        LinkState::Created | LinkState::Opened if link.expires_at <= now => "expired",
        LinkState::Created => "created",
        LinkState::Opened => "opened",
        LinkState::Used => "completed",
        LinkState::Expired => "expired",
        LinkState::Revoked => "cancelled",
    }
}
