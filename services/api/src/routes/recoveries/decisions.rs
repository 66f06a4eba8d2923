//! `GET /v1/recoveries/{id}/decisions`: what was decided, from what, and why not otherwise.

use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use db::decisions::StoredDecision;
use domain::id::{AttemptId, DecisionId, RecoveryId, RetryPolicyId};
use serde::Serialize;
use serde_json::Value;

use super::found;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

/// A recovery has far fewer: its steps are capped, and each is decided once.
const MOST: i64 = 500;

#[derive(Serialize)]
pub(crate) struct DecisionView {
    id: DecisionId,
    at: DateTime<Utc>,
    /// `act`, `wait` or `give_up`.
    outcome: String,
    /// The step that followed.
    attempt_id: Option<AttemptId>,
    /// Why, in words.
    words: String,
    policy_id: Option<RetryPolicyId>,
    policy_version: Option<i32>,
    variant: Option<String>,
    rule_pack: String,
    /// Inputs, policy, what was considered, and the plan: enough to decide the same again.
    record: Value,
    trace_id: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct DecisionsView {
    recovery_id: RecoveryId,
    data: Vec<DecisionView>,
}

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
