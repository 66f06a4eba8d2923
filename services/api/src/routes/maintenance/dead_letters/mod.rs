//! Dead letters: what a consumer gave up, looked at and mended by operators.

pub(crate) mod discard;
pub(crate) mod list;
pub(crate) mod replay;
pub(crate) mod replay_many;
pub(crate) mod show;

use actix_web::web::Json;
use backbone::dead_letters::Shown;
use chrono::{DateTime, Utc};
use db::DbError;
use db::dead_letters::{Choice, Mend, Mender};
use domain::id::{OrganizationId, OutboxId, RecoveryId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::Api;
use crate::conduct::body::Body;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::faults::Faults;

/// Longest name of an operator, in characters.
const LONGEST_NAME: usize = 100;
/// Longest reason, in characters.
const LONGEST_WHY: usize = 1_000;

/// An event that a consumer gave up. Its effect is still owed.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetter)]
pub(crate) struct DeadLetterView {
    #[schema(value_type = words::OutboxId)]
    id: OutboxId,
    /// The stream that it belongs on.
    #[schema(example = "failures")]
    stream: String,
    #[schema(value_type = words::OrganizationId)]
    organization_id: OrganizationId,
    /// The recovery that it is about; null where it is about none, or does not read.
    #[schema(value_type = Option<words::RecoveryId>, required)]
    recovery_id: Option<RecoveryId>,
    /// When its cause committed.
    created_at: DateTime<Utc>,
    /// When it was given up.
    dead_at: DateTime<Utc>,
    /// Why it was given up.
    #[schema(example = "stored retry_policies.document does not read")]
    reason: String,
    /// The trace in which its cause and its deliveries are.
    #[schema(required)]
    trace_id: Option<String>,
    /// What it asks for; null where its bytes do not read.
    #[schema(value_type = Option<Object>, required)]
    payload: Option<Value>,
    /// Why its bytes do not read; null where they do.
    #[schema(required)]
    unreadable: Option<String>,
}

impl From<Shown> for DeadLetterView {
    fn from(shown: Shown) -> Self {
        Self {
            id: shown.id,
            stream: shown.stream,
            organization_id: shown.organization_id,
            recovery_id: shown.recovery_id,
            created_at: shown.created_at,
            dead_at: shown.dead_at,
            reason: shown.reason,
            trace_id: shown.trace_id,
            payload: shown.payload,
            unreadable: shown.unreadable,
        }
    }
}

/// Who mends, and why: both are in the organization's audit log.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeadLetterRemedy)]
pub(crate) struct Remedy {
    /// Who you are: the operator token is one for all.
    #[schema(min_length = 1, max_length = 100, example = "asha")]
    by: String,
    /// Why this is right.
    #[schema(min_length = 1, max_length = 1_000, example = "mended in 1.4.2")]
    why: String,
}

impl Remedy {
    fn read(&self) -> Result<Mender<'_>, Problem> {
        mender_faults(&self.by, &self.why).end()?;
        Ok(mender(&self.by, &self.why))
    }
}

fn mender<'a>(by: &'a str, why: &'a str) -> Mender<'a> {
    Mender {
        by: by.trim(),
        why: why.trim(),
    }
}

fn mender_faults(by: &str, why: &str) -> Faults {
    let mut faults = Faults::default();
    for (field, text, longest) in [("by", by, LONGEST_NAME), ("why", why, LONGEST_WHY)] {
        if !(1..=longest).contains(&text.trim().chars().count()) {
            faults.note(field, format!("must have 1 to {longest} characters"));
        }
    }
    faults
}

/// What was done with one.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetterMended)]
pub(crate) struct MendedView {
    /// Always true.
    ok: bool,
    #[schema(value_type = words::OutboxId)]
    id: OutboxId,
}

/// Mends the one that was asked for, unless somebody else was first.
async fn mend_one(
    api: &Api,
    id: OutboxId,
    body: &Body,
    how: Mend,
) -> Result<Json<MendedView>, Problem> {
    let remedy: Remedy = body.json()?;
    let taken = mend(api, &Choice::one(id), how, remedy.read()?).await?;
    let id = taken.first().copied();
    let id = id.ok_or_else(|| Problem::not_found("dead letter"))?;
    Ok(Json(MendedView { ok: true, id }))
}

async fn mend(
    api: &Api,
    choice: &Choice,
    how: Mend,
    mender: Mender<'_>,
) -> Result<Vec<OutboxId>, DbError> {
    let cause = api.backbone.cause_by("operator");
    let mut tx = api.backbone.db.begin(cause).await?;
    let taken = db::dead_letters::mend(&mut tx, choice, how, mender).await?;
    tx.commit().await?;
    Ok(taken)
}
