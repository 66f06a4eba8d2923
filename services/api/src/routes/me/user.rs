//! `GET /v1/auth/me`: the user who is logged in.

use actix_web::web::{Data, Json};

use crate::app::Api;
use crate::auth::UserAccess;
use crate::auth::session::UserView;
use crate::problem::Problem;

/// Shows the user who is logged in.
#[utoipa::path(
    get,
    path = "/v1/auth/me",
    tag = "Login",
    responses(
        (status = 200, description = "The user.", body = UserView),
        (status = 404, description = "The user is not there any more."),
    )
)]
pub(crate) async fn show(access: UserAccess, api: Data<Api>) -> Result<Json<UserView>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let user = db::users::find(&mut conn, access.tenant, access.user).await?;
    let user = user.ok_or_else(|| Problem::not_found("user"))?;
    Ok(Json(UserView::new(&user, access.tenant)))
}
