//! `GET /v1/notifications/{id}`: a message, and what is known to have become of it.

use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use domain::id::NotificationId;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::view::NotificationView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::conduct::observe;
use crate::openapi::words;
use crate::problem::Problem;

/// More happens to no message: each state is told once, and tries are few.
const MOST_EVENTS: i64 = 100;

/// A message and its events.
#[derive(Serialize, ToSchema)]
#[schema(as = NotificationDetail)]
pub(crate) struct DetailView {
    #[serde(flatten)]
    message: NotificationView,
    /// What happened to it, oldest first: hand-overs and the provider's receipts.
    events: Vec<EventView>,
}

/// One thing that happened to a message.
#[derive(Serialize, ToSchema)]
#[schema(as = NotificationEvent)]
struct EventView {
    /// When.
    at: DateTime<Utc>,
    /// What.
    #[schema(example = "message.delivered")]
    kind: String,
    /// Who tells: one of Tinko's own parts, or the provider.
    #[schema(example = "notifier")]
    actor: String,
    /// In words.
    why: String,
    /// Particulars.
    #[schema(value_type = Object)]
    detail: Value,
}

/// Shows a message with its events.
#[utoipa::path(
    get,
    path = "/v1/notifications/{id}",
    tag = "Notifications",
    params(("id" = words::NotificationId, Path, description = "The message.")),
    responses(
        (status = 200, description = "The message.", body = DetailView),
        (status = 404, description = "There is no such message."),
    ),
)]
pub(crate) async fn show(
    access: ReadAccess,
    id: Path<NotificationId>,
    api: Data<Api>,
) -> Result<Json<DetailView>, Problem> {
    let tenant = access.tenant;
    let mut conn = api.backbone.db.read().await?;
    let found = db::notifications::find(&mut conn, tenant, *id).await?;
    let found = found.ok_or_else(|| Problem::not_found("notification"))?;
    let recovery = found.recovery;
    observe::about_recovery(recovery);
    let events =
        db::timeline::of_notification(&mut conn, tenant, recovery, *id, MOST_EVENTS).await?;
    let events = events.into_iter().map(|entry| EventView {
        at: entry.at,
        kind: entry.kind,
        actor: entry.actor,
        why: entry.why,
        detail: entry.detail,
    });
    Ok(Json(DetailView {
        message: NotificationView::new(found, &access.caller),
        events: events.collect(),
    }))
}
