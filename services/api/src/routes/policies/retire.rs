//! `DELETE /v1/retry/policies/{id}`: recoveries that open from now on follow the
//! default policy, until another is made. Those that are open keep theirs.

use actix_web::web::{Data, Json, Path};
use db::Tx;
use domain::id::RetryPolicyId;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::PolicyView;
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::conduct::etag::IfMatch;
use crate::openapi::parameters::IfMatchTag;
use crate::openapi::words;
use crate::problem::Problem;

/// The older contract's answer.
#[derive(Serialize, ToSchema)]
#[schema(as = PolicyRetired)]
pub(crate) struct Retired {
    message: &'static str,
}

/// Takes a version out of use.
///
/// Recoveries that open from now on follow the default policy, until another is made.
#[utoipa::path(
    delete,
    path = "/v1/retry/policies/{id}",
    tag = "Retry policies",
    params(("id" = words::RetryPolicyId, Path, description = "Which one."), IfMatchTag),
    responses(
        (status = 200, description = "It is not active any more.", body = Retired),
        (status = 404, description = "There is no such policy, or it is not active."),
    )
)]
pub(crate) async fn retire(
    access: AdminAccess,
    id: Path<RetryPolicyId>,
    if_match: IfMatch,
    api: Data<Api>,
) -> Result<Json<Retired>, Problem> {
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    let worked = retire_in(&mut tx, &access, *id, &if_match).await;
    tx.end(worked).await?;
    Ok(Json(Retired {
        message: "The policy is no longer active",
    }))
}

async fn retire_in(
    tx: &mut Tx,
    access: &AdminAccess,
    id: RetryPolicyId,
    if_match: &IfMatch,
) -> Result<(), Problem> {
    let tenant = access.tenant;
    db::organizations::lock(tx, tenant).await?;
    let now = db::policies::find(tx.conn(), tenant, id).await?;
    let now = now.ok_or_else(|| Problem::not_found("retry policy"))?;
    if_match.check(&PolicyView::of(&now)?)?;
    db::policies::retire(tx, tenant, id).await?;
    let object = id.to_string();
    access
        .caller
        .note(tx, "policy.retired", &object, json!({}))
        .await?;
    Ok(())
}
