//! `GET /v1/auth/api-keys`: never the keys themselves.

use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use db::api_keys::StoredKey;
use domain::id::ApiKeyId;
use serde::Serialize;

use crate::app::Api;
use crate::auth::AdminAccess;
use crate::problem::Problem;

#[derive(Serialize)]
pub(crate) struct KeyView {
    id: ApiKeyId,
    name: String,
    prefix: String,
    scopes: Vec<String>,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    /// The key that takes its place; it works on until it expires.
    replaced_by: Option<ApiKeyId>,
    /// The user or key that made it.
    made_by: Option<String>,
}

pub(crate) async fn list(
    access: AdminAccess,
    api: Data<Api>,
) -> Result<Json<Vec<KeyView>>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let keys = db::api_keys::list(&mut conn, access.tenant).await?;
    Ok(Json(keys.into_iter().map(view).collect()))
}

fn view(key: StoredKey) -> KeyView {
    KeyView {
        id: key.id,
        name: key.name,
        prefix: key.shown_prefix,
        scopes: key.scopes,
        created_at: key.created_at,
        expires_at: key.expires_at,
        last_used_at: key.last_used_at,
        revoked_at: key.revoked_at,
        replaced_by: key.replaced_by,
        made_by: key.made_by,
    }
}
