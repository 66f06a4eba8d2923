//! `GET /v1/organization`

use actix_web::web::{Data, Json};

use super::ProfileView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

/// The caller's organization, with all that it says of itself.
#[utoipa::path(get, path = "/v1/organization", tag = "Organization",
    responses((status = 200, description = "The organization", body = ProfileView)))]
pub(crate) async fn show(access: ReadAccess, api: Data<Api>) -> Result<Json<ProfileView>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let found = db::organizations::profile(&mut conn, access.tenant).await?;
    Ok(Json(ProfileView::new(found)))
}
