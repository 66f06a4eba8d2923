//! `POST /v1/maintenance/dead-letters/{id}/discard`.

use actix_web::web::{Data, Json, Path};
use db::dead_letters::Mend;
use domain::id::OutboxId;

use super::{MendedView, Remedy, mend_one};
use crate::app::Api;
use crate::auth::operator::OperatorAccess;
use crate::conduct::body::Body;
use crate::openapi::words;
use crate::problem::Problem;

/// Drops a dead letter for good: its effect will never be.
///
/// For what must not happen any more. Of several who ask at once one is answered 200,
/// the others 404. Called with the installation's operator token as
/// `Authorization: Bearer`; the route is not there without that setting.
#[utoipa::path(
    post,
    path = "/v1/maintenance/dead-letters/{id}/discard",
    tag = "Operations",
    params(("id" = words::OutboxId, Path, description = "Which one.")),
    request_body = Remedy,
    responses(
        (status = 200, description = "It is done.", body = MendedView),
        (status = 401, description = "The operator token is missing or wrong."),
        (status = 404, description = "There is no such dead letter, or no operator token."),
    ),
)]
pub(crate) async fn discard(
    _operator: OperatorAccess,
    id: Path<OutboxId>,
    body: Body,
    api: Data<Api>,
) -> Result<Json<MendedView>, Problem> {
    mend_one(&api, *id, &body, Mend::Discard).await
}
