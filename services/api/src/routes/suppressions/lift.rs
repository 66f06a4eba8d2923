//! `DELETE /v1/suppressions/{id}`: the address may be written to again, as far as
//! this reason goes. For administrators: what a payer asked for is not undone in
//! passing.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use domain::id::SuppressionId;
use serde_json::json;

use crate::app::Api;
use crate::auth::AdminAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// Lets an address be written to again, as far as this reason goes.
#[utoipa::path(
    delete,
    path = "/v1/suppressions/{id}",
    tag = "Consent",
    params(("id" = words::SuppressionId, Path, description = "Which one.")),
    responses(
        (status = 204, description = "It is lifted."),
        (status = 404, description = "There is no such suppression."),
    )
)]
pub(crate) async fn lift(
    access: AdminAccess,
    id: Path<SuppressionId>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let cause = access.caller.cause(&api);
    let mut tx = api.backbone.db.begin(cause).await?;
    if !db::suppressions::lift(&mut tx, access.tenant, *id).await? {
        tx.roll_back().await?;
        return Err(Problem::not_found("suppression"));
    }
    let (caller, object) = (&access.caller, id.to_string());
    caller
        .note(&mut tx, "suppression.lifted", &object, json!({}))
        .await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}
