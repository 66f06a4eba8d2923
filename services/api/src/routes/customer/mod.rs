//! What partners of the older system read by their API key, under its names.

mod view;

pub(crate) mod list;
pub(crate) mod make;
pub(crate) mod profile;
pub(crate) mod show;
pub(crate) mod stats;
pub(crate) mod usage;

use db::api_keys::StoredKey;
use db::{Conn, DbError};
use utoipa::OpenApi;

use crate::auth::{Caller, Who};

#[derive(OpenApi)]
#[openapi(paths(
    profile::show,
    list::list,
    make::make,
    show::show,
    usage::show,
    stats::show
))]
pub(crate) struct Documented;

/// The key that calls; none for a person.
async fn own_key(conn: &mut Conn, caller: &Caller) -> Result<Option<StoredKey>, DbError> {
    match caller.who {
        Who::Key(id) => db::api_keys::find(conn, caller.tenant, id).await,
        Who::User(..) => Ok(None),
    }
}
