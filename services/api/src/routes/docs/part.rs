//! `GET /docs/{file}`

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Path;

use crate::problem::Problem;

const BEGIN: &[u8] = include_bytes!("begin.js");
const SCRIPT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js"));
const STYLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui.css"));

/// Shows a script or style sheet of the reference page.
#[utoipa::path(
    get,
    path = "/docs/{file}",
    operation_id = "part",
    tag = "Service",
    params(("file" = String, Path, description = "Its name.", example = "begin.js")),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/javascript"),
            (String = "text/css"),
        )),
        (status = 404, description = "The page has no such file."),
    )
)]
pub(crate) async fn show(file: Path<String>) -> Result<HttpResponse, Problem> {
    let (kind, bytes) = match file.as_str() {
        "begin.js" => ("text/javascript; charset=utf-8", BEGIN),
        "swagger-ui-bundle.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "swagger-ui.css" => ("text/css; charset=utf-8", STYLE),
        _ => return Err(Problem::not_found("file")),
    };
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .body(bytes))
}
