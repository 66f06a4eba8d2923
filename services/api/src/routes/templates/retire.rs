//! `DELETE /v1/templates/{id}`: messages are written by the next best one from
//! now on, in the end by Tinko's.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use domain::id::MessageTemplateId;
use serde_json::json;

use crate::app::Api;
use crate::auth::WriteAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// Takes a template out of use.
#[utoipa::path(
    delete,
    path = "/v1/templates/{id}",
    tag = "Templates",
    params(("id" = words::MessageTemplateId, Path, description = "Which one.")),
    responses(
        (status = 204, description = "It is out of use."),
        (status = 404, description = "There is no such template in use."),
    )
)]
pub(crate) async fn retire(
    access: WriteAccess,
    id: Path<MessageTemplateId>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    if !db::templates::retire(&mut tx, access.tenant, *id).await? {
        tx.roll_back().await?;
        return Err(Problem::not_found("template in use"));
    }
    let (caller, object) = (&access.caller, id.to_string());
    caller
        .note(&mut tx, "template.retired", &object, json!({}))
        .await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}
