//! `GET /v1/recoveries/{id}/attempts`: the steps, with the messages they asked for.

use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use db::attempts::StoredAttempt;
use db::notifications::Sent;
use domain::classification::{Category, Hardness};
use domain::id::{AttemptId, NotificationId, RecoveryId};
use domain::{AttemptKind, AttemptState, Channel, NotificationState};
use serde::Serialize;

use super::found;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

#[derive(Serialize)]
pub(crate) struct AttemptView {
    id: AttemptId,
    number: u32,
    kind: AttemptKind,
    state: AttemptState,
    channels: Vec<Channel>,
    why: String,
    due_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    charge_ref: Option<String>,
    category: Option<Category>,
    hardness: Option<Hardness>,
    outcome_code: Option<String>,
    outcome: Option<String>,
    notifications: Vec<MessageView>,
}

#[derive(Serialize)]
struct MessageView {
    id: NotificationId,
    channel: Channel,
    state: NotificationState,
    error: Option<String>,
    created_at: DateTime<Utc>,
    sent_at: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
pub(crate) struct AttemptsView {
    recovery_id: RecoveryId,
    data: Vec<AttemptView>,
}

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
