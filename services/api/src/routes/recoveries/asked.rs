//! The next step at a time that somebody asked for.

use chrono::{DateTime, SubsecRound, Utc};
use db::plan::{Asked, Waits, ask};
use db::recoveries::StoredRecovery;
use db::{DbError, Tx};
use domain::id::{AttemptId, RecoveryId};
use domain::{AttemptKind, AttemptState, Channel};
use serde::Serialize;
use utoipa::ToSchema;

use crate::openapi::words;
use crate::problem::Problem;

/// The step that was asked for, as it is planned.
#[derive(Serialize, ToSchema)]
#[schema(as = NextStep)]
pub(crate) struct AskedView {
    #[schema(value_type = words::RecoveryId)]
    recovery_id: RecoveryId,
    #[schema(value_type = words::AttemptId)]
    attempt_id: AttemptId,
    /// When it is due: at the time asked for, or as soon after it as the rules allow.
    next_retry_at: DateTime<Utc>,
    /// `scheduled`.
    #[schema(value_type = words::AttemptState)]
    status: AttemptState,
    /// `charge` or `message`.
    #[schema(value_type = words::AttemptKind)]
    kind: AttemptKind,
    /// Where it writes; none for a charge.
    #[schema(value_type = Vec<words::Channel>)]
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

/// Why no step was planned.
pub(crate) enum NotPlanned {
    /// None is left, or none can be taken before the recovery is over: why, in words.
    NoStep(String),
    /// Something else.
    Problem(Problem),
}

impl From<Problem> for NotPlanned {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<DbError> for NotPlanned {
    fn from(error: DbError) -> Self {
        Self::Problem(error.into())
    }
}

impl From<NotPlanned> for Problem {
    fn from(why: NotPlanned) -> Self {
        match why {
            NotPlanned::NoStep(words) => Self::conflict("next_step", words),
            NotPlanned::Problem(problem) => problem,
        }
    }
}

impl AskedView {
    /// The step that is taken next, and when.
    pub(crate) const fn step(&self) -> (AttemptId, DateTime<Utc>) {
        (self.attempt_id, self.next_retry_at)
    }
}

/// Plans the next step of an open recovery, which is locked, for `at` or later.
pub(crate) async fn planned(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    at: DateTime<Utc>,
) -> Result<AskedView, NotPlanned> {
    if recovery.paused_at.is_some() {
        return Err(Problem::conflict("paused_at", "is set: resume it first").into());
    }
    let (tenant, id, now) = (recovery.tenant, recovery.id, tx.now());
    if let Some(until) = db::underway::rests_until(tx.conn(), tenant, id, now).await? {
        let fault = format!(
            "is on its way: nothing is charged or sent until it has arrived or not, at the \
             latest on {until}"
        );
        return Err(Problem::conflict("payment", fault).into());
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
            Ok(AskedView {
                recovery_id: id,
                attempt_id: attempt,
                // As exactly as it is kept.
                next_retry_at: step.due_at.trunc_subsecs(6),
                status: AttemptState::Scheduled,
                kind: step.kind,
                channels: step.channels,
                why: step.why,
                waits_for: waits.into_iter().map(wait).collect(),
            })
        }
        Asked::UnderWay => {
            let fault = "is being made: its outcome comes first";
            Err(Problem::conflict("attempt", fault).into())
        }
        Asked::Nothing(why) => Err(NotPlanned::NoStep(why)),
    }
}
