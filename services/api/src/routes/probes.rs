//! `GET /healthz` and `GET /readyz` on the public port, for load balancers that
//! ask there. Orchestrators ask the admin port, which says more.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::json;

use crate::app::Api;
use crate::problem::Problem;

/// The process is alive.
pub(crate) async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "ok": true }))
}

/// Requests may be sent here: Postgres answers.
pub(crate) async fn ready(api: Data<Api>) -> Result<HttpResponse, Problem> {
    let mut conn = api.backbone.db.read().await?;
    match db::schema_trouble(&mut conn).await? {
        None => Ok(HttpResponse::Ok().json(json!({ "ready": true }))),
        Some(trouble) => Err(Problem::unavailable(&trouble)),
    }
}
