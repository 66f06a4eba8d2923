//! `POST /v1/auth/roles/assign`: gives a user of the organization a role, from the
//! next request on.

use actix_web::web::{Data, Json};
use domain::Role;
use domain::id::UserId;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{changed, view};
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::auth::session::UserView;
use crate::conduct::body::Body;
use crate::openapi::words;
use crate::problem::Problem;

/// Who gets which role.
#[derive(Deserialize, ToSchema)]
#[schema(as = RoleToAssign)]
struct Wanted {
    #[schema(value_type = words::UserId)]
    user_id: UserId,
    #[schema(value_type = words::Role)]
    role: Role,
}

/// Gives a user a role, from the next request on.
#[utoipa::path(
    post,
    path = "/v1/auth/roles/assign",
    tag = "Users",
    request_body = Wanted,
    responses(
        (status = 200, description = "The user.", body = UserView),
        (status = 404, description = "There is no such user."),
        (status = 409, description = "This is the last administrator who can log in."),
    )
)]
pub(crate) async fn assign(
    access: AdminAccess,
    body: Body,
    api: Data<Api>,
) -> Result<Json<UserView>, Problem> {
    let Wanted { user_id, role } = body.json()?;
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    let user = match changed(db::users::set_role(&mut tx, access.tenant, user_id, role).await?) {
        Ok(user) => user,
        Err(problem) => {
            tx.roll_back().await?;
            return Err(problem);
        }
    };
    let (caller, object) = (&access.caller, user_id.to_string());
    let detail = json!({ "role": role });
    caller
        .note(&mut tx, "user.role_assigned", &object, detail)
        .await?;
    tx.commit().await?;
    Ok(Json(view(&user, access.tenant)))
}
