//! `POST /v1/recon/run`: begins a comparison, or joins the one that is running,
//! and waits a while for its end. The worker makes it; Postgres is where the two meet.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use db::recon::StoredRun;
use db::{Tenant, Tx};
use domain::id::ReconRunId;
use domain::reconciliation::RunState;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::view::RunView;
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::{self, Body};
use crate::conduct::idempotency::{Reply, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::problem::Problem;

/// The older contract's usual and most days.
const USUAL_DAYS: u16 = 30;
const MOST_DAYS: u16 = 365;
/// Between two looks at whether it has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// How far back to compare.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = ComparisonToRun)]
struct Wanted {
    #[schema(minimum = 1, maximum = 365, default = 30)]
    days: Option<i64>,
}

impl Wanted {
    /// An empty body asks for the usual.
    fn read(body: &Body) -> Result<u16, Problem> {
        let wanted: Self = if body.bytes.is_empty() {
            Self::default()
        } else {
            body.json()?
        };
        let days = wanted.days.map_or(Ok(USUAL_DAYS), u16::try_from).ok();
        days.filter(|days| (1..=MOST_DAYS).contains(days))
            .ok_or_else(|| Problem::invalid_field("days", format!("must be from 1 to {MOST_DAYS}")))
    }
}

/// What a key keeps: the run itself goes on, and is shown as it is.
#[derive(Serialize, Deserialize)]
struct Begun {
    run: ReconRunId,
}

/// Begins a comparison, or joins the one that is running.
#[utoipa::path(
    post,
    path = "/v1/recon/run",
    tag = "Comparisons",
    params(IdempotencyKey),
    request_body(content = Option<Wanted>, description = "The usual when left out."),
    responses(
        (status = 200, description = "The comparison as it stands after a short wait.", body = RunView),
        (status = 404, description = "The comparison is not there any more."),
    )
)]
pub(crate) async fn run(
    access: WriteAccess,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let days = Wanted::read(&body)?;
    let cause = api.backbone.cause_by("merchant");
    let reply = once(&api, access.tenant, &body, cause, async |tx| {
        let run = begin_or_join(tx, &access, days).await?;
        Reply::json(StatusCode::OK, &Begun { run })
    });
    let reply = reply.await?;
    let Begun { run } = body::read(reply.body())?;
    let run = awaited(&api, access.tenant, run).await?;
    Ok(reply.with(&RunView::new(&run))?.respond())
}

async fn begin_or_join(
    tx: &mut Tx,
    access: &WriteAccess,
    days: u16,
) -> Result<ReconRunId, Problem> {
    let tenant = access.tenant;
    // One that was running may end before it is joined: then there is room for a new one.
    for _ in 0..3 {
        if let Some(id) = db::recon::begin(tx, tenant, days, None).await? {
            let (object, detail) = (id.to_string(), json!({ "days": days }));
            let action = "comparison.begun";
            access.caller.note(tx, action, &object, detail).await?;
            return Ok(id);
        }
        if let Some(running) = db::recon::running(tx.conn(), tenant).await? {
            return Ok(running.id);
        }
    }
    Err(Problem::unavailable(
        "comparisons begin and end too quickly to join one",
    ))
}

/// The comparison once it has finished, or as far as it is when the wait is over.
async fn awaited(api: &Api, tenant: Tenant, id: ReconRunId) -> Result<StoredRun, Problem> {
    let until = Instant::now() + api.recon_wait;
    loop {
        let mut conn = api.backbone.db.read().await?;
        let run = db::recon::find(&mut conn, tenant, id).await?;
        drop(conn);
        let run = run.ok_or_else(|| Problem::not_found("comparison"))?;
        let left = until.saturating_duration_since(Instant::now());
        if run.state == RunState::Finished || left.is_zero() {
            return Ok(run);
        }
        tokio::time::sleep(LOOK_AGAIN.min(left)).await;
    }
}
