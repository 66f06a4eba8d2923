//! Transactions: what payers owed, or will be asked for again if they fail to pay.

mod view;

pub(crate) mod by_ref;
pub(crate) mod list;
pub(crate) mod make;
pub(crate) mod show;

pub(crate) use view::TransactionView;

use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(paths(list::list, make::make, show::show, by_ref::show))]
pub(crate) struct Documented;
