//! `GET /v1/retry/policies/active`: null while the organization has chosen none.

use actix_web::web::{Data, Json};
use db::DbError;
use domain::RetryPolicy;

use super::PolicyView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

pub(crate) async fn show(
    access: ReadAccess,
    api: Data<Api>,
) -> Result<Json<Option<PolicyView>>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let Some(active) = db::policies::active(&mut conn, access.tenant).await? else {
        return Ok(Json(None));
    };
    let policy = RetryPolicy::from_json(&active.document).map_err(|fault| DbError::Corrupt {
        what: "retry_policies.document",
        fault: fault.to_string(),
    })?;
    Ok(Json(Some(PolicyView::active(active.id, &policy))))
}
