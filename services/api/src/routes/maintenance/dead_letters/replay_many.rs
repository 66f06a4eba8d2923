//! `POST /v1/maintenance/dead-letters/replay`: those of one cause together.

use actix_web::web::{Data, Json};
use contracts::Stream;
use db::dead_letters::{Choice, Mend};
use domain::id::OutboxId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{mend, mender, mender_faults};
use crate::app::Api;
use crate::auth::operator::OperatorAccess;
use crate::conduct::body::Body;
use crate::openapi::words;
use crate::problem::Problem;

/// Letters by themselves, and at most: one transaction holds them all.
const USUAL: i64 = 100;
const MOST: i64 = 1_000;

/// Which ones, who asks, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeadLettersToReplay)]
struct Wanted {
    /// Of this stream.
    #[schema(example = "failures")]
    stream: String,
    /// Given up for exactly this reason; for whatever reason where it is absent.
    reason: Option<String>,
    /// At most so many, oldest first.
    #[schema(minimum = 1, maximum = 1_000, default = 100)]
    limit: Option<i64>,
    /// Who you are: the operator token is one for all.
    #[schema(min_length = 1, max_length = 100, example = "asha")]
    by: String,
    /// Why this is right.
    #[schema(min_length = 1, max_length = 1_000, example = "mended in 1.4.2")]
    why: String,
}

impl Wanted {
    fn read(&self) -> Result<Choice, Problem> {
        let mut faults = mender_faults(&self.by, &self.why);
        let stream = faults.take("stream", Stream::parse(&self.stream));
        let limit = self.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            faults.note("limit", format!("must be from 1 to {MOST}"));
        }
        faults.end()?;
        Ok(Choice {
            stream,
            reason: self.reason.clone(),
            limit,
            ..Choice::default()
        })
    }
}

/// Those that are owed again.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLettersReplayed)]
pub(crate) struct ReplayedView {
    /// Always true.
    ok: bool,
    /// Their names, oldest first; as many as `limit` where there may be more.
    #[schema(value_type = Vec<words::OutboxId>)]
    replayed: Vec<OutboxId>,
}

/// Makes dead letters of one stream owed again, oldest first.
///
/// First replay one, and when it is settled the others of its reason. Called with the
/// installation's operator token as `Authorization: Bearer`; the route is not there
/// without that setting.
#[utoipa::path(
    post,
    path = "/v1/maintenance/dead-letters/replay",
    tag = "Operations",
    request_body = Wanted,
    responses(
        (status = 200, description = "Those that this call replayed.", body = ReplayedView),
        (status = 401, description = "The operator token is missing or wrong."),
        (status = 404, description = "The installation has no operator token."),
    ),
)]
pub(crate) async fn replay_many(
    _operator: OperatorAccess,
    body: Body,
    api: Data<Api>,
) -> Result<Json<ReplayedView>, Problem> {
    let wanted: Wanted = body.json()?;
    let choice = wanted.read()?;
    let mender = mender(&wanted.by, &wanted.why);
    let replayed = mend(&api, &choice, Mend::Replay, mender).await?;
    Ok(Json(ReplayedView { ok: true, replayed }))
}
