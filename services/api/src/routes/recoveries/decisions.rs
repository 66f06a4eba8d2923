//! `GET /v1/recoveries/{id}/decisions`: what was decided, from what, and why not otherwise.

use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use db::decisions::StoredDecision;
use domain::id::{AttemptId, DecisionId, RecoveryId, RetryPolicyId};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::found;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// A recovery has far fewer: its steps are capped, and each is decided once.
const MOST: i64 = 500;

/// What was decided, and why.
#[derive(Serialize, ToSchema)]
#[schema(as = Decision)]
pub(crate) struct DecisionView {
    #[schema(value_type = words::DecisionId)]
    id: DecisionId,
    at: DateTime<Utc>,
    /// `act`, `wait` or `give_up`.
    #[schema(example = "act")]
    outcome: String,
    /// The step that followed.
    #[schema(value_type = Option<words::AttemptId>, required)]
    attempt_id: Option<AttemptId>,
    /// Why, in words.
    words: String,
    #[schema(value_type = Option<words::RetryPolicyId>, required)]
    policy_id: Option<RetryPolicyId>,
    #[schema(required)]
    policy_version: Option<i32>,
    #[schema(required)]
    variant: Option<String>,
    rule_pack: String,
    /// Inputs, policy, what was considered, and the plan: enough to decide the same again.
    #[schema(value_type = Object)]
    record: Value,
    #[schema(required)]
    trace_id: Option<String>,
}

/// The decisions of a recovery.
#[derive(Serialize, ToSchema)]
#[schema(as = Decisions)]
pub(crate) struct DecisionsView {
    #[schema(value_type = words::RecoveryId)]
    recovery_id: RecoveryId,
    data: Vec<DecisionView>,
}

/// Lists what was decided, from what, and why not otherwise.
#[utoipa::path(
    get,
    path = "/v1/recoveries/{id}/decisions",
    tag = "Recoveries",
    params(("id" = words::RecoveryId, Path, description = "Which one.")),
    responses(
        (status = 200, description = "All of them.", body = DecisionsView),
        (status = 404, description = "There is no such recovery."),
    )
)]
pub(crate) async fn list(
    access: ReadAccess,
    id: Path<RecoveryId>,
    api: Data<Api>,
) -> Result<Json<DecisionsView>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let recovery = found(&mut conn, access.tenant, *id).await?;
    let decisions = db::decisions::of_recovery(&mut conn, &recovery, MOST).await?;
    Ok(Json(DecisionsView {
        recovery_id: recovery.id,
        data: decisions.into_iter().map(view).collect(),
    }))
}

fn view(decision: StoredDecision) -> DecisionView {
    DecisionView {
        id: decision.id,
        at: decision.at,
        outcome: decision.outcome,
        attempt_id: decision.attempt,
        words: decision.words,
        policy_id: decision.policy,
        policy_version: decision.policy_version,
        variant: decision.variant,
        rule_pack: decision.rule_pack,
        record: decision.record,
        trace_id: decision.trace_id,
    }
}
