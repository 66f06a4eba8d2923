//! `GET /v1/psp-connections?cursor=&limit=`, newest first, ended ones too.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};

use super::view::ConnectionView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;
use crate::routes::page::{Asked, Page};

/// Lists PSP connections, newest first.
#[utoipa::path(
    get,
    path = "/v1/psp-connections",
    tag = "Connections",
    params(Asked),
    responses((status = 200, description = "A page of connections.", body = Page<ConnectionView>)),
)]
pub(crate) async fn list(
    access: ReadAccess,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let page = asked.read()?;
    let mut conn = api.backbone.db.read().await?;
    let found = db::connections::list(&mut conn, access.tenant, page.cursor, page.rows()).await?;
    let rows = found
        .into_iter()
        .map(|found| (found.id, ConnectionView::new(found, &api)));
    Ok(page.answer(&api, "/v1/psp-connections", rows.collect()))
}
