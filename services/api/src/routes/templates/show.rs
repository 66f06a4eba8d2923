//! `GET /v1/templates/{id}?version=`: one, also when it is out of use.

use actix_web::web::{Data, Json, Path, Query};
use domain::id::MessageTemplateId;
use serde::Deserialize;
use utoipa::IntoParams;

use super::TemplateView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// The newest when left out.
    version: Option<i32>,
}

/// Shows a template, also when it is out of use.
#[utoipa::path(
    get,
    path = "/v1/templates/{id}",
    tag = "Templates",
    params(("id" = words::MessageTemplateId, Path, description = "Which one."), Wanted),
    responses(
        (status = 200, description = "The template.", body = TemplateView),
        (status = 404, description = "There is no such template."),
    )
)]
pub(crate) async fn show(
    access: ReadAccess,
    id: Path<MessageTemplateId>,
    wanted: Query<Wanted>,
    api: Data<Api>,
) -> Result<Json<TemplateView>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let found = db::templates::find(&mut conn, access.tenant, *id, wanted.version).await?;
    let found = found.ok_or_else(|| Problem::not_found("template"))?;
    Ok(Json(TemplateView::of(found)))
}
