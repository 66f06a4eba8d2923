//! `POST /v1/retry/policies/simulate`: what a draft policy would do with given
//! failures, or with the organization's own of the last days. Reads only.

mod asked;
mod given;
mod view;

use actix_web::web::{Data, Json};
use chrono::TimeDelta;
use db::facts::{OwnFailure, Sample};
use domain::RetryPolicy;
use domain::limits::RulePack;

use asked::{Asked, Over};
use view::{SimulationView, Tally};

use crate::app::Api;
use crate::auth::ReadAccess;
use crate::conduct::body::Body;
use crate::problem::Problem;

/// Most failures that are played at once.
const MOST: usize = 1_000;

/// Plays a draft policy over failures, and changes nothing.
#[utoipa::path(
    post,
    path = "/v1/retry/policies/simulate",
    tag = "Retry policies",
    request_body = asked::Wanted,
    responses(
        (status = 200, description = "What it would do.", body = SimulationView),
    )
)]
pub(crate) async fn simulate(
    access: ReadAccess,
    body: Body,
    api: Data<Api>,
) -> Result<Json<SimulationView>, Problem> {
    let Asked { policy, over } = Asked::read(&body)?;
    let now = api.backbone.clock.now();
    let sample = match over {
        Over::Given(failures) => given::sample(&failures, now)?,
        Over::LastDays(days) => {
            let mut conn = api.backbone.db.read().await?;
            let wanted = Sample {
                since: now - TimeDelta::days(i64::from(days)),
                limit: i64::try_from(MOST).unwrap_or(i64::MAX),
            };
            db::facts::sample(&mut conn, access.tenant, &wanted, psp::can_charge).await?
        }
    };
    // The plays may take a few milliseconds: they are kept off the threads that serve.
    let played = actix_web::web::block(move || play(&policy, sample));
    let view = played.await.map_err(|_| Problem::internal())??;
    Ok(Json(view))
}

fn play(policy: &RetryPolicy, sample: Vec<OwnFailure>) -> Result<SimulationView, Problem> {
    let pack = RulePack::current();
    let mut tally = Tally::new(pack);
    for failure in sample {
        let assignment = domain::experiment::assign(policy, failure.transaction);
        let followed = policy
            .of_variant(assignment.variant.as_ref())
            .map_err(|fault| Problem::invalid_field(fault.field, fault.fault))?;
        let mut facts = failure.facts;
        facts.assignment = assignment;
        let played = domain::simulation::play(&followed, pack, facts.clone());
        tally.add(failure.reference, failure.card, facts, played);
    }
    Ok(tally.into_view())
}
