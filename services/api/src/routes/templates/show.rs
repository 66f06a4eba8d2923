//! `GET /v1/templates/{id}?version=`: one, also when it is out of use.

use actix_web::web::{Data, Json, Path, Query};
use domain::id::MessageTemplateId;
use serde::Deserialize;

use super::TemplateView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

#[derive(Deserialize)]
pub(crate) struct Wanted {
    version: Option<i32>,
}

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
