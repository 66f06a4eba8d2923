//! `POST /v1/auth/roles/assign`: gives a user of the organization a role, from the
//! next request on.

use actix_web::web::{Data, Json};
use domain::Role;
use domain::id::UserId;
use serde::Deserialize;
use serde_json::json;

use super::{changed, view};
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::auth::session::UserView;
use crate::conduct::body::Body;
use crate::problem::Problem;

#[derive(Deserialize)]
struct Wanted {
    user_id: UserId,
    role: Role,
}

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
