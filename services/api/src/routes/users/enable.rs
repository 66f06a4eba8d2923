//! `POST /v1/users/{id}/enable`: the user may log in again.

use actix_web::web::{Data, Json, Path};
use domain::id::UserId;
use serde_json::json;

use super::{changed, view};
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::auth::session::UserView;
use crate::problem::Problem;

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
