//! `GET /v1/recoveries/{id}/attempts`: the steps, with the messages they asked for.

use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use db::attempts::StoredAttempt;
use db::notifications::Sent;
use domain::classification::{Category, Hardness};
use domain::id::{AttemptId, NotificationId, RecoveryId};
use domain::{AttemptKind, AttemptState, Channel, NotificationState};
use serde::Serialize;
use utoipa::ToSchema;

use super::found;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// One step of a recovery.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(crate) struct AttemptView {
    #[schema(value_type = words::AttemptId)]
    id: AttemptId,
    number: u32,
    #[schema(value_type = words::AttemptKind)]
    kind: AttemptKind,
    #[schema(value_type = words::AttemptState)]
    state: AttemptState,
    #[schema(value_type = Vec<words::Channel>)]
    channels: Vec<Channel>,
    why: String,
    due_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    #[schema(required)]
    charge_ref: Option<String>,
    #[schema(value_type = Option<words::Category>, required)]
    category: Option<Category>,
    #[schema(value_type = Option<words::Hardness>, required)]
    hardness: Option<Hardness>,
    #[schema(required)]
    outcome_code: Option<String>,
    #[schema(required)]
    outcome: Option<String>,
    notifications: Vec<MessageView>,
}

/// A message of a step.
#[derive(Serialize, ToSchema)]
#[schema(as = AttemptMessage)]
struct MessageView {
    #[schema(value_type = words::NotificationId)]
    id: NotificationId,
    #[schema(value_type = words::Channel)]
    channel: Channel,
    #[schema(value_type = words::NotificationState)]
    state: NotificationState,
    #[schema(required)]
    error: Option<String>,
    created_at: DateTime<Utc>,
    #[schema(required)]
    sent_at: Option<DateTime<Utc>>,
}

/// The steps of a recovery.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempts)]
pub(crate) struct AttemptsView {
    #[schema(value_type = words::RecoveryId)]
    recovery_id: RecoveryId,
    data: Vec<AttemptView>,
}

/// Lists the steps of a recovery, with their messages.
#[utoipa::path(
    get,
    path = "/v1/recoveries/{id}/attempts",
    tag = "Recoveries",
    params(("id" = words::RecoveryId, Path, description = "Which one.")),
    responses(
        (status = 200, description = "All of them.", body = AttemptsView),
        (status = 404, description = "There is no such recovery."),
    )
)]
pub(crate) async fn list(
    access: ReadAccess,
    id: Path<RecoveryId>,
    api: Data<Api>,
) -> Result<Json<AttemptsView>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let recovery = found(&mut conn, access.tenant, *id).await?;
    let attempts = db::attempts::of_recovery(&mut conn, access.tenant, recovery.id).await?;
    let messages = db::notifications::of_recovery(&mut conn, access.tenant, recovery.id).await?;
    let data = attempts.into_iter().map(|it| view(it, &messages));
    Ok(Json(AttemptsView {
        recovery_id: recovery.id,
        data: data.collect(),
    }))
}

fn view(attempt: StoredAttempt, messages: &[Sent]) -> AttemptView {
    let own = messages.iter().filter(|sent| sent.attempt == attempt.id);
    AttemptView {
        id: attempt.id,
        number: attempt.number,
        kind: attempt.kind,
        state: attempt.state,
        channels: attempt.channels,
        why: attempt.why,
        due_at: attempt.due_at,
        created_at: attempt.created_at,
        updated_at: attempt.updated_at,
        charge_ref: attempt.charge_ref,
        category: attempt.category,
        hardness: attempt.hardness,
        outcome_code: attempt.outcome_code,
        outcome: attempt.outcome,
        notifications: own.map(message).collect(),
    }
}

fn message(sent: &Sent) -> MessageView {
    MessageView {
        id: sent.id,
        channel: sent.channel,
        state: sent.state,
        error: sent.error.clone(),
        created_at: sent.created_at,
        sent_at: sent.sent_at,
    }
}
