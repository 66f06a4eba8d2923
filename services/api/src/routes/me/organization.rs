//! `GET /v1/auth/org`: the caller's organization.

use actix_web::web::{Data, Json};

use crate::app::Api;
use crate::auth::ReadAccess;
use crate::auth::session::OrganizationView;
use crate::problem::Problem;

/// Shows the caller's organization.
#[utoipa::path(
    get,
    path = "/v1/auth/org",
    tag = "Organization",
    responses((status = 200, description = "The organization.", body = OrganizationView))
)]
pub(crate) async fn show(
    access: ReadAccess,
    api: Data<Api>,
) -> Result<Json<OrganizationView>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let found = db::organizations::find(&mut conn, access.tenant).await?;
    Ok(Json(OrganizationView::new(&found)))
}
