//! `POST /v1/maintenance/dead-letters/{id}/replay`.

use actix_web::web::{Data, Json, Path};
use db::dead_letters::Mend;
use domain::id::OutboxId;

use super::{MendedView, Remedy, mend_one};
use crate::app::Api;
use crate::auth::operator::OperatorAccess;
use crate::conduct::body::Body;
use crate::openapi::words;
use crate::problem::Problem;

/// Makes a dead letter owed again.
///
/// The sweeper publishes it within seconds, and it is tried as if it were new. Of several
/// who ask at once one is answered 200, the others 404. Called with the installation's operator token as
/// `Authorization: Bearer`; the route is not there without that setting.
#[utoipa::path(
    post,
    path = "/v1/maintenance/dead-letters/{id}/replay",
    tag = "Operations",
    params(("id" = words::OutboxId, Path, description = "Which one.")),
    request_body = Remedy,
    responses(
        (status = 200, description = "It is done.", body = MendedView),
        (status = 401, description = "The operator token is missing or wrong."),
        (status = 404, description = "There is no such dead letter, or no operator token."),
    ),
)]
pub(crate) async fn replay(
    _operator: OperatorAccess,
    id: Path<OutboxId>,
    body: Body,
    api: Data<Api>,
) -> Result<Json<MendedView>, Problem> {
    mend_one(&api, *id, &body, Mend::Replay).await
}
