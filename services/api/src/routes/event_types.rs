//! `GET /v1/event-types`: what partners can hear of.

use actix_web::web::Json;
use partners::payload;
use serde::Serialize;
use serde_json::Value;
use utoipa::{OpenApi, ToSchema};

use crate::auth::ReadAccess;

#[derive(OpenApi)]
#[openapi(paths(list))]
pub(crate) struct Documented;

/// Every type of event.
#[derive(Serialize, ToSchema)]
#[schema(as = EventTypes)]
pub(crate) struct ListView {
    data: Vec<TypeView>,
}

/// A type of event.
#[derive(Serialize, ToSchema)]
#[schema(as = EventType)]
struct TypeView {
    #[schema(example = "recovery.opened")]
    name: &'static str,
    /// What it tells, in a sentence.
    description: &'static str,
    /// The version of its data.
    #[schema(minimum = 1)]
    version: u32,
    /// A payload of it; its schema is in this API's document, under `webhooks`.
    #[schema(value_type = Object)]
    example: Value,
}

/// Lists the types of events that partners can hear of.
#[utoipa::path(
    get,
    path = "/v1/event-types",
    tag = "Webhook endpoints",
    responses((status = 200, description = "Every type.", body = ListView))
)]
pub(crate) async fn list(_access: ReadAccess) -> Json<ListView> {
    let data = payload::all().into_iter().map(|described| TypeView {
        name: described.event.as_str(),
        description: described.summary,
        version: described.version,
        example: payload::example(described.event),
    });
    Json(ListView {
        data: data.collect(),
    })
}
