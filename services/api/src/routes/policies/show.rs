//! `GET /v1/retry/policies/{id}`: one version, such as the one that a recovery keeps.

use actix_web::web::{Data, Json, Path};
use domain::id::RetryPolicyId;

use super::PolicyView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

pub(crate) async fn show(
    access: ReadAccess,
    id: Path<RetryPolicyId>,
    api: Data<Api>,
) -> Result<Json<PolicyView>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let found = db::policies::find(&mut conn, access.tenant, *id).await?;
    let found = found.ok_or_else(|| Problem::not_found("retry policy"))?;
    Ok(Json(PolicyView::of(&found)?))
}
