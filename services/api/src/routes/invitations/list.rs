//! `GET /v1/users/invitations?cursor=&limit=`, newest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use db::user_codes::invitations;
use domain::id::UserCode;

use super::InvitationView;
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::problem::Problem;
use crate::routes::page::{Asked, Page};

/// Lists the invitations that were neither accepted nor revoked, newest first.
#[utoipa::path(get, path = "/v1/users/invitations", tag = "Users",
    params(Asked),
    responses((status = 200, description = "One page.", body = Page<InvitationView>)))]
pub(crate) async fn list(
    access: AdminAccess,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let page = asked.read::<UserCode>()?;
    let mut conn = api.backbone.db.read().await?;
    let found = invitations::list(&mut conn, access.tenant, page.cursor, page.rows()).await?;
    let now = api.backbone.clock.now();
    let rows = found.iter().map(|it| (it.id, InvitationView::new(it, now)));
    Ok(page.answer(&api, "/v1/users/invitations", rows.collect()))
}
