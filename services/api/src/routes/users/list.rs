//! `GET /v1/users?cursor=&limit=`, newest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use domain::id::User;

use super::view;
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::auth::session::UserView;
use crate::problem::Problem;
use crate::routes::page::{Asked, Page};

/// Lists the people of the organization, newest first.
#[utoipa::path(
    get,
    path = "/v1/users",
    tag = "Users",
    params(Asked),
    responses(
        (status = 200, description = "One page.", body = Page<UserView>),
    )
)]
pub(crate) async fn list(
    access: AdminAccess,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let page = asked.read::<User>()?;
    let tenant = access.tenant;
    let mut conn = api.backbone.db.read().await?;
    let found = db::users::list(&mut conn, tenant, page.cursor, page.rows()).await?;
    let rows = found.iter().map(|user| (user.id, view(user, tenant)));
    Ok(page.answer(&api, "/v1/users", rows.collect()))
}
