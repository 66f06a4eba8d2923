//! What operators of the installation have done on its tables. No organization's
//! administrator may: the tables are everyone's.

pub(crate) mod dead_letters;
pub(crate) mod ensure;
pub(crate) mod prune;

use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(paths(
    ensure::ensure,
    prune::prune,
    dead_letters::list::list,
    dead_letters::show::show,
    dead_letters::replay_many::replay_many,
    dead_letters::replay::replay,
    dead_letters::discard::discard,
))]
pub(crate) struct Documented;
