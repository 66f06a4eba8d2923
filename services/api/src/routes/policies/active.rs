//! `GET /v1/retry/policies/active`: null while the organization has chosen none.

use actix_web::web::{Data, Json};

use super::PolicyView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

/// Shows the active version.
#[utoipa::path(
    get,
    path = "/v1/retry/policies/active",
    tag = "Retry policies",
    responses(
        (status = 200, description = "The version; null while the organization has chosen none.", body = Option<PolicyView>),
    )
)]
pub(crate) async fn show(
    access: ReadAccess,
    api: Data<Api>,
) -> Result<Json<Option<PolicyView>>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let active = db::policies::active(&mut conn, access.tenant).await?;
    let view = active.as_ref().map(PolicyView::of).transpose()?;
    Ok(Json(view))
}
