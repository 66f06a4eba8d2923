//! The payer's pages. What goes wrong there is said in HTML.

mod visitor;

pub(crate) mod done;
pub(crate) mod open;
pub(crate) mod pay;
pub(crate) mod style;

use actix_web::HttpResponse;
use utoipa::OpenApi;

use crate::app::Api;
use crate::checkout::CheckoutError;
use crate::checkout::page::Notice;

#[derive(OpenApi)]
#[openapi(paths(open::show, pay::start, done::show, style::show))]
pub(crate) struct Documented;

/// The page for trouble of ours or the PSP's, which is logged here, once.
pub(super) fn trouble(api: &Api, error: &CheckoutError) -> HttpResponse {
    let source = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(%error, source, "the payer was told to try again");
    api.pages.notice(Notice::Trouble)
}
