//! The next step at a time that somebody asked for.

use actix_web::http::StatusCode;
use chrono::{DateTime, SubsecRound, Utc};
use db::Tx;
use db::plan::{Asked, Waits, ask};
use db::recoveries::StoredRecovery;
use domain::id::{AttemptId, RecoveryId};
use domain::{AttemptKind, AttemptState, Channel};
use serde::Serialize;
use utoipa::ToSchema;

use crate::conduct::idempotency::Reply;
use crate::problem::Problem;

/// The step that was asked for, as it is planned.
#[derive(Serialize, ToSchema)]
#[schema(as = NextStep)]
pub(crate) struct AskedView {
    #[schema(value_type = String, example = "rec_01920000000070008000000000000000")]
    recovery_id: RecoveryId,
    #[schema(value_type = String, example = "att_01920000000070008000000000000000")]
    attempt_id: AttemptId,
    /// When it is due: at the time asked for, or as soon after it as the rules allow.
    next_retry_at: DateTime<Utc>,
    /// `scheduled`.
    #[schema(value_type = String, example = "scheduled")]
    status: AttemptState,
    /// `charge` or `message`.
    #[schema(value_type = String, example = "charge")]
    kind: AttemptKind,
    /// Where it writes; none for a charge.
    #[schema(value_type = Vec<String>)]
    channels: Vec<Channel>,
    /// Why, in words.
    why: String,
    /// What makes it later than it was asked for; empty if nothing does.
    waits_for: Vec<WaitView>,
}

/// What makes a step later.
#[derive(Serialize, ToSchema)]
#[schema(as = WaitsFor)]
struct WaitView {
    /// The name of a rule of a network, a rail or a law, or the policy's field.
    rule: String,
    until: DateTime<Utc>,
    /// Why, in words.
    words: String,
}

/// Plans the next step of an open recovery, which is locked, for `at` or later.
pub(super) async fn asked(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    at: DateTime<Utc>,
) -> Result<Reply, Problem> {
    if recovery.paused_at.is_some() {
        return Err(Problem::conflict("paused_at", "is set: resume it first"));
    }
    let (tenant, id, now) = (recovery.tenant, recovery.id, tx.now());
    if let Some(until) = db::underway::rests_until(tx.conn(), tenant, id, now).await? {
        let fault = format!(
            "is on its way: nothing is charged or sent until it has arrived or not, at the \
             latest on {until}"
        );
        return Err(Problem::conflict("payment", fault));
    }
    match ask(tx, recovery, psp::can_charge, at).await? {
        Asked::Planned {
            attempt,
            step,
            waits,
        } => {
            let wait = |waits: Waits| WaitView {
                rule: waits.rule.into_owned(),
                until: waits.until.trunc_subsecs(6),
                words: waits.words.into_owned(),
            };
            let view = AskedView {
                recovery_id: id,
                attempt_id: attempt,
                // As exactly as it is kept.
                next_retry_at: step.due_at.trunc_subsecs(6),
                status: AttemptState::Scheduled,
                kind: step.kind,
                channels: step.channels,
                why: step.why,
                waits_for: waits.into_iter().map(wait).collect(),
            };
            Reply::json(StatusCode::OK, &view)
        }
        Asked::UnderWay => {
            let fault = "is being made: its outcome comes first";
            Err(Problem::conflict("attempt", fault))
        }
        Asked::Nothing(why) => Err(Problem::conflict("next_step", why)),
    }
}
