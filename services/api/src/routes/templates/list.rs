//! `GET /v1/templates?channel=`: those in use, in their newest versions.

use actix_web::web::{Data, Json, Query};
use domain::Channel;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::TemplateView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only those of this channel.
    #[param(value_type = Option<words::Channel>)]
    channel: Option<Channel>,
}

/// The templates in use.
#[derive(Serialize, ToSchema)]
#[schema(as = Templates)]
pub(crate) struct Templates {
    data: Vec<TemplateView>,
}

/// Lists the templates in use, in their newest versions.
#[utoipa::path(
    get,
    path = "/v1/templates",
    tag = "Templates",
    params(Wanted),
    responses(
        (status = 200, description = "All of them.", body = Templates),
    )
)]
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
