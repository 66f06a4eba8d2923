//! `GET /v1/templates?channel=`: those in use, in their newest versions.

use actix_web::web::{Data, Json, Query};
use domain::Channel;
use serde::{Deserialize, Serialize};

use super::TemplateView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

#[derive(Deserialize)]
pub(crate) struct Wanted {
    channel: Option<Channel>,
}

#[derive(Serialize)]
pub(crate) struct Templates {
    data: Vec<TemplateView>,
}

pub(crate) async fn list(
    access: ReadAccess,
    wanted: Query<Wanted>,
    api: Data<Api>,
) -> Result<Json<Templates>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let stored = db::templates::list(&mut conn, access.tenant, wanted.channel).await?;
    let data = stored.into_iter().map(TemplateView::of).collect();
    Ok(Json(Templates { data }))
}
