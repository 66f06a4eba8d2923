//! `GET /v1/auth/api-keys`: never the keys themselves.

use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use db::api_keys::StoredKey;
use domain::id::ApiKeyId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Api;
use crate::auth::AdminAccess;
use crate::auth::scope::Scope;
use crate::openapi::words;
use crate::problem::Problem;

/// A key, without what it opens.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(crate) struct KeyView {
    #[schema(value_type = words::ApiKeyId)]
    id: ApiKeyId,
    name: String,
    /// How it begins, to tell it by.
    #[schema(example = "sk_test_4f")]
    prefix: String,
    #[schema(value_type = Vec<Scope>)]
    scopes: Vec<String>,
    created_at: DateTime<Utc>,
    #[schema(required)]
    expires_at: Option<DateTime<Utc>>,
    #[schema(required)]
    last_used_at: Option<DateTime<Utc>>,
    #[schema(required)]
    revoked_at: Option<DateTime<Utc>>,
    /// The key that takes its place; it works on until it expires.
    #[schema(value_type = Option<words::ApiKeyId>, required)]
    replaced_by: Option<ApiKeyId>,
    /// The user or key that made it.
    #[schema(required)]
    made_by: Option<String>,
}

/// Lists the keys of the organization.
#[utoipa::path(
    get,
    path = "/v1/auth/api-keys",
    tag = "API keys",
    responses(
        (status = 200, description = "All of them.", body = Vec<KeyView>),
    )
)]
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
