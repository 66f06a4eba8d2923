//! `GET /v1/customer/api-key/usage`: the key that calls.

use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use domain::id::ApiKeyId;
use serde::Serialize;
use utoipa::ToSchema;

use super::own_key;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// The API key that calls.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKeyUsage)]
pub(crate) struct UsageView {
    /// The key.
    #[schema(value_type = words::ApiKeyId)]
    id: ApiKeyId,
    /// What its owner calls it.
    name: String,
    /// How it starts.
    #[schema(example = "sk_live_4eC3")]
    prefix: String,
    /// What it may do: `read`, `write`, `admin`.
    scopes: Vec<String>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it was last used before this minute.
    last_used_at: Option<DateTime<Utc>>,
    /// When it stops working.
    expires_at: Option<DateTime<Utc>>,
}

/// Shows the API key that calls.
#[utoipa::path(
    get,
    path = "/v1/customer/api-key/usage",
    tag = "Customers",
    responses(
        (status = 200, description = "The key.", body = UsageView),
        (status = 404, description = "A person calls, and no key."),
    ),
)]
pub(crate) async fn show(access: ReadAccess, api: Data<Api>) -> Result<Json<UsageView>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let key = own_key(&mut conn, &access.caller).await?;
    let key = key.ok_or_else(|| Problem::not_found("API key: a person calls"))?;
    Ok(Json(UsageView {
        id: key.id,
        name: key.name,
        prefix: key.shown_prefix,
        scopes: key.scopes,
        created_at: key.created_at,
        last_used_at: key.last_used_at,
        expires_at: key.expires_at,
    }))
}
