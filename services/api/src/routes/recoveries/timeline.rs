//! `GET /v1/recoveries/{id}/timeline`: what happened, when, why, by whom.

use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use domain::id::{RecoveryId, TimelineEntryId};
use serde::Serialize;
use serde_json::Value;

use super::found;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

/// A recovery has far fewer: its steps are capped.
const MOST: i64 = 1_000;

#[derive(Serialize)]
pub(crate) struct EntryView {
    id: TimelineEntryId,
    at: DateTime<Utc>,
    kind: String,
    actor: String,
    why: String,
    detail: Value,
    trace_id: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct TimelineView {
    recovery_id: RecoveryId,
    data: Vec<EntryView>,
}

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
