//! `GET /v1/retry/policies`: the versions, newest first.

use actix_web::web::{Data, Json};

use super::PolicyView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

/// The older contract answers a plain list: this many of the newest.
const MOST: i64 = 200;

/// Lists the versions, newest first.
#[utoipa::path(
    get,
    path = "/v1/retry/policies",
    tag = "Retry policies",
    responses(
        (status = 200, description = "The newest 200.", body = Vec<PolicyView>),
    )
)]
pub(crate) async fn list(
    access: ReadAccess,
    api: Data<Api>,
) -> Result<Json<Vec<PolicyView>>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let versions = db::policies::list(&mut conn, access.tenant, MOST).await?;
    let views: Result<_, _> = versions.iter().map(PolicyView::of).collect();
    Ok(Json(views?))
}
