//! `GET /v1/recoveries/{id}/timeline`: what happened, when, why, by whom.

use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use domain::id::{RecoveryId, TimelineEntryId};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::found;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// A recovery has far fewer: its steps are capped.
const MOST: i64 = 1_000;

/// What happened, when, why and by whom.
#[derive(Serialize, ToSchema)]
#[schema(as = TimelineEntry)]
pub(crate) struct EntryView {
    #[schema(value_type = words::TimelineEntryId)]
    id: TimelineEntryId,
    at: DateTime<Utc>,
    #[schema(example = "recovery.opened")]
    kind: String,
    actor: String,
    why: String,
    detail: Value,
    #[schema(required)]
    trace_id: Option<String>,
}

/// What happened to a recovery.
#[derive(Serialize, ToSchema)]
#[schema(as = Timeline)]
pub(crate) struct TimelineView {
    #[schema(value_type = words::RecoveryId)]
    recovery_id: RecoveryId,
    data: Vec<EntryView>,
}

/// Shows what happened to a recovery.
#[utoipa::path(
    get,
    path = "/v1/recoveries/{id}/timeline",
    tag = "Recoveries",
    params(("id" = words::RecoveryId, Path, description = "Which one.")),
    responses(
        (status = 200, description = "Everything, oldest first.", body = TimelineView),
        (status = 404, description = "There is no such recovery."),
    )
)]
pub(crate) async fn show(
    access: ReadAccess,
    id: Path<RecoveryId>,
    api: Data<Api>,
) -> Result<Json<TimelineView>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let recovery = found(&mut conn, access.tenant, *id).await?;
    let entries = db::timeline::of_recovery(&mut conn, access.tenant, recovery.id, MOST).await?;
    let data = entries.into_iter().map(|entry| EntryView {
        id: entry.id,
        at: entry.at,
        kind: entry.kind,
        actor: entry.actor,
        why: entry.why,
        detail: entry.detail,
        trace_id: entry.trace_id,
    });
    Ok(Json(TimelineView {
        recovery_id: recovery.id,
        data: data.collect(),
    }))
}
