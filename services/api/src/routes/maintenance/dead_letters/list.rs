//! `GET /v1/maintenance/dead-letters?stream=&reason=&organization_id=&cursor=&limit=`,
//! oldest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use backbone::dead_letters::Shown;
use contracts::Stream;
use db::dead_letters::Choice;
use domain::id::Outbox;
use serde::Deserialize;
use utoipa::IntoParams;

use super::DeadLetterView;
use crate::app::Api;
use crate::auth::operator::OperatorAccess;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::faults::Faults;
use crate::routes::page::{Asked, Page};

/// Which ones: those of all that is given.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Of this stream alone: `failures`, `notifications:email`, `notifications:sms`,
    /// `notifications:whatsapp`, `mails:users` or `events`.
    stream: Option<String>,
    /// Given up for exactly this reason alone.
    reason: Option<String>,
    /// Of this organization alone.
    #[param(value_type = Option<words::OrganizationId>)]
    organization_id: Option<String>,
}

impl Filter {
    fn read(&self, faults: &mut Faults) -> Choice {
        Choice {
            stream: faults.by("stream", self.stream.as_deref(), Stream::parse),
            reason: self.reason.clone(),
            organization: faults.read("organization_id", self.organization_id.as_deref()),
            ..Choice::default()
        }
    }

    fn pairs(&self) -> [(&str, Option<&str>); 3] {
        [
            ("stream", self.stream.as_deref()),
            ("reason", self.reason.as_deref()),
            ("organization_id", self.organization_id.as_deref()),
        ]
    }
}

/// Lists dead letters, oldest first.
///
/// Called with the installation's operator token as `Authorization: Bearer`; the route
/// is not there without that setting.
#[utoipa::path(
    get,
    path = "/v1/maintenance/dead-letters",
    tag = "Operations",
    params(Filter, Asked),
    responses(
        (status = 200, description = "One page.", body = Page<DeadLetterView>),
        (status = 401, description = "The operator token is missing or wrong."),
        (status = 404, description = "The installation has no operator token."),
    ),
)]
pub(crate) async fn list(
    _operator: OperatorAccess,
    filter: Query<Filter>,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let choice = filter.read(&mut faults);
    let page = faults.page::<Outbox>(&asked)?;
    let choice = Choice {
        after: page.cursor,
        limit: page.rows(),
        ..choice
    };
    let mut conn = api.backbone.db.read().await?;
    let found = db::dead_letters::list(&mut conn, &choice).await?;
    let rows = found
        .into_iter()
        .map(|letter| (letter.id, DeadLetterView::from(Shown::from(letter))));
    Ok(page.answer_of(
        &api,
        "/v1/maintenance/dead-letters",
        &filter.pairs(),
        rows.collect(),
    ))
}
