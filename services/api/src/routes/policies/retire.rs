//! `DELETE /v1/retry/policies/{id}`: recoveries that open from now on follow the
//! default policy, until another is made. Those that are open keep theirs.

use actix_web::web::{Data, Json, Path};
use domain::id::RetryPolicyId;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::app::Api;
use crate::auth::AdminAccess;
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
    params(("id" = words::RetryPolicyId, Path, description = "Which one.")),
    responses(
        (status = 200, description = "It is not active any more.", body = Retired),
        (status = 404, description = "There is no such policy, or it is not active."),
    )
)]
pub(crate) async fn retire(
    access: AdminAccess,
    id: Path<RetryPolicyId>,
    api: Data<Api>,
) -> Result<Json<Retired>, Problem> {
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    if !db::policies::retire(&mut tx, access.tenant, *id).await? {
        tx.roll_back().await?;
        return Err(Problem::not_found("retry policy"));
    }
    let (caller, object) = (&access.caller, id.to_string());
    caller
        .note(&mut tx, "policy.retired", &object, json!({}))
        .await?;
    tx.commit().await?;
    Ok(Json(Retired {
        message: "The policy is no longer active",
    }))
}
