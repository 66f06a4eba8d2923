//! `POST /v1/users/{id}/disable`: the user may not log in any more, and every session
//! ends at once.

use actix_web::web::{Data, Json, Path};
use db::Tx;
use db::sessions::EndedBy;
use db::users::StoredUser;
use domain::id::UserId;
use serde_json::json;

use super::{changed, view};
use crate::app::Api;
use crate::auth::session::UserView;
use crate::auth::{AdminAccess, Caller};
use crate::openapi::words;
use crate::problem::Problem;

/// Lets a user log in no more, and ends every session at once.
#[utoipa::path(
    post,
    path = "/v1/users/{id}/disable",
    tag = "Users",
    params(("id" = words::UserId, Path, description = "Which one.")),
    responses(
        (status = 200, description = "The user.", body = UserView),
        (status = 404, description = "There is no such user."),
        (status = 409, description = "This is the last administrator who can log in."),
    )
)]
pub(crate) async fn disable(
    access: AdminAccess,
    id: Path<UserId>,
    api: Data<Api>,
) -> Result<Json<UserView>, Problem> {
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    let worked = shut_out(&mut tx, &access.caller, *id).await;
    let user = tx.end(worked).await?;
    Ok(Json(view(&user, access.tenant)))
}

async fn shut_out(tx: &mut Tx, caller: &Caller, id: UserId) -> Result<StoredUser, Problem> {
    let tenant = caller.tenant;
    let user = changed(db::users::set_disabled(tx, tenant, id, true).await?)?;
    let ended = db::sessions::end_all(tx, tenant, id, EndedBy::Disabled).await?;
    let (object, detail) = (id.to_string(), json!({ "sessions_ended": ended }));
    caller.note(tx, "user.disabled", &object, detail).await?;
    Ok(user)
}
