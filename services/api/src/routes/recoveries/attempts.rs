//! `GET /v1/recoveries/{id}/attempts`: the steps, with the messages they asked for.

use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use db::attempts::StoredAttempt;
use db::notifications::Sent;
use domain::id::{NotificationId, RecoveryId};
use domain::{Channel, NotificationState};
use serde::Serialize;
use utoipa::ToSchema;

use super::found;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::attempts::AttemptView;

/// One step of a recovery, with the messages that it asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = AttemptWithMessages)]
struct StepView {
    #[serde(flatten)]
    attempt: AttemptView,
    /// Its messages.
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
    data: Vec<StepView>,
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
    let attempts = db::attempts::of_recovery(&conn, access.tenant, recovery.id).await?;
    let messages = db::notifications::of_recovery(&mut conn, access.tenant, recovery.id).await?;
    let data = attempts.into_iter().map(|it| view(it, &messages));
    Ok(Json(AttemptsView {
        recovery_id: recovery.id,
        data: data.collect(),
    }))
}

fn view(attempt: StoredAttempt, messages: &[Sent]) -> StepView {
    let own = messages.iter().filter(|sent| sent.attempt == attempt.id);
    StepView {
        notifications: own.map(message).collect(),
        attempt: AttemptView::new(attempt),
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
