//! `POST /v1/maintenance/dead-letters/{id}/discard`.

use actix_web::web::{Data, Json, Path};
use db::dead_letters::Choice;
use domain::id::OutboxId;

use super::{MendedView, Remedy, mended};
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
    let remedy: Remedy = body.json()?;
    let mender = remedy.read()?;
    let mut tx = api
        .backbone
        .db
        .begin(api.backbone.cause_by("operator"))
        .await?;
    let taken = db::dead_letters::discard(&mut tx, &Choice::one(*id), mender).await?;
    tx.commit().await?;
    mended(&taken).map(Json)
}
