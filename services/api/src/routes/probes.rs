//! `GET /healthz` and `GET /readyz` on the public port, for load balancers that
//! ask there. Orchestrators ask the admin port, which says more.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::app::Api;
use crate::problem::Problem;

#[derive(OpenApi)]
#[openapi(paths(alive, ready))]
pub(crate) struct Documented;

#[derive(Serialize, ToSchema)]
pub(crate) struct Alive {
    ok: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Ready {
    ready: bool,
}

/// Says that the process is alive.
#[utoipa::path(get, path = "/healthz", tag = "Service", responses((status = 200, description = "It is alive.", body = Alive)))]
pub(crate) async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(Alive { ok: true })
}

/// Says whether requests may be sent here: Postgres answers.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "Service",
    responses(
        (status = 200, description = "They may.", body = Ready),
        (status = 500, description = "Something went wrong on Tinko's side."),
        (status = 503, description = "They may not, right now."),
    )
)]
pub(crate) async fn ready(api: Data<Api>) -> Result<HttpResponse, Problem> {
    let mut conn = api.backbone.db.read().await?;
    match db::schema_trouble(&mut conn).await? {
        None => Ok(HttpResponse::Ok().json(Ready { ready: true })),
        Some(trouble) => Err(Problem::unavailable(&trouble)),
    }
}
