//! `GET /openapi.json`

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, ETag, EntityTag, IfNoneMatch};
use actix_web::web::Header;

use crate::openapi::RENDERED;

/// Shows this document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "Service",
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of the document that the caller has.")),
    responses(
        (status = 200, description = "The OpenAPI 3.1 document.", body = serde_json::Value, headers(("ETag" = String, description = "Changes with the document."))),
        (status = 304, description = "The caller has it.", headers(("ETag" = String, description = "Changes with the document."))),
    )
)]
pub(crate) async fn show(asked: Header<IfNoneMatch>) -> HttpResponse {
    let tag = EntityTag::new_strong(RENDERED.etag.clone());
    let known = match asked.into_inner() {
        IfNoneMatch::Any => true,
        IfNoneMatch::Items(tags) => tags.iter().any(|known| known.weak_eq(&tag)),
    };
    let mut answer = if known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    answer.insert_header(ETag(tag));
    answer.insert_header((CACHE_CONTROL, "no-cache"));
    if known {
        return answer.finish();
    }
    answer
        .content_type("application/json")
        .body(RENDERED.json.as_str())
}
