//! `POST /v1/maintenance/partition/ensure_current`: the month partitions that are missing.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Api;
use crate::auth::operator::OperatorAccess;
use crate::problem::Problem;

/// How many months ahead partitions are made, as the housekeeper makes them.
const MONTHS_AHEAD: i32 = 3;

/// The partitions that were made.
#[derive(Serialize, ToSchema)]
#[schema(as = PartitionsMade)]
pub(crate) struct MadeView {
    /// Always true.
    ok: bool,
    /// Their names; none where all were there.
    #[schema(example = json!(["timeline_2026_12"]))]
    created: Vec<String>,
}

/// Makes the month partitions of this month and the next three.
///
/// The housekeeper does so by itself. Called with the installation's operator token
/// as `Authorization: Bearer`; the route is not there without that setting.
#[utoipa::path(
    post,
    path = "/v1/maintenance/partition/ensure_current",
    tag = "Operations",
    responses(
        (status = 200, description = "What was made.", body = MadeView),
        (status = 401, description = "The operator token is missing or wrong."),
        (status = 404, description = "The installation has no operator token."),
    ),
)]
pub(crate) async fn ensure(
    _operator: OperatorAccess,
    api: Data<Api>,
) -> Result<Json<MadeView>, Problem> {
    let now = api.backbone.clock.now();
    let mut conn = api.backbone.db.read().await?;
    let created = db::ensure_partitions(&mut conn, now, MONTHS_AHEAD).await?;
    tracing::info!(?created, "an operator had partitions made");
    Ok(Json(MadeView { ok: true, created }))
}
