//! `GET /v1/retry/policies/{id}`: one version, such as the one that a recovery keeps.

use actix_web::web::{Data, Json, Path};
use domain::id::RetryPolicyId;

use super::PolicyView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// Shows one version, such as the one that a recovery keeps.
#[utoipa::path(
    get,
    path = "/v1/retry/policies/{id}",
    tag = "Retry policies",
    params(("id" = words::RetryPolicyId, Path, description = "Which one.")),
    responses(
        (status = 200, description = "The version.", body = PolicyView),
        (status = 404, description = "There is no such policy."),
    )
)]
pub(crate) async fn show(
    access: ReadAccess,
    id: Path<RetryPolicyId>,
    api: Data<Api>,
) -> Result<Json<PolicyView>, Problem> {
    let conn = api.backbone.db.read().await?;
    let found = db::policies::find(&conn, access.tenant, *id).await?;
    let found = found.ok_or_else(|| Problem::not_found("retry policy"))?;
    Ok(Json(PolicyView::of(&found)?))
}
