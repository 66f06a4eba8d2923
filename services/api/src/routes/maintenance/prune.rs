//! `POST /v1/maintenance/partitions/prune`: month partitions that are old enough go.

use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::Api;
use crate::auth::operator::OperatorAccess;
use crate::conduct::body::Body;
use crate::problem::Problem;

/// Months by themselves, and at most.
const USUAL: i32 = 6;
const MOST: i32 = 60;

/// What to keep.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PartitionsToPrune)]
pub(crate) struct Wanted {
    /// Months that stay besides this one.
    #[schema(minimum = 1, maximum = 60, default = 6)]
    months: Option<i32>,
}

/// The partitions that were dropped.
#[derive(Serialize, ToSchema)]
#[schema(as = PartitionsPruned)]
pub(crate) struct PrunedView {
    /// Always true.
    ok: bool,
    /// Their names.
    #[schema(example = json!(["psp_events_2021_03"]))]
    pruned: Vec<String>,
}

impl Wanted {
    /// An empty body asks for the usual.
    fn read(body: &Body) -> Result<i32, Problem> {
        let wanted: Self = if body.bytes.is_empty() {
            Self::default()
        } else {
            body.json()?
        };
        let months = wanted.months.unwrap_or(USUAL);
        if (1..=MOST).contains(&months) {
            return Ok(months);
        }
        let fault = format!("must be from 1 to {MOST}");
        Err(Problem::invalid_field("months", fault))
    }
}

/// Drops month partitions that are older than so many months.
///
/// No table loses what it has to keep, `partitioned_tables.keep_months`, however
/// few months are asked for: the greater of both holds. Called with the
/// installation's operator token as `Authorization: Bearer`; the route is not there
/// without that setting.
#[utoipa::path(
    post,
    path = "/v1/maintenance/partitions/prune",
    tag = "Operations",
    request_body = Wanted,
    responses(
        (status = 200, description = "What was dropped.", body = PrunedView),
        (status = 401, description = "The operator token is missing or wrong."),
        (status = 404, description = "The installation has no operator token."),
    ),
)]
pub(crate) async fn prune(
    _operator: OperatorAccess,
    body: Body,
    api: Data<Api>,
) -> Result<Json<PrunedView>, Problem> {
    let months = Wanted::read(&body)?;
    let cause = api.backbone.cause_by("operator");
    let mut tx = api.backbone.db.begin(cause).await?;
    let now = tx.now();
    let pruned = db::prune_partitions(&mut tx, now, months).await?;
    tx.commit().await?;
    tracing::warn!(months, ?pruned, "an operator had partitions dropped");
    Ok(Json(PrunedView { ok: true, pruned }))
}
