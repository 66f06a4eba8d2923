//! `GET /v1/attempts?state=&kind=&from=&to=&cursor=&limit=`, newest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use db::attempts::Wanted;
use serde::Deserialize;
use utoipa::IntoParams;

use super::view::AttemptView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::faults::Faults;
use crate::routes::page::{Asked, Page};

/// Which attempts.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only those in this state.
    #[param(value_type = Option<words::AttemptState>)]
    state: Option<String>,
    /// Only those of this kind.
    #[param(value_type = Option<words::AttemptKind>)]
    kind: Option<String>,
    /// Only those planned from then on.
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    from: Option<String>,
    /// Only those planned before then.
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    to: Option<String>,
}

/// Lists attempts, newest first.
#[utoipa::path(
    get,
    path = "/v1/attempts",
    tag = "Attempts",
    params(Filter, Asked),
    responses((status = 200, description = "A page of attempts.", body = Page<AttemptView>)),
)]
pub(crate) async fn list(
    access: ReadAccess,
    filter: Query<Filter>,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let (from, to) = faults.times(filter.from.as_deref(), filter.to.as_deref());
    let mut wanted = Wanted {
        state: faults.read("state", filter.state.as_deref()),
        kind: faults.read("kind", filter.kind.as_deref()),
        from,
        to,
        ..Wanted::default()
    };
    let page = faults.page(&asked)?;
    wanted.before = page.cursor;
    wanted.limit = page.rows();
    let mut conn = api.backbone.db.read().await?;
    let found = db::attempts::list(&mut conn, access.tenant, &wanted).await?;
    let filters = [
        ("state", filter.state.as_deref()),
        ("kind", filter.kind.as_deref()),
        ("from", filter.from.as_deref()),
        ("to", filter.to.as_deref()),
    ];
    let rows = found.into_iter().map(|it| (it.id, AttemptView::new(it)));
    Ok(page.answer_of(&api, "/v1/attempts", &filters, rows.collect()))
}
