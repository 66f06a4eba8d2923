//! Addresses at which partners hear of events.

mod asked;
pub(crate) mod change;
pub(crate) mod delete;
pub(crate) mod deliveries;
pub(crate) mod list;
pub(crate) mod make;
pub(crate) mod replay;
pub(crate) mod rotate_secret;
pub(crate) mod show;
pub(crate) mod test;
mod view;

use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(paths(
    list::list,
    make::make,
    show::show,
    change::change,
    delete::delete,
    rotate_secret::rotate,
    test::test,
    deliveries::list,
    replay::replay
))]
pub(crate) struct Documented;
