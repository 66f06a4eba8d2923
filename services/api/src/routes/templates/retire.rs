//! `DELETE /v1/templates/{id}`: messages are written by the next best one from
//! now on, in the end by Tinko's.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use db::{Tx, templates};
use domain::id::MessageTemplateId;
use serde_json::json;

use super::{TemplateView, in_use};
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::etag::IfMatch;
use crate::openapi::parameters::IfMatchTag;
use crate::openapi::words;
use crate::problem::Problem;

/// Takes a template out of use.
#[utoipa::path(
    delete,
    path = "/v1/templates/{id}",
    tag = "Templates",
    params(("id" = words::MessageTemplateId, Path, description = "Which one."), IfMatchTag),
    responses(
        (status = 204, description = "It is out of use."),
        (status = 404, description = "There is no such template in use."),
    )
)]
pub(crate) async fn retire(
    access: WriteAccess,
    id: Path<MessageTemplateId>,
    if_match: IfMatch,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    let worked = retire_in(&mut tx, &access, *id, &if_match).await;
    tx.end(worked).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn retire_in(
    tx: &mut Tx,
    access: &WriteAccess,
    id: MessageTemplateId,
    if_match: &IfMatch,
) -> Result<(), Problem> {
    let now = in_use(templates::lock(tx, access.tenant, id).await?)?;
    if_match.check(&TemplateView::of(now))?;
    templates::retire(tx, access.tenant, id).await?;
    let (caller, object) = (&access.caller, id.to_string());
    caller
        .note(tx, "template.retired", &object, json!({}))
        .await?;
    Ok(())
}
