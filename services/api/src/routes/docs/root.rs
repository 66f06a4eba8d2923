//! `GET /`: on to the reference page.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::Data;

use crate::app::Api;

/// Leads to the reference page.
#[utoipa::path(
    get,
    path = "/",
    tag = "Service",
    responses((status = 307, description = "To `/docs`.")),
)]
pub(crate) async fn redirect(api: Data<Api>) -> HttpResponse {
    HttpResponse::TemporaryRedirect()
        .insert_header((LOCATION, api.public_url("/docs").as_str()))
        .finish()
}
