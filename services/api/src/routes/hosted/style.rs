//! `GET /assets/pay.css`

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;

use crate::checkout::page::STYLE;

/// Shows the style sheet of the pages for payers.
#[utoipa::path(
    get,
    path = "/assets/pay.css",
    tag = "Payer",
    responses(
        (status = 200, description = "The style sheet.", content_type = "text/css", body = String),
    )
)]
pub(crate) async fn show() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .body(STYLE)
}
