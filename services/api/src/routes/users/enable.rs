//! `POST /v1/users/{id}/enable`: the user may log in again.

use actix_web::web::{Data, Json, Path};
use domain::id::UserId;
use serde_json::json;

use super::{changed, view};
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::auth::session::UserView;
use crate::openapi::words;
use crate::problem::Problem;

/// Lets a user log in again.
#[utoipa::path(
    post,
    path = "/v1/users/{id}/enable",
    tag = "Users",
    params(("id" = words::UserId, Path, description = "Which one.")),
    responses(
        (status = 200, description = "The user.", body = UserView),
        (status = 404, description = "There is no such user."),
        (status = 409, description = "This is the last administrator who can log in."),
    )
)]
pub(crate) async fn enable(
    access: AdminAccess,
    id: Path<UserId>,
    api: Data<Api>,
) -> Result<Json<UserView>, Problem> {
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    let user = match changed(db::users::set_disabled(&mut tx, access.tenant, *id, false).await?) {
        Ok(user) => user,
        Err(problem) => {
            tx.roll_back().await?;
            return Err(problem);
        }
    };
    let (caller, object) = (&access.caller, id.to_string());
    caller
        .note(&mut tx, "user.enabled", &object, json!({}))
        .await?;
    tx.commit().await?;
    Ok(Json(view(&user, access.tenant)))
}
