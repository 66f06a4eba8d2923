//! `GET /v1/maintenance/dead-letters/{id}`.

use actix_web::web::{Data, Json, Path};
use backbone::dead_letters::Shown;
use db::dead_letters::Choice;
use domain::id::OutboxId;

use super::DeadLetterView;
use crate::app::Api;
use crate::auth::operator::OperatorAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// Shows a dead letter with why it was given up and what it asks for.
///
/// Called with the installation's operator token as `Authorization: Bearer`; the route
/// is not there without that setting.
#[utoipa::path(
    get,
    path = "/v1/maintenance/dead-letters/{id}",
    tag = "Operations",
    params(("id" = words::OutboxId, Path, description = "Which one.")),
    responses(
        (status = 200, description = "It.", body = DeadLetterView),
        (status = 401, description = "The operator token is missing or wrong."),
        (status = 404, description = "There is no such dead letter, or no operator token."),
    ),
)]
pub(crate) async fn show(
    _operator: OperatorAccess,
    id: Path<OutboxId>,
    api: Data<Api>,
) -> Result<Json<DeadLetterView>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let found = db::dead_letters::list(&mut conn, &Choice::one(*id)).await?;
    let letter = found.into_iter().next();
    let letter = letter.ok_or_else(|| Problem::not_found("dead letter"))?;
    Ok(Json(DeadLetterView::from(Shown::from(letter))))
}
