//! Messages to payers, as their merchant sees them. Addresses are shown whole to
//! administrators alone, as everywhere; whoever knows one can ask for it.

pub(crate) mod list;
pub(crate) mod show;
pub(crate) mod view;

use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(paths(list::list, show::show))]
pub(crate) struct Documented;
