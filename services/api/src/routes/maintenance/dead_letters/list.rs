//! `GET /v1/maintenance/dead-letters?stream=&reason=&organization_id=&cursor=&limit=`,
//! oldest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use backbone::dead_letters::Shown;
use contracts::Stream;
use db::dead_letters::Choice;
use domain::id::{OrganizationId, Outbox};
use serde::Deserialize;
use utoipa::IntoParams;

use super::DeadLetterView;
use crate::app::Api;
use crate::auth::operator::OperatorAccess;
use crate::openapi::words;
use crate::problem::{FieldFault, Problem};
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
    fn read(&self, faults: &mut Vec<FieldFault>) -> Choice {
        let stream = self.stream.as_deref().map(Stream::parse).transpose();
        let organization = self.organization_id.as_deref();
        let organization = organization.map(str::parse::<OrganizationId>).transpose();
        if let Err(fault) = &stream {
            faults.push(FieldFault::new("stream", fault.to_string()));
        }
        if let Err(fault) = &organization {
            faults.push(FieldFault::new("organization_id", fault.to_string()));
        }
        Choice {
            stream: stream.unwrap_or_default(),
            reason: self.reason.clone(),
            organization: organization.unwrap_or_default(),
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
    let mut faults = Vec::new();
    let choice = filter.read(&mut faults);
    let page = asked.read_besides::<Outbox>(faults)?;
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
