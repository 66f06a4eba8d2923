//! `GET /assets/pay.css`

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;

use crate::checkout::page::STYLE;

pub(crate) async fn show() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .body(STYLE)
}
