//! `GET /v1/analytics/experiments/{id}`: what each arm of an experiment brought,
//! and what beyond the recoveries that were held out.

use std::collections::BTreeMap;

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use db::policies::StoredPolicy;
use db::rollups::{Dimension, Sum};
use db::{DbError, Tenant};
use domain::analytics::statistics::{SampleRatio, Share};
use domain::experiment::BASIS_POINTS;
use domain::id::RetryPolicyId;
use domain::policy::Experiment;
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::{Asked, Format, Wanted};
use super::table::WindowView;
use super::tally::Tally;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

mod arms;

use arms::{ArmView, HOLD_OUT, MoneyView};

/// An experiment and what it has shown.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExperimentView {
    window: WindowView,
    /// The only currency that is counted, if one was asked for.
    currency: Option<&'static str>,
    /// The experiment's key.
    #[schema(example = "spring")]
    experiment: String,
    /// The arm that the others are compared with.
    #[schema(example = "hold_out")]
    compared_with: String,
    /// Recoveries of every currency together, or of the one that was asked for.
    arms: Vec<ArmView>,
    /// Money, which is kept apart by currency.
    money: Vec<MoneyView>,
    /// Whether the arms have the sizes that they were dealt; null while too few opened.
    sample_ratio: Option<SampleRatioView>,
}

/// Pearson's chi-squared test of the arms' sizes.
#[derive(Serialize, ToSchema)]
struct SampleRatioView {
    /// The statistic.
    chi_squared: f64,
    /// One less than there are arms.
    degrees_of_freedom: u32,
    /// How likely sizes at least this far off are when all is well.
    p_value: f64,
    /// Whether that is so unlikely that no figure here should be believed.
    is_mismatch: bool,
}

/// What each arm of an experiment brought, with intervals of 95 %, and its lift
/// over the recoveries that were held out.
///
/// `id` is the experiment's key, or a version of a policy that has one. Weights are
/// those of the newest version with that key.
#[utoipa::path(
    get,
    path = "/v1/analytics/experiments/{id}",
    tag = "Analytics",
    params(
        ("id" = String, Path, description = "An experiment's key or a policy's id.", max_length = 128),
        Asked,
    ),
    responses(
        (status = 200, description = "The arms.", content((ExperimentView = "application/json"), (String = "text/csv"))),
        (status = 404, description = "There is no such experiment."),
    )
)]
pub(crate) async fn show(
    access: ReadAccess,
    id: Path<String>,
    asked: Query<Asked>,
    request: HttpRequest,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted::read(&asked, &request, api.backbone.clock.now())?;
    let found = experiment(&api, access.tenant, &id).await?;
    let experiment = found.ok_or_else(|| Problem::not_found("experiment"))?;
    let prefix = format!("{}/", experiment.key);
    let sums = wanted
        .sums(&api, access.tenant, Dimension::Arm, Some(&prefix))
        .await?;
    let shown = Shown::new(&experiment, &sums, prefix.len());
    if wanted.format == Format::Csv {
        return wanted.answer("experiment", shown.arms());
    }
    Ok(HttpResponse::Ok().json(ExperimentView {
        window: wanted.view(),
        currency: wanted.currency.map(domain::Currency::code),
        compared_with: shown.compared_with().to_owned(),
        arms: shown.arms(),
        money: shown.money(),
        sample_ratio: shown.sample_ratio(),
        experiment: experiment.key,
    }))
}

/// The experiment of that policy, or the newest one of that key.
async fn experiment(api: &Api, tenant: Tenant, id: &str) -> Result<Option<Experiment>, DbError> {
    let mut conn = api.backbone.db.read().await?;
    let policy: Option<StoredPolicy> = match id.parse::<RetryPolicyId>() {
        Ok(policy) => db::policies::find(&conn, tenant, policy).await?,
        Err(_) => db::policies::with_experiment(&mut conn, tenant, id).await?,
    };
    let Some(policy) = policy else {
        return Ok(None);
    };
    Ok(policy.read()?.document().experiment.clone())
}

/// An experiment's arms, as they were dealt and as they turned out.
struct Shown {
    /// Weight in basis points and tallies by currency, by the arm's word.
    arms: BTreeMap<String, (u32, BTreeMap<&'static str, Tally>)>,
}

impl Shown {
    fn new(experiment: &Experiment, sums: &[Sum], prefix: usize) -> Self {
        let variants = experiment.variants.iter();
        let dealt: u32 = variants.clone().map(|it| it.weight).sum();
        let rest = BASIS_POINTS.saturating_sub(dealt.saturating_add(experiment.hold_out));
        let named = variants.map(|it| (it.name.as_str(), it.weight));
        let mut arms: BTreeMap<_, (u32, BTreeMap<_, Tally>)> = named
            .chain([(HOLD_OUT, experiment.hold_out), (arms::AS_IT_STANDS, rest)])
            .map(|(arm, weight)| (arm.to_owned(), (weight, BTreeMap::new())))
            .collect();
        for sum in sums {
            let arm = sum.key.get(prefix..).unwrap_or_default();
            // A key that goes on after a slash is another experiment's.
            if !arm.contains('/') {
                let (_, tallies) = arms.entry(arm.to_owned()).or_default();
                tallies.entry(sum.currency.code()).or_default().add(sum);
            }
        }
        arms.retain(|_, (weight, tallies)| *weight > 0 || !tallies.is_empty());
        Self { arms }
    }

    fn sample_ratio(&self) -> Option<SampleRatioView> {
        let sizes = self.arms.values().map(|(weight, tallies)| {
            let opened = arms::together(tallies).won().map_or(0, Share::of);
            (opened, *weight)
        });
        let test = SampleRatio::test(&sizes.collect::<Vec<_>>())?;
        Some(SampleRatioView {
            chi_squared: test.chi_squared,
            degrees_of_freedom: test.degrees_of_freedom,
            p_value: test.p_value,
            is_mismatch: test.is_mismatch(),
        })
    }
}
