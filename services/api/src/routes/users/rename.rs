//! `PATCH /v1/users/me`: what the user who is logged in says of themselves.

use actix_web::web::{Data, Json};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{name_fault, view};
use crate::app::Api;
use crate::auth::UserAccess;
use crate::auth::session::UserView;
use crate::conduct::body::Body;
use crate::conduct::patch::Patch;
use crate::problem::Problem;

/// What is to change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserChange)]
pub(crate) struct Wanted {
    /// What the user is called; null for nothing.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 128)]
    full_name: Patch<String>,
}

/// Changes the caller's own name.
#[utoipa::path(patch, path = "/v1/users/me", tag = "Users", request_body = Wanted,
    responses((status = 200, description = "The user as they are now", body = UserView)))]
pub(crate) async fn rename(
    access: UserAccess,
    body: Body,
    api: Data<Api>,
) -> Result<Json<UserView>, Problem> {
    let wanted: Wanted = body.json()?;
    let (tenant, id) = (access.tenant, access.user);
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    let renamed = match wanted.full_name.as_ref().map(|name| name.trim()) {
        Patch::Keep => db::users::find(tx.conn(), tenant, id).await?,
        Patch::Clear => db::users::rename(&mut tx, tenant, id, None).await?,
        Patch::Set(name) => {
            if let Some(fault) = name_fault(name) {
                tx.roll_back().await?;
                return Err(Problem::invalid_field("full_name", fault));
            }
            db::users::rename(&mut tx, tenant, id, Some(name)).await?
        }
    };
    let user = renamed.ok_or_else(|| Problem::not_found("user"))?;
    let object = id.to_string();
    access
        .caller
        .note(&mut tx, "user.renamed", &object, json!({}))
        .await?;
    tx.commit().await?;
    Ok(Json(view(&user, tenant)))
}
